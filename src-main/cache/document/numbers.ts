/**
 * JSON.parse rounds numbers with more digits than a double holds, such as .NET's ticks. No MSAL library writes them into shared entities,
 * but data that is not understood must survive unchanged. Such a number is held as a marked string, and serialized as a number.
 */
const MARKS = '\ue000';
const NUMBER = `${MARKS}number:`;
/** Precedes a text that begins like a mark. */
const TEXT = `${MARKS}text:`;

/** Matches strings and numbers in a JSON text: strings too, so that digits in them are skipped. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;
const LIKE_MARK = /^"(?:\ue000|\\u[eE]000)/;
const ANY_MARK = /\ue000|\\u[eE]000/;
const SMALL = /^-?\d{1,15}$/;
const LARGE = /^-?\d{16,}$/;
/** A quotation mark within a string follows a backslash. */
const MARKED = /(?<!\\)"\ue000(?:number:(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)"|text:)/g;
/** The most characters of a number that is compared with what it is rounded to. A longer one is kept as a text. */
const LONGEST = 400;

/** Replaces the numbers of a JSON text that JSON.parse would round by marked strings. */
export function markNumbers(text: string): string {
  return text.replace(TOKEN, (token) => {
    if (token.startsWith('"')) return LIKE_MARK.test(token) ? `"${TEXT}${token.slice(1)}` : token;
    return isKept(token) ? token : `"${NUMBER}${token}"`;
  });
}

/** Whether a text, or a string in a JSON text, may be marked or look like it. */
export function holdsMark(text: string): boolean {
  return ANY_MARK.test(text);
}

/** Replaces the marked strings of a JSON text by what they stand for. */
export function unmarkNumbers(text: string): string {
  return text.includes(MARKS)
    ? text.replace(MARKED, (_marked, number: string | undefined) => number ?? '"')
    : text;
}

function isKept(number: string): boolean {
  if (SMALL.test(number)) return true;
  if (number.length > LONGEST || LARGE.test(number)) return false;
  const value = decimal(number);
  return value === undefined || value === decimal(String(Number(number)));
}

/** Returns one text for all texts of a number, such as `1.50` and `15e-1`; undefined for what is not a number in JSON. */
function decimal(text: string): string | undefined {
  const [, sign = '', whole, fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
  return `${sign}${significant}e${power}`;
}
