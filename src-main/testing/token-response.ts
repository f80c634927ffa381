import type { TokenResponseEvent } from '../cache/response.ts';
import { isMicrosoft } from '../cache/schema/authorities.ts';
import { AMOUNT, checkOptions, LIST_OF_TEXTS, NAME, TEXT, TEXT_OR_NULL } from '../options.ts';

/**
 * Whose token response it is, and what is in it.
 *
 * @example
 * import type { TokenResponseOptions } from 'tokenkeep/testing';
 *
 * const options: TokenResponseOptions = { username: 'noor@example.org', expires_in: 60, refresh_token: null };
 */
export interface TokenResponseOptions {
  /** Default: "ada@example.org". Two names are two users. */
  username?: string;
  /** The user's full name. Default: the first part of the user name. */
  name?: string;
  /**
   * Default: "https://id.example". For a tenant of Entra ID, such as `https://login.microsoftonline.com/<tenant>/v2.0`, the response has
   * Entra's form.
   */
  issuer?: string;
  /** Default: "test-app". */
  client_id?: string;
  /** The scopes asked for and granted. Default: "files.read". */
  scope?: readonly string[];
  /** Seconds. Default: 3,600. */
  expires_in?: number;
  /** Default: one that names the user and differs from call to call. */
  access_token?: string;
  /** null: none. Default: one that names the user and differs from call to call. */
  refresh_token?: string | null;
}

const ADDRESS = {
  is: (value: unknown): boolean => NAME.is(value) && URL.canParse(String(value)),
  what: 'a URL as text',
};

let count = 0;

/**
 * Returns the response of a token endpoint to a made-up user's sign-in, as `cache.add` takes it. Its ID token is not signed.
 *
 * @example
 * import { TokenCache } from 'tokenkeep';
 * import { tokenResponse } from 'tokenkeep/testing';
 *
 * const cache = new TokenCache();
 * cache.add(tokenResponse({ username: 'noor@example.org', scope: ['mail.read'] }));
 */
export function tokenResponse(options: TokenResponseOptions = {}): TokenResponseEvent {
  const {
    username = 'ada@example.org',
    issuer = 'https://id.example',
    client_id = 'test-app',
    scope = ['files.read'],
    expires_in = 3600,
    access_token = `access token ${(count += 1)} of ${username}`,
    refresh_token = `refresh token ${(count += 1)} of ${username}`,
    ...others
  } = checkOptions('tokenResponse', options, {
    username: NAME,
    name: TEXT,
    issuer: ADDRESS,
    client_id: NAME,
    scope: LIST_OF_TEXTS,
    expires_in: AMOUNT,
    access_token: NAME,
    refresh_token: TEXT_OR_NULL,
  });
  const { name = username.replace(/@.*/, '') } = others;
  const { host, origin, pathname } = new URL(issuer);
  const ofEntra = isMicrosoft(host);
  const tenant = pathname.split('/')[1] ?? '';
  const sub = username.toLowerCase();
  const claims = {
    ...{ iss: issuer, sub, aud: client_id, preferred_username: username, name },
    ...(ofEntra ? { oid: sub, tid: tenant, ver: '2.0' } : {}),
  };
  return {
    client_id,
    scope: [...scope],
    token_endpoint: ofEntra ? `${origin}/${tenant}/oauth2/v2.0/token` : `${issuer.replace(/\/$/, '')}/token`,
    grant_type: 'authorization_code',
    response: {
      token_type: 'Bearer',
      access_token,
      expires_in,
      scope: scope.join(' '),
      id_token: `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(claims)}.`,
      ...(refresh_token === null ? {} : { refresh_token }),
      ...(ofEntra ? { client_info: encoded({ uid: sub, utid: tenant }) } : {}),
    },
  };
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
