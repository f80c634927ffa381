/** The tokens in grants as entities of the schema, for lists that show MSAL's tokens and others side by side. */
import type { AccessToken, EntityOf, IdToken, RefreshToken } from '../cache/schema/entities.ts';
import { GRANT, grantFields, type GrantItem } from '../cache/schema/grants.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import { storedIn } from './grant.ts';

/** The tokens of one grant or of several. */
export interface GrantTokens {
  readonly accessTokens: readonly AccessToken[];
  readonly refreshTokens: readonly RefreshToken[];
  readonly idTokens: readonly IdToken[];
}

const known = new WeakMap<GrantItem, GrantTokens>();

/**
 * Returns the tokens of a grant. They are no entities of the cache: nothing finds or changes them there. A secret is opened when it is
 * read. Keys, registrations and everything else in a grant are left out.
 */
export function tokensOfGrant(item: GrantItem): GrantTokens {
  const tokens = known.get(item) ?? tokensIn(item);
  known.set(item, tokens);
  return tokens;
}

/** Returns each grant with its tokens. */
export function tokensOfGrants(cache: TokenCache): (readonly [GrantItem, GrantTokens])[] {
  return [...storeOf(cache).entries(GRANT)].flatMap(({ entity }) => {
    if (entity === null) return [];
    const item = entity as GrantItem;
    return [[item, tokensOfGrant(item)] as const];
  });
}

function tokensIn(item: GrantItem): GrantTokens {
  const fields = new Map(grantFields(item));
  const [access, refresh, id] = [
    fields.get('AccessToken'),
    fields.get('RefreshToken'),
    fields.get('IdToken'),
  ];
  return {
    accessTokens: access === undefined ? [] : [tokenOf(item, 'access_token', access)],
    refreshTokens:
      refresh === undefined ? [] : [tokenOf(item, 'refresh_token', { ...refresh, ...refusalOf(item) })],
    idTokens: id === undefined ? [] : [tokenOf(item, 'id_token', id)],
  };
}

/** Returns a refusal in the form that the schema has for refresh tokens. */
function refusalOf(item: GrantItem): object {
  if ((item.refused_at ?? null) === null) return {};
  try {
    const refused = storedIn(item)?.refused;
    if (refused === undefined) return {};
    const { hash: secret, at } = refused;
    return { refusals: [{ client_id: item.client_id, secret, at }] };
  } catch {
    return {}; // The seal is damaged, which the vault reports by itself.
  }
}

const TYPES = { access_token: 'AccessToken', refresh_token: 'RefreshToken', id_token: 'IdToken' } as const;

function tokenOf<Name extends keyof typeof TYPES>(
  item: GrantItem,
  name: Name,
  fields: object,
): EntityOf[(typeof TYPES)[Name]] {
  const token = Object.defineProperty({ credential_type: TYPES[name], ...fields }, 'secret', {
    get: () => storedIn(item)?.grant.tokens?.[name] ?? '',
    enumerable: false, // [Note: secrets are hidden]
  });
  return Object.freeze(token) as unknown as EntityOf[(typeof TYPES)[Name]];
}
