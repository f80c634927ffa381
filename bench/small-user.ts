/**
 * A typical user of a web app: one app, one API, tokens of a few hundred characters; 3 kB as a document of MSAL Node.
 */
import { app } from './generate.ts';

export const SCOPES = ['orders.read'];

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const letters = (seed: number, length: number): string => {
  let text = '';
  for (let state = seed + 1; text.length < length; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += state.toString(36);
  }
  return text.slice(0, length);
};

const noise = letters(1, 100_000);

/** Returns letters that depend on the seed, at a cost too low to affect a measurement. */
const cheapLetters = (seed: number, length: number): string => {
  const at = (seed * 7919) % (noise.length - length);
  return noise.slice(at, at + length);
};

export interface SmallUser {
  home_account_id: string;
  oid: string;
  username: string;
}

export function smallUser(index: number): SmallUser {
  const oid = `${(index + 1).toString(16).padStart(8, '0')}-7a3d-4f5e-9c2b-${index.toString(16).padStart(12, '0')}`;
  return { oid, home_account_id: `${oid}.${app.tenant}`, username: `p${index}@contoso.example` };
}

/** Returns the token endpoint's response for the user; a different token for each `salt`. */
export function smallResponse(index: number, salt: number): Record<string, string | number> {
  const { oid, username } = smallUser(index);
  const claims = {
    oid,
    sub: oid,
    tid: app.tenant,
    preferred_username: username,
    name: username,
    exp: 4_000_000_000,
  };
  return {
    token_type: 'Bearer',
    scope: SCOPES.join(' '),
    expires_in: 86_399,
    access_token: `${index}.${salt}.${letters(index + salt * 7919, 300)}`,
    refresh_token: `1.${letters(index * 3 + salt, 200)}`,
    client_info: part({ uid: oid, utid: app.tenant }),
    id_token: `${part({ alg: 'RS256' })}.${part(claims)}.${letters(index, 86)}`,
  };
}

/** Returns the document as MSAL Node writes it. */
export function smallDocument(index: number, now: number): string {
  const { home_account_id, oid, username } = smallUser(index);
  const { access_token, refresh_token, id_token, client_info } = smallResponse(index, 0);
  const { client_id, environment, tenant: realm } = app;
  const owner = { home_account_id, environment };
  const key = (...parts: string[]): string =>
    [home_account_id, environment, ...parts].join('-').toLowerCase();
  return JSON.stringify({
    Account: {
      [key(realm)]: {
        ...owner,
        realm,
        local_account_id: oid,
        username,
        name: username,
        authority_type: 'MSSTS',
        client_info,
      },
    },
    IdToken: {
      [key('idtoken', client_id, realm, '', '')]: {
        ...owner,
        credential_type: 'IdToken',
        client_id,
        realm,
        secret: id_token,
      },
    },
    AccessToken: {
      [key('accesstoken', client_id, realm, SCOPES[0]!, '')]: {
        ...owner,
        credential_type: 'AccessToken',
        client_id,
        realm,
        secret: access_token,
        target: SCOPES[0],
        cached_at: String(now - 60),
        expires_on: String(now + 86_000),
        extended_expires_on: String(now + 86_000),
        token_type: 'Bearer',
      },
    },
    RefreshToken: {
      [key('refreshtoken', client_id, '', '', '')]: {
        ...owner,
        credential_type: 'RefreshToken',
        client_id,
        secret: refresh_token,
      },
    },
    AppMetadata: {},
  });
}

/** Returns a token endpoint's response with tokens as long as those of Microsoft Entra ID. */
export function realisticResponse(index: number, salt: number): Record<string, string | number> {
  const { oid, username } = smallUser(index);
  const claims = { oid, sub: oid, tid: app.tenant, preferred_username: username, name: username, exp: 4e9 };
  return {
    token_type: 'Bearer',
    scope: 'User.Read',
    expires_in: 86_399,
    access_token: `AT ${index} ${salt} ${cheapLetters(index + salt, 1400)}`,
    refresh_token: `RT ${index} ${cheapLetters(index + salt * 3, 900)}`,
    client_info: part({ uid: oid, utid: app.tenant }),
    id_token: `${part({ alg: 'RS256' })}.${part(claims)}.${cheapLetters(index, 342)}`,
  };
}
