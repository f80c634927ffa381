/**
 * Ids, secrets and tokens that look like the real ones and are visibly not: everything is drawn from SHA-256 over a
 * name, so the same name gives the same value on every machine and at every run. No signature verifies.
 */
import { createHash } from 'node:crypto';

/** `length` base64url characters that depend on `name` only. */
export function letters(name, length) {
  let text = '';
  for (let block = 0; text.length < length; block++) {
    text += createHash('sha256').update(`${name}#${block}`).digest('base64url');
  }
  return text.slice(0, length);
}

/** A version 4 UUID that depends on `name` only. */
export function guid(name) {
  const hex = createHash('sha256').update(name).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

/** base64url of the JSON of a value: a part of a JWT, or a `client_info`. */
export function part(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** A signed-looking JWT (RFC 7519). The 256 bytes at its end have the length of an RS256 signature and sign nothing. */
export function jwt(claims) {
  const header = { typ: 'JWT', alg: 'RS256', kid: 'synthetic-signing-key' };
  return `${part(header)}.${part(claims)}.${letters(`signature of ${part(claims)}`, 342)}`;
}

/** A refresh token as Entra ID makes them: opaque to the client, a version in front. */
export function refreshToken(name) {
  return `1.ASYNTHETIC${letters(`rt ${name}`, 60)}.${letters(`rt body ${name}`, 420)}`;
}

/** An access token that is not a JWT, as personal accounts get. */
export function opaqueToken(name) {
  return `EwBSYNTHETIC${letters(`opaque ${name}`, 640)}==`;
}
