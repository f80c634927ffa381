/**
 * JSON.parse rounds integers beyond 2^53, such as .NET's ticks. No MSAL library writes them into shared entities, but data
 * that is not understood must survive unchanged. Such a number is held as a marked string, and serialized as a number.
 */
const MARK = '\ue000number:';

/** Matches strings and numbers in a JSON text: strings too, so that digits in them are skipped. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;
const LARGE = /^-?\d{16,}$/;
/** A quotation mark within a string follows a backslash. */
const MARKED = /(?<!\\)"\ue000number:(-?\d+)"/g;

/** Replaces the large numbers of a JSON text by marked strings. */
export function markNumbers(text: string): string {
  return text.replace(TOKEN, (token) => (LARGE.test(token) ? `"${MARK}${token}"` : token));
}

/** Whether a string may be a marked number. */
export function holdsNumber(text: string): boolean {
  return text.includes(MARK);
}

/** Replaces the marked strings of a JSON text by numbers. */
export function unmarkNumbers(text: string): string {
  return holdsNumber(text) ? text.replace(MARKED, '$1') : text;
}
