import { expect, it } from 'vitest';
import { lookup } from '../../src-main/cache/acquire.ts';
import { TokenCache } from '../../src-main/cache/token-cache.ts';
import { cachedResult } from '../../src-main/msal/cached-result.ts';

const NOW = 1_800_000_000;
const b64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function resultOf(response: Record<string, unknown>, now = NOW) {
  let time = NOW;
  const cache = new TokenCache({ now: () => time });
  cache.add({
    client_id: 'app',
    scope: ['read'],
    token_endpoint: 'https://login.microsoftonline.com/tenant/oauth2/v2.0/token',
    response: {
      token_type: 'Bearer',
      access_token: 'opaque',
      client_info: b64({ uid: 'ada', utid: 'tenant' }),
      id_token: `${b64({ alg: 'none' })}.${b64({ sub: 'ada', oid: 'ada', tid: 'tenant', iss: 'https://login.microsoftonline.com/tenant/v2.0' })}.x`,
      ...response,
    },
  });
  time = now;
  const request = {
    client_id: 'app',
    home_account_id: 'ada.tenant',
    environment: 'login.microsoftonline.com',
    realm: 'tenant',
    scopes: ['read'],
  };
  const { accessToken } = lookup(cache, request, now);
  return accessToken === undefined ? undefined : cachedResult(cache, accessToken, {}, 'correlation');
}

it('returns when a token expires', () => {
  expect(resultOf({ expires_in: 3600, ext_expires_in: 7200 })).toMatchObject({
    expiresOn: new Date((NOW + 3600) * 1000),
    extExpiresOn: new Date((NOW + 7200) * 1000),
  });
});

it('returns no expiry if the provider gave none, also after MSAL’s 600 seconds', () => {
  const result = resultOf({}, NOW + 86_400);
  expect(result).toMatchObject({ accessToken: 'opaque', expiresOn: null });
  expect(result).not.toHaveProperty('extExpiresOn');
});
