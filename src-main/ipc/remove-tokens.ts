/** Removes single tokens of the vault, such as all of one app, without signing the account out. */
import type { TokenCache } from '../cache/token-cache.ts';
import { InvalidArgumentError } from '../errors.ts';
import { tenantOf } from './account-views.ts';
import { activityAccount, activityToken, recordActivity } from './activity.ts';
import type { CachedAccount } from '../accounts/cached-accounts.ts';
import type { Ports } from './ports.ts';
import { removeQuestion } from './questions.ts';
import { erase } from './sign-out.ts';
import { findToken, type IdentifiedToken, realmOf, type TokenId } from './token-views.ts';

/** @returns how many were removed; null if the user declined */
export async function removeTokens<Caller>(
  { vault, now, confirm }: Pick<Ports<Caller>, 'vault' | 'now' | 'confirm'>,
  caller: Caller,
  ids: readonly TokenId[],
): Promise<number | null> {
  const opened = await vault();
  const [found, tenant] = await opened.read(
    (cache) => {
      const all = tokensOf(cache, ids);
      return [
        all,
        all.length === 1 ? tenantOf(cache, all[0][0], realmOf(all[0][1].token)) : undefined,
      ] as const;
    },
    { held: true },
  );
  const [[account, first]] = found;
  const tokens = found.map(([, token]) => token);
  if (!(await confirm(caller, removeQuestion(account, tokens, tenant)))) return null;
  return erase(opened, (cache) => {
    const leaving = tokensOf(cache, ids);
    const { client_id, api, realm } = activityToken(account, first);
    const isOne = leaving.length === 1;
    recordActivity(cache, now(), [activityAccount(account)], {
      kind: 'removal',
      tokens: leaving.length,
      client_id,
      api: isOne ? api : null,
      ...(isOne && realm !== undefined && { realm }),
    });
    for (const [, { type, token }] of leaving) cache.modify(type, token, null);
    return leaving.length;
  });
}

type Found = [CachedAccount, IdentifiedToken];

/** @throws InvalidArgumentError if a token no longer exists, or the vault does not keep it as an entry of its own */
function tokensOf(cache: TokenCache, ids: readonly TokenId[]): [Found, ...Found[]] {
  const [first, ...others] = ids.map((id) => {
    const [account, token] = findToken(cache, id);
    const own: readonly unknown[] = [...account.accessTokens, ...account.refreshTokens, ...account.idTokens];
    if (!own.includes(token.token)) {
      throw new InvalidArgumentError(
        'This token is part of a grant that an app keeps as a whole. Nothing was removed. Sign out to remove it.',
      );
    }
    return [account, token] as Found;
  });
  if (first === undefined) throw new InvalidArgumentError('No token was named. Nothing was removed.');
  return [first, ...others];
}
