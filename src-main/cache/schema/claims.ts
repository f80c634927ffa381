/**
 * Reads tokens without verifying their signature: to display their claims, and to identify the user from an ID token
 * received directly from the token endpoint (OpenID Connect Core §3.1.3.7, item 6). Never authorize anything based on
 * these claims.
 */
import { filled, freezeJson, hasDuplicateNames, isRecord, lostNames } from '../json.ts';

export type Claims = Readonly<Record<string, unknown>>;

export type ReadToken =
  | { readonly format: 'jwt'; readonly header: Claims; readonly payload: Claims } // RFC 7519
  | { readonly format: 'jwe'; readonly header: Claims }; // RFC 7516: the payload is encrypted

const BASE64URL = /^[A-Za-z0-9_-]+$/;
const NOT_ASCII = /[^\0-\x7f]/;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Decodes base64url to UTF-8 text; undefined if it is not base64url or not UTF-8. Accepts padding, as MSAL does. */
export function decodeBase64url(text: string): string | undefined {
  const bare = text.endsWith('=') ? text.replace(/={1,2}$/, '') : text;
  if (!BASE64URL.test(bare) || bare.length % 4 === 1) return undefined;
  const binary = atob(bare.replaceAll('-', '+').replaceAll('_', '/'));
  if (!NOT_ASCII.test(binary)) return binary; // Nearly all payloads are ASCII.
  // A plain loop: a search through ten thousand accounts decodes tens of megabytes, and `from` is ten times slower.
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Decodes a JSON object in base64url, such as `client_info`, and freezes it; undefined for anything else, also for one that names a
 * field twice: other programs may read the other value (RFC 7519 §4).
 */
export function decodeObject(text: string): Claims | undefined {
  const json = decodeBase64url(text);
  if (json === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(json);
    return isRecord(value) && freezeJson(value) && !lostNames(json, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Encodes a JSON object as base64url of UTF-8, such as `client_info`. */
export function encodeObject(value: Claims): string {
  return base64Of(JSON.stringify(value)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Encodes text as base64 of UTF-8. `btoa` alone takes no character above U+00FF. */
export function base64Of(text: string): string {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Decodes a token; undefined if it is opaque. Never throws. */
export function readToken(token: string): ReadToken | undefined {
  const parts = token.split('.', 6);
  const header = decodeObject(parts[0] ?? '');
  if (parts.length === 5) return typeof header?.['enc'] === 'string' ? { format: 'jwe', header } : undefined;
  // MSAL libraries read the payload whatever the header is.
  const payload = parts.length === 3 ? decodeObject(parts[1] ?? '') : undefined;
  return payload && { format: 'jwt', header: header ?? {}, payload };
}

/** Whether the header or the payload of a JWT, or a JSON object in base64url, names a field twice. */
export function isAmbiguous(token: string): boolean {
  return token.split('.', 2).some((part) => hasDuplicateNames(decodeBase64url(part) ?? ''));
}

/** Returns the payload of a JWT (RFC 7519 §4), whatever its header is, as MSAL libraries read it; undefined for another token. */
export function claimsIn(token: string): Claims | undefined {
  const [, payload, signature, ...more] = token.split('.', 4);
  return signature === undefined || more.length > 0 ? undefined : decodeObject(payload ?? '');
}

/** Returns the subject. OpenID Connect requires a string; some providers send a number, which identifies the user as well. */
export function subjectOf(claims: Claims | undefined): string | undefined {
  const value = claims !== undefined && Object.hasOwn(claims, 'sub') ? claims['sub'] : undefined;
  return Number.isSafeInteger(value) ? String(value) : stringClaim(claims, 'sub');
}

/** Returns a string claim; undefined if it is missing, empty or not a string. */
export function stringClaim(claims: Claims | undefined, name: string): string | undefined {
  return claims !== undefined && Object.hasOwn(claims, name) ? filled(claims[name]) : undefined;
}
