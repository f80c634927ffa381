import type { Grant } from '../../src-main/oauth/index.ts';
import { jwt } from '../cache/events.ts';

export const ISSUER = 'https://id.example/realms/main';
export const AT = { issuer: ISSUER, client_id: 'my-app' };

/** A grant with every field that a grant may have. */
export const FULL: Grant = {
  tokens: {
    access_token: 'at-secret-1',
    refresh_token: 'rt-secret-1',
    id_token: jwt({ iss: ISSUER, sub: 'ada', preferred_username: 'ada@id.example', name: 'Ada' }),
    token_type: 'DPoP',
    expires_in: 300,
    scope: 'files.read files.write',
    team: { id: 'T1', enterprise: null },
  },
  keys: { dpop: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'key-secret' } },
  client: { client_id: 'dyn-1', client_secret: 'client-secret', registration_access_token: 'reg-secret' },
  discovery: { issuer: ISSUER, token_endpoint: `${ISSUER}/token` },
  pending: { code_verifier: 'verifier-secret' },
  data: { list: [1, 'two', { three: null }] },
};
