/**
 * The names that a window uses for accounts and tokens: hashes of what makes them what they are. So they stay the
 * same when a token is renewed and after a restart, and tell nothing by themselves.
 */
import { hash } from 'node:crypto';

export type AccountId = string;
/** The id of its account, a dot, and one of its own: enough to find it without looking through all accounts. */
export type TokenId = string;

export function idOf(...parts: readonly string[]): string {
  // As JSON, so that no two lists of parts read alike.
  return hash('sha256', JSON.stringify(parts), 'base64url').slice(0, 22);
}

export function tokenId(account: AccountId, own: string): TokenId {
  return `${account}.${own}`;
}

/** The account's part of a token's id. */
export function accountOf(token: TokenId): AccountId {
  return token.split('.', 1)[0] ?? '';
}
