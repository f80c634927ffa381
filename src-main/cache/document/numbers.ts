/**
 * Whole numbers beyond 2^53 (.NET counts time in ticks) lose their last digits in JSON.parse. No MSAL library writes one
 * into an entity it shares, but what is not understood must come through whole: such a number is carried as a marked
 * string, and is a number again in the text.
 */
const MARK = '\ue000number:';

/** The strings and numbers of a JSON text: strings too, so that digits in them are passed over. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;
const LARGE = /^-?\d{16,}$/;
const MARKED = /"\ue000number:(-?\d+)"/g;

/** A JSON text with its large numbers as marked strings. */
export function markNumbers(text: string): string {
  return text.replace(TOKEN, (token) => (LARGE.test(token) ? `"${MARK}${token}"` : token));
}

/** A JSON text with the marked strings as numbers. */
export function unmarkNumbers(text: string): string {
  return text.includes(MARK) ? text.replace(MARKED, '$1') : text;
}
