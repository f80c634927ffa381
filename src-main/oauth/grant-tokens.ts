/** The tokens in grants as entities of the schema, for lists that show MSAL's tokens and others side by side. */
import type { AccessToken, EntityOf, IdToken, RefreshToken } from '../cache/schema/entities.ts';
import { GRANT, type GrantItem } from '../cache/schema/grants.ts';
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
 * Returns each grant with its tokens. They are no entities of the cache: nothing finds or changes them there. A secret is opened when it is
 * read. Keys, registrations and everything else in a grant are left out.
 */
export function tokensOfGrants(cache: TokenCache): (readonly [GrantItem, GrantTokens])[] {
  return [...storeOf(cache).entries(GRANT)].flatMap(({ entity }) => {
    if (entity === null) return [];
    const item = entity as GrantItem;
    const tokens = known.get(item) ?? tokensIn(item);
    known.set(item, tokens);
    return [[item, tokens] as const];
  });
}

function tokensIn(item: GrantItem): GrantTokens {
  const holds = new Set(item.holds.split(' '));
  const common = {
    home_account_id: item.home_account_id,
    environment: item.environment,
    client_id: item.client_id,
    realm: '',
    ...(item.issuer === undefined ? {} : { issuer: item.issuer }),
    target: item.target ?? '',
    cached_at: item.cached_at ?? null,
  };
  const unknown = item.expires_on === undefined ? { unknown_expiry: '0' } : {};
  return {
    accessTokens: holds.has('access_token')
      ? [tokenOf(item, 'access_token', { ...common, expires_on: item.expires_on ?? '0', ...unknown })]
      : [],
    refreshTokens: holds.has('refresh_token')
      ? [tokenOf(item, 'refresh_token', { ...common, ...refusalOf(item) })]
      : [],
    idTokens: holds.has('id_token') ? [tokenOf(item, 'id_token', common)] : [],
  };
}

/** A refusal in the form that refresh tokens of the schema have it. */
function refusalOf(item: GrantItem): object {
  if ((item.refused_at ?? null) === null) return {};
  try {
    const secret = storedIn(item)?.refused?.hash;
    return secret === undefined ? {} : { refusals: [{ client_id: item.client_id, secret }] };
  } catch {
    return {}; // Its seal is damaged, which the vault's own report says.
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
