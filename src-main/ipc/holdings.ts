/**
 * A cache as people think of it: for every user and every app, what is kept of it. One user under several aliases of
 * a cloud, in several tenants and by several apps is one; an app's own tokens are one per client, tenant and cloud.
 */
import type { AccessToken, AccountSummary, IdToken, RefreshToken } from '../cache/entities.ts';
import { canonicalEnvironment } from '../cache/environments.ts';
import { recordsOf } from '../cache/records.ts';
import { isUnderstood } from '../cache/shapes.ts';
import { isEntityType } from '../cache/store.ts';
import type { TokenCache } from '../cache/token-cache.ts';
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
  const byPlace = new Map<string, Holding>();
  for (const summary of cache.accounts()) {
    const { home_account_id, environment } = summary;
    byPlace.set(userPlace(home_account_id, environment), {
      ...empty('user', home_account_id, environment),
      id: idOf('user', home_account_id.toLowerCase(), canonicalEnvironment(environment)),
      summary,
    });
  }
  for (const token of cache.find('AccessToken')) holdingFor(byPlace, token).accessTokens.push(token);
  for (const token of cache.find('RefreshToken')) holdingFor(byPlace, token).refreshTokens.push(token);
  for (const token of cache.find('IdToken')) holdingFor(byPlace, token).idTokens.push(token);
  return {
    byId: new Map([...byPlace.values()].map((holding) => [holding.id, holding])),
    notUnderstood: notUnderstoodIn(cache),
  };
}

function holdingFor(byPlace: Map<string, Holding>, token: Token): Holding {
  const { environment, client_id } = token;
  const home = token.home_account_id ?? '';
  const realm = 'realm' in token ? String(token.realm) : '';
  const place = home === '' ? appPlace(client_id, realm, environment) : userPlace(home, environment);
  const there = byPlace.get(place);
  if (there !== undefined) return there;
  const cloud = canonicalEnvironment(environment);
  const fresh: Holding =
    home === ''
      ? {
          ...empty('app', null, environment),
          id: idOf('app', client_id.toLowerCase(), realm.toLowerCase(), cloud),
        }
      : { ...empty('orphan', home, environment), id: idOf('user', home.toLowerCase(), cloud) };
  byPlace.set(place, fresh);
  return fresh;
}

function empty(kind: Holding['kind'], home_account_id: string | null, environment: string): Holding {
  return {
    id: '',
    kind,
    home_account_id,
    environment,
    summary: null,
    accessTokens: [],
    refreshTokens: [],
    idTokens: [],
  };
}

function notUnderstoodIn(cache: TokenCache): number {
  let count = 0;
  for (const { section, key, value } of recordsOf(cache)) {
    if (key === null || !isEntityType(section) || !isUnderstood(section, value)) count += 1;
  }
  return count;
}

const userPlace = (home: string, environment: string): string =>
  `user\n${home.toLowerCase()}\n${canonicalEnvironment(environment)}`;

const appPlace = (client: string, realm: string, environment: string): string =>
  `app\n${client.toLowerCase()}\n${realm.toLowerCase()}\n${canonicalEnvironment(environment)}`;
