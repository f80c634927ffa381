/** ID tokens whose signature was verified when they were received: recorded in the account's history, and shown by the window. */
import type { TokenCache } from '../cache/token-cache.ts';
import { type AccountHistory, historyOf, type SignatureCheck } from '../accounts/account-history.ts';
import { type AccountId, type CachedAccount, findAccount, idOf } from '../accounts/cached-accounts.ts';
import type { TokenItem } from './contract.ts';
import { identify, tokenItems } from './token-views.ts';

/**
 * Returns the history's signatures with one more, without those of ID tokens that the account no longer has.
 *
 * @param account after the token was added
 *
 * @example
 * import { type AccountId, changeHistory, findAccount, historyOf, type SignatureCheck, withSignature } from 'tokenkeep/ipc';
 *
 * async function keep(id: AccountId, secret: string, check: SignatureCheck): Promise<void> {
 *   await vault.update((cache) => {
 *     const signatures = withSignature(findAccount(cache, id), historyOf(cache, id), { secret, ...check });
 *     changeHistory(cache, id, { signatures });
 *   });
 * }
 */
export function withSignature(
  { idTokens }: CachedAccount,
  { signatures }: Pick<AccountHistory, 'signatures'>,
  { secret, ...check }: SignatureCheck & { secret: string },
): AccountHistory['signatures'] {
  const names = new Set(idTokens.flatMap((token) => nameOf(token) ?? []));
  const all = { ...signatures, [idOf('id token', secret)]: check };
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name)));
}

/** Returns the tokens of an account as a window shows them, with what is known of their signatures. */
export function tokenList(cache: TokenCache, id: AccountId): TokenItem[] {
  const account = findAccount(cache, id);
  const { signatures } = historyOf(cache, id);
  const tokens = identify(account);
  return tokenItems(account).map((item, index) => {
    const token = tokens[index]?.token;
    const name = item.type === 'IdToken' && token !== undefined ? nameOf(token) : undefined;
    const known = name !== undefined && Object.hasOwn(signatures, name) ? signatures[name] : undefined;
    return known === undefined ? item : { ...item, signature: known };
  });
}

/** Identifies a token by its bytes: a changed token counts as another one. undefined if its seal is damaged. */
function nameOf(token: { readonly secret: string }): string | undefined {
  try {
    return idOf('id token', token.secret);
  } catch {
    return undefined;
  }
}
