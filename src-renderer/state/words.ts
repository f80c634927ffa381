import type { RemovalCount } from '../../src-main/ipc/contract.ts';

const numbers = new Intl.NumberFormat('en');

/** "1 token", "10,000 tokens". */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${numbers.format(n)} ${n === 1 ? one : many}`;
}

export function number(n: number): string {
  return numbers.format(n);
}

/** "today 14:08" → "Today 14:08", where it begins a line. */
export const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** "61 kB", "1.2 MB": decimal units. */
export function bytes(n: number): string {
  if (n < 1000) return count(n, 'byte');
  if (n < 999_500) return `${Math.round(n / 1000)} kB`;
  return `${(n / 1e6).toFixed(n < 1e7 ? 1 : 0)} MB`;
}

/**
 * "a", "a and b", "a, b and c"; of more than `most`, the first ones and how many more.
 *
 * @param all number of names, if `names` has only the first ones
 */
export function listing(
  names: readonly string[],
  most = Number.POSITIVE_INFINITY,
  all: number = names.length,
): string {
  const shown = names.length > most ? names.slice(0, most) : names;
  const more = all - shown.length;
  const parts = more > 0 ? [...shown, `${numbers.format(more)} more`] : [...shown];
  const last = parts.pop();
  if (last === undefined) return '';
  return parts.length === 0 ? last : `${parts.join(', ')} and ${last}`;
}

const KINDS = [
  ['Account', 'account entry', 'account entries'],
  ['AccessToken', 'access token', 'access tokens'],
  ['RefreshToken', 'refresh token', 'refresh tokens'],
  ['IdToken', 'ID token', 'ID tokens'],
  ['AppMetadata', 'app metadata entry', 'app metadata entries'],
  ['grants', 'OAuth grant', 'OAuth grants'],
] as const;

/** Lists the removed entries by type, without types that have none. */
export function removals(counts: RemovalCount): string[] {
  return KINDS.filter(([type]) => (counts[type] ?? 0) > 0).map(([type, one, many]) =>
    count(counts[type] ?? 0, one, many),
  );
}

export function addCounts(all: readonly RemovalCount[]): RemovalCount {
  const sum: RemovalCount = { Account: 0, AccessToken: 0, RefreshToken: 0, IdToken: 0, AppMetadata: 0 };
  for (const counts of all)
    for (const [type] of KINDS) if (counts[type] !== undefined) sum[type] = (sum[type] ?? 0) + counts[type];
  return sum;
}

/** Adds an article where the name needs one: "the Secret Service". */
export function named(keychain: string): string {
  return /service|keychain$/i.test(keychain) && !/^(macOS|the|your) /i.test(keychain)
    ? `the ${keychain}`
    : keychain;
}
