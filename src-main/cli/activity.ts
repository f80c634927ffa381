/** Records what the command did under Activity, in the same form as the desktop app. */
import type { AccountSummary } from '../cache/schema/entities.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { noteActivity } from '../ipc/activity.ts';
import { type CachedAccount, cachedAccounts } from '../ipc/cached-accounts.ts';
import type { Activity } from '../ipc/contract.ts';
import type { Vault } from '../vault/api.ts';
import { identityOf } from './people.ts';
import type { World } from './world.ts';

/** Returns an account of a cache as Activity names it; [] if the cache does not have it. */
export function namedIn(cache: TokenCache, account: AccountSummary): CachedAccount[] {
  const wanted = identityOf(account);
  for (const one of cachedAccounts(cache).byId.values()) {
    const { home_account_id, environment, issuer } = one;
    if (home_account_id === null) continue;
    const own = identityOf({ home_account_id, environment, ...(issuer === '' ? {} : { issuer }) });
    if (own === wanted) return [one];
  }
  return [];
}

/** Records an event if there is a vault that can be written. A look at the caches of other programs makes none. */
export async function note(
  vault: Vault,
  world: World,
  accounts: readonly CachedAccount[],
  activity: Activity,
): Promise<void> {
  await noteActivity(vault, Math.floor(world.now()), accounts, activity);
}
