/**
 * Extension components restrict an access token to a special purpose, such as one agent (`fmi_path`). It matches only
 * requests with the same components, and its key ends with their hash.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import type { Entity } from './entities.ts';
import { isRecord } from '../json.ts';

/** Parameters of a token request that do not restrict the token, or that have their own field. */
const NO_COMPONENTS: ReadonlySet<string> = new Set([
  ...['grant_type', 'code', 'redirect_uri', 'client_id', 'client_secret', 'code_verifier', 'refresh_token'], // RFC 6749, 7636
  ...['scope', 'username', 'password', 'state', 'response_type', 'response_mode', 'device_code'], // RFC 6749, 8628
  ...['assertion', 'client_assertion', 'client_assertion_type'], // RFC 7521
  ...['resource', 'audience', 'requested_token_type', 'subject_token', 'subject_token_type'], // RFC 8707, 8693
  ...['actor_token', 'actor_token_type'], // RFC 8693
  ...['nonce', 'claims', 'prompt', 'login_hint', 'domain_hint', 'id_token_hint'], // OpenID Connect Core §3.1.2.1
  ...['client_info', 'requested_token_use', 'on_behalf_of', 'token_type', 'req_cnf', 'key_id'], // MSAL
  ...['user_assertion_hash', 'userAssertionHash', 'requested_claims_hash', 'requestedClaimsHash'],
]);

/** Returns the extension components of a token request; undefined if there are none. */
export function componentsOf(
  data: Readonly<Record<string, unknown>> | undefined,
): Record<string, string> | undefined {
  const components = Object.entries(data ?? {}).filter(
    (pair): pair is [string, string] =>
      typeof pair[1] === 'string' &&
      pair[1] !== '' &&
      !NO_COMPONENTS.has(pair[0]) &&
      !pair[0].startsWith('x-'),
  );
  return components.length > 0 ? Object.fromEntries(components) : undefined;
}

/**
 * Returns the SHA-256 of the components, sorted by name, each encoded as `length:name` `length:value` with lengths in
 * bytes, so that the encoding is unambiguous. Lower-case base64url, as all MSAL libraries use it in keys.
 */
export function hashComponents(components: Readonly<Record<string, string>>): string {
  const utf8 = new TextEncoder();
  const measured = (text: string): string => `${utf8.encode(text).length}:${text}`;
  const written = Object.entries(components)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => measured(name) + measured(value))
    .join('');
  return hashText(written);
}

/**
 * Returns the hash at the end of MSAL Node's keys. MSAL Node looks tokens up by the hash above, but stores them under the
 * hash of the components' JSON (`saveAccessToken` in msal-common 16.16, confirmed by documents it wrote). Under any other
 * key, it would store a second token instead of replacing this one.
 */
export function hashComponentsForNode(components: Readonly<Record<string, string>>): string {
  return hashText(JSON.stringify(components));
}

/** SHA-256 as base64url, as MSAL Node hashes assertions. */
export function sha256Base64url(text: string): string {
  const digest = String.fromCharCode(...sha256(new TextEncoder().encode(text)));
  return btoa(digest).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** SHA-256 as lower-cased base64url. */
export function hashText(text: string): string {
  return sha256Base64url(text).toLowerCase();
}

/** The field in which MSAL Node and MSAL.NET store the components. MSAL Python stores only the hash. */
const COMPONENT_FIELDS = ['additionalCacheKeyComponents', 'ext'] as const;

/** Returns the components of an access token; undefined if it has none, or only their hash. */
export function componentsIn(token: Entity): Record<string, string> | undefined {
  for (const field of COMPONENT_FIELDS) {
    const value = token[field];
    if (!isRecord(value)) continue;
    const pairs = Object.entries(value).filter(
      (pair): pair is [string, string] => typeof pair[1] === 'string',
    );
    if (pairs.length > 0) return Object.fromEntries(pairs);
  }
  return undefined;
}

/** Returns the hash of an access token's components; "" if it has none. */
export function extensionOf(token: Entity): string {
  const hash = token['ext_cache_key'];
  if (typeof hash === 'string' && hash !== '') return hash.toLowerCase();
  const components = componentsIn(token);
  return components === undefined ? '' : hashComponents(components);
}
