/**
 * A cache as people think of it: for every user and every app, what is kept of it. One user under several aliases of
 * a cloud, in several tenants and by several apps is one; an app's own tokens are one per client, tenant and cloud.
 */
import type { AccessToken, AccountSummary, IdToken, RefreshToken } from '../cache/schema/entities.ts';
import { canonicalEnvironment } from '../cache/schema/environments.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import type { AccountItem } from './contract.ts';
import { type AccountId, idOf } from './ids.ts';

export interface Holding {
  readonly id: AccountId;
  readonly kind: AccountItem['kind'];
  /** null for an app. */
  readonly home_account_id: string | null;
  /** As the first of its entities has it. */
  readonly environment: string;
  /** Only for a user whose account is in the cache. */
  readonly summary: AccountSummary | null;
  readonly accessTokens: AccessToken[];
  readonly refreshTokens: RefreshToken[];
  readonly idTokens: IdToken[];
}

export type Token = AccessToken | RefreshToken | IdToken;

export interface Holdings {
  readonly byId: ReadonlyMap<AccountId, Holding>;
  /** Entries that are kept as they are because they are not understood. */
  readonly notUnderstood: number;
}

const known = new WeakMap<TokenCache, Holdings>();

/** Users in the cache's order of accounts, then what has no account. Kept until the cache changes. */
export function holdingsOf(cache: TokenCache): Holdings {
  const before = known.get(cache);
  if (before !== undefined) return before;
  const fresh = sort(cache);
  known.set(cache, fresh);
  const end = cache.on('change', () => {
    known.delete(cache);
    end();
  });
  return fresh;
}

function sort(cache: TokenCache): Holdings {
  const places = new Places();
  for (const summary of cache.accounts()) {
    // One without tenants has no account entity: its refresh tokens alone show that it is signed in.
    const listed = summary.tenants.length > 0 ? summary : null;
    places.user(summary.home_account_id, summary.environment, listed);
  }
  for (const token of cache.find('AccessToken')) places.of(token, token.realm ?? '').accessTokens.push(token);
  for (const token of cache.find('RefreshToken')) places.of(token, '').refreshTokens.push(token);
  for (const token of cache.find('IdToken')) places.of(token, token.realm ?? '').idTokens.push(token);
  return {
    byId: new Map(places.holdings.map((holding) => [holding.id, holding])),
    notUnderstood: notUnderstoodIn(cache),
  };
}

/** Where each token goes. By maps and without joined keys: there may be fifty thousand. */
class Places {
  readonly holdings: Holding[] = [];
  readonly #clouds = new Map<
    string,
    { name: string; users: Map<string, Holding>; apps: Map<string, Holding> }
  >();

  user(home_account_id: string, environment: string, summary: AccountSummary | null): Holding {
    const { name, users } = this.#cloud(environment);
    const home = home_account_id.toLowerCase();
    const there = users.get(home);
    if (there !== undefined) return there;
    const id = idOf('user', home, name);
    const fresh = empty(id, summary === null ? 'orphan' : 'user', home_account_id, environment, summary);
    users.set(home, fresh);
    this.holdings.push(fresh);
    return fresh;
  }

  of(token: Token, realm: string): Holding {
    const home = token.home_account_id ?? '';
    if (home !== '') return this.user(home, token.environment, null);
    const { name, apps } = this.#cloud(token.environment);
    const id = idOf('app', token.client_id.toLowerCase(), realm.toLowerCase(), name);
    const there = apps.get(id);
    if (there !== undefined) return there;
    const fresh = empty(id, 'app', null, token.environment, null);
    apps.set(id, fresh);
    this.holdings.push(fresh);
    return fresh;
  }

  #cloud(environment: string): { name: string; users: Map<string, Holding>; apps: Map<string, Holding> } {
    const there = this.#clouds.get(environment);
    if (there !== undefined) return there;
    const name = canonicalEnvironment(environment);
    const cloud = this.#clouds.get(name) ?? { name, users: new Map(), apps: new Map() };
    this.#clouds.set(name, cloud).set(environment, cloud);
    return cloud;
  }
}

function empty(
  id: AccountId,
  kind: Holding['kind'],
  home_account_id: string | null,
  environment: string,
  summary: AccountSummary | null,
): Holding {
  return {
    id,
    kind,
    home_account_id,
    environment,
    summary,
    accessTokens: [],
    refreshTokens: [],
    idTokens: [],
  };
}

function notUnderstoodIn(cache: TokenCache): number {
  const store = storeOf(cache);
  return store.malformed.size + store.keptRoots().length;
}
