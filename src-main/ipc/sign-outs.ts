/** Signing out, and what it would remove: counted by the same rule that removes. */
import { ENTITY_TYPES, type SignOutReceipt } from '../cache/entities.ts';
import { accountOf, recordsOf } from '../cache/records.ts';
import { appRemovalCount, type RemovalCount, removalCount } from '../cache/sign-out.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import type { Vault } from '../vault/vault.ts';
import type { Holding } from './holdings.ts';

/** Of one account, or with null of all accounts and apps. */
export function removalCountOf(cache: TokenCache, holding: Holding | null): RemovalCount {
  if (holding !== null) return countOf(cache, holding);
  const all = [...homesIn(cache)].map((home) => removalCount(cache, home));
  return sum([...all, appRemovalCount(cache)]);
}

function countOf(cache: TokenCache, holding: Holding): RemovalCount {
  return holding.home_account_id === null
    ? appRemovalCount(cache, appOf(holding))
    : removalCount(cache, holding.home_account_id);
}

/** A user's through the vault, which destroys the old key as well; an app's own tokens are merely removed. */
export function signOut(vault: Vault, holding: Holding): Promise<SignOutReceipt> {
  return holding.home_account_id === null
    ? vault.update((cache) => cache.removeAppTokens(appOf(holding)))
    : vault.signOut(holding.home_account_id);
}

/**
 * Everyone and everything, in two writes however many there are: all but one account first, then that one by the
 * vault, so that the key under which they all were is destroyed.
 */
export async function signOutAll(vault: Vault): Promise<SignOutReceipt[]> {
  const last = await vault.read((cache) => homesIn(cache).values().next().value);
  const receipts = await vault.update((cache) => {
    const others = [...homesIn(cache)].filter((home) => home !== last);
    const apps = cache.removeAppTokens();
    const removed = others.map((home) => cache.signOut(home));
    return apps.removed.AccessToken > 0 ? [...removed, apps] : removed;
  });
  if (last === undefined) return receipts;
  const receipt = await vault.signOut(last);
  const { oldKey } = receipt;
  return [receipt, ...receipts.map((other) => (oldKey === undefined ? other : { ...other, oldKey }))];
}

/** Every account that anything in the cache belongs to, also what is not understood. */
function homesIn(cache: TokenCache): Set<string> {
  const homes = new Set<string>();
  for (const record of recordsOf(cache)) {
    const home = accountOf(record);
    if (home !== null) homes.add(home);
  }
  return homes;
}

/** An app is one line for each client, tenant and cloud, so all its tokens agree in these. */
function appOf({ accessTokens: [token] }: Holding): { client_id: string; realm: string; environment: string } {
  return {
    client_id: token?.client_id ?? '',
    realm: token?.realm ?? '',
    environment: token?.environment ?? '',
  };
}

function sum(counts: readonly RemovalCount[]): RemovalCount {
  const total: RemovalCount = { AccessToken: 0, RefreshToken: 0, IdToken: 0, Account: 0, AppMetadata: 0 };
  for (const count of counts) for (const type of ENTITY_TYPES) total[type] += count[type];
  return total;
}
