/**
 * Finds users of several issuers on one host. MSAL libraries identify a user by host and subject (OpenID Connect Core §2 says: by issuer
 * and subject), so they treat the users as one account and store their tokens under the same keys.
 */
import { usableBy } from '../cache/document/convert.ts';
import type { Entry } from '../cache/entry.ts';
import type { EntityType } from '../cache/schema/entities.ts';
import { canonicalEnvironment, canonicalIssuer, issuerIn } from '../cache/schema/authorities.ts';
import type { Store } from '../cache/store.ts';
import { cacheOf, storeOf } from '../cache/token-cache.ts';
import { type Cause, type Diagnosis, diagnosis } from './finding.ts';

/** Returns account entries that name different issuers on one host, one group per host. */
export function issuerCollisions(store: Store, home: string): Entry<EntityType>[][] {
  const hosts = new Map<string, Entry<EntityType>[]>();
  for (const entry of store.candidates('Account', { home_account_id: home })) {
    if (entry.entity === null || issuerIn(entry.entity) === '') continue;
    const host = canonicalEnvironment(entry.entity.environment);
    hosts.set(host, [...(hosts.get(host) ?? []), entry]);
  }
  return [...hosts.values()].filter((entries) => issuersOf(entries).size > 1);
}

const issuersOf = (entries: readonly Entry<EntityType>[]): Set<string> =>
  new Set(entries.map(({ entity }) => canonicalIssuer(issuerIn(entity))));

/** Reports issuer collisions. They have no repair, since every entry belongs to a user. */
export function collisions(store: Store, home: string): Diagnosis[] {
  if (home === '') return [];
  return issuerCollisions(store, home).map((accounts) => {
    const causes: Cause[] = [
      { library: 'MSAL Python', says: seen(store, home, 'msal-python') },
      { library: 'MSAL Node', says: seen(store, home, 'msal-node') },
    ];
    const says =
      'Several issuers on one host use this user ID. Tokenkeep keeps their users apart; MSAL libraries treat them as one user.';
    return diagnosis('issuer-collision', says, causes, accounts, []);
  });
}

/** Describes which issuers a library lists and uses: the newest of the entries that share a key. */
function seen(store: Store, home: string, dialect: 'msal-python' | 'msal-node'): string {
  const entries = storeOf(cacheOf(store.ofAccount(home), { now: store.now }));
  const issuers = (type: EntityType): string[] => [
    ...new Set([...(usableBy(dialect, entries).get(type)?.values() ?? [])].map(issuerIn).filter(Boolean)),
  ];
  const [listed, used] = [issuers('Account'), issuers('RefreshToken')];
  return `It lists the user of ${listed.join(' and ')} and gets new tokens from ${used.join(' and ') || 'none of them'}.`;
}
