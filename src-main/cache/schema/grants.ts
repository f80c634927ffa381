/**
 * Grants of OAuth libraries other than MSAL, as stored in a cache document: under a separate root, which MSAL libraries ignore. Fields that
 * lists show are stored in plain form; everything else is JSON text in `secret`. See `tokenkeep/oauth`.
 */
import type { CredentialType, Entity, EntityType, Seconds } from './entities.ts';

/** The root of the grants in a cache document. */
export const GRANT = 'TokenkeepGrant';

/** The name of a root whose items are stored under keys. */
export type Section = EntityType | typeof GRANT;

/** One grant in a document: fields for lists, and the rest as one secret. */
export interface GrantItem extends Entity {
  /** The account: the subject, or `label:` and the label if the provider names no subject. */
  readonly home_account_id: string;
  /** Host of the issuer. */
  readonly environment: string;
  /** The issuer. Absent if it is not part of the user's identity: Microsoft's clouds, B2C and AD FS. */
  readonly issuer?: string | null;
  /** The issuer as the caller named it. */
  readonly authority: string;
  /** The client that the grant is filed under. */
  readonly client_id: string;
  /** The name under which the caller finds it. */
  readonly label: string;
  readonly username?: string | null;
  readonly name?: string | null;
  /** The granted scopes, space-separated. */
  readonly target?: string | null;
  /** When the access token expires; absent if unknown. */
  readonly expires_on?: Seconds | null;
  /** When it was cached. */
  readonly cached_at?: Seconds | null;
  /** Its contents: `access_token`, `refresh_token`, `id_token`, `client`, `keys`, …, space-separated. */
  readonly holds: string;
  /** The time at which the provider refused the refresh token permanently. */
  readonly refused_at?: Seconds | null;
  /** The grant as JSON text. A vault encrypts it separately and decrypts it when it is read. */
  readonly secret: string;
}

const HELD: Readonly<Record<CredentialType, string>> = {
  AccessToken: 'access_token',
  RefreshToken: 'refresh_token',
  IdToken: 'id_token',
};

/** Returns the tokens that a grant holds, as fields of the schema. Their secrets are part of the grant's secret. */
export function grantFields(item: GrantItem): [type: CredentialType, fields: Entity][] {
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
  const types = (Object.keys(HELD) as CredentialType[]).filter((type) => holds.has(HELD[type]));
  return types.map((type) => [
    type,
    type === 'AccessToken' ? { ...common, expires_on: item.expires_on ?? '0', ...unknown } : common,
  ]);
}
