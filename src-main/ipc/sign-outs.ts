/** Signing out, and what it would remove: counted by the same rule that removes. */
import { ENTITY_TYPES, type SignOutReceipt } from '../cache/schema/entities.ts';
import { appRemovalCount, removalCount } from '../cache/token-cache.ts';
import type { RemovalCount } from '../cache/sign-out.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import { type Holding, holdingsOf } from './holdings.ts';
import type { ServedVault } from './served-vault.ts';

/** Of one account, or with null of all accounts and apps. */
export function removalCountOf(cache: TokenCache, holding: Holding | null): RemovalCount {
  if (holding !== null) return countOf(cache, holding);
  const all = [...homesIn(cache)].map((home) => removalCount(cache, home));
  return sum([...all, appRemovalCount(cache)]);
}

function countOf(cache: TokenCache, holding: Holding): RemovalCount {
  return holding.home_account_id === null
    ? appRemovalCount(cache, appOf(holding))
    : removalCount(cache, holding.home_account_id, filterFor(cache, holding));
}

/** Also destroys the key under which the file was written until now, so that older copies tell nothing either. */
export async function signOut(vault: ServedVault, holding: Holding): Promise<SignOutReceipt> {
  const remove = (cache: TokenCache): [SignOutReceipt] => [
    holding.home_account_id === null
      ? cache.removeAppTokens(appOf(holding))
      : cache.signOut(holding.home_account_id, filterFor(cache, holding)),
  ];
  return (await erase(vault, remove))[0];
}

/** Everyone and everything, in one write however many there are. */
export async function signOutAll(vault: ServedVault): Promise<SignOutReceipt[]> {
  return erase(vault, (cache) => {
    const users = [...homesIn(cache)].map((home) => ({ home, removed: removalCount(cache, home) }));
    const apps = cache.removeAppTokens();
    // A sign-out ends with a look at all that is left, which for ten thousand accounts in turn would take minutes. So
    // what is understood goes first, and the sign-outs find what else there is, and count, in next to nothing.
    for (const type of ['AccessToken', 'RefreshToken', 'IdToken', 'Account'] as const) {
      for (const entity of cache.find(type)) cache.modify(type, entity, null);
    }
    const receipts = users.map(({ home, removed }) => ({ ...cache.signOut(home), removed }));
    return apps.removed.AccessToken > 0 ? [...receipts, apps] : receipts;
  });
}

async function erase<Receipts extends SignOutReceipt[]>(
  vault: ServedVault,
  remove: (cache: TokenCache) => Receipts,
): Promise<Receipts> {
  // Without a file there is no copy to close and no key to destroy; it is all in memory, and goes from there.
  if (vault.status.state !== 'ready' && vault.status.bytes === null) return vault.update(remove);
  const { value, oldKey } = await vault.erase(remove);
  if (oldKey !== undefined) for (const receipt of value) receipt.oldKey = oldKey;
  return value;
}

/**
 * Nothing, so that all goes that names the account; only where another provider has a user of the same id, the one
 * environment that is meant.
 */
function filterFor(
  cache: TokenCache,
  { id, home_account_id, environment }: Holding,
): { environment?: string } {
  for (const other of holdingsOf(cache).byId.values()) {
    if (other.id !== id && sameHome(other.home_account_id, home_account_id)) return { environment };
  }
  return {};
}

const sameHome = (a: string | null, b: string | null): boolean =>
  a !== null && b !== null && a.toLowerCase() === b.toLowerCase();

/** Every account that anything in the cache belongs to, also what is not understood. */
function homesIn(cache: TokenCache): Set<string> {
  return new Set(storeOf(cache).accounts);
}

/** An app is one line for each client, tenant and cloud, so all its tokens agree in these. */
function appOf({ accessTokens: [token] }: Holding): {
  client_id: string;
  realm: string;
  environment: string;
} {
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
