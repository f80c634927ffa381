/** Token responses for tests. */
import { Entry } from '../../src-main/cache/entry.ts';
import type { Entity } from '../../src-main/cache/schema/entities.ts';
import type { TokenResponseEvent } from '../../src-main/cache/response.ts';
import { cacheOf, storeOf, type TokenCache } from '../../src-main/cache/token-cache.ts';

export function base64url(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/** An unsigned JWT with these claims. */
export function jwt(claims: object): string {
  return `${base64url({ alg: 'none', typ: 'JWT' })}.${base64url(claims)}.`;
}

export interface Person {
  uid?: string;
  utid?: string;
  claims?: object;
}

export const PERSON: Required<Person> = {
  uid: 'uid',
  utid: 'utid',
  claims: {
    oid: 'object1234',
    sub: 'subject',
    preferred_username: 'john.doe@contoso.example',
    name: 'John Doe',
  },
};

/** The response and endpoint of the conformance cases: `login.example.com`, tenant `contoso`. */
export function signIn(
  response: Record<string, unknown> = {},
  event: Partial<TokenResponseEvent> = {},
  { uid = PERSON.uid, utid = PERSON.utid, claims = PERSON.claims }: Person = {},
): TokenResponseEvent {
  return {
    client_id: 'my_client_id',
    scope: ['s2', 's1', 's3'],
    token_endpoint: 'https://login.example.com/contoso/v2/token',
    ...event,
    response: {
      access_token: 'an access token',
      refresh_token: 'a refresh token',
      id_token: jwt(claims),
      client_info: base64url({ uid, utid }),
      token_type: 'Bearer',
      expires_in: 3600,
      ...response,
    },
  };
}

/** Returns a copy of an entity with its secret, which a spread leaves out. */
export function withSecret<E extends Entity>(entity: E): E {
  return { ...entity, secret: entity['secret'] };
}

/** Returns an entry in a form to compare. */
export interface Item {
  readonly section: string;
  readonly key: string | null;
  readonly value: unknown;
}

/** Returns all entries of a cache in a form to compare. */
export function itemsIn(cache: TokenCache): Item[] {
  return storeOf(cache)
    .all()
    .map(({ section, key, value }) => ({ section, key, value }));
}

/** Returns a cache with these entries. */
export function cacheWithItems(items: readonly Item[], options?: Parameters<typeof cacheOf>[1]): TokenCache {
  return cacheOf(
    items.map(({ section, key, value }) => Entry.of(section, key, value)),
    options,
  );
}
