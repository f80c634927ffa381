/** The cost of one request of a web app: `acquireToken` returns a fresh token without using MSAL. */
import { ConfidentialClientApplication } from '@azure/msal-node';
import { beforeEach, expect, it } from 'vitest';
import { acquireToken, msalCachePlugin } from '../../src-main/msal/index.ts';
import type { Partition } from '../../src-main/partitions/index.ts';
import { base64url } from '../cache/events.ts';
import { caches, observed } from '../partitions/people.ts';

const TENANT = 'aaaaaaaa-0000-4000-8000-000000000000';
const OTHER = 'bbbbbbbb-0000-4000-8000-000000000000';
const CLIENT = '11111111-2222-3333-4444-555555555555';
const authority = `https://login.microsoftonline.com/${TENANT}`;
const scopes = ['User.Read'];

function answerFor(uid: string, secret: string, tid = TENANT) {
  const claims = {
    oid: uid,
    sub: uid,
    tid,
    iss: `${authority}/v2.0`,
    preferred_username: `${uid}@contoso.example`,
  };
  return {
    ...{ token_type: 'Bearer', expires_in: 3600, scope: 'User.Read', access_token: secret },
    refresh_token: `RT ${uid} ${secret}`,
    client_info: base64url({ uid, utid: TENANT }),
    id_token: `${base64url({ alg: 'none' })}.${base64url(claims)}.s`,
  };
}

let back = observed();
let users = caches({ store: back.store });
let sent = 0;
beforeEach(() => {
  back = observed();
  users = caches({ store: back.store });
  sent = 0;
});

const client = (id: string, handle: Partition = users.partition(id)) =>
  new ConfidentialClientApplication({
    auth: {
      clientId: CLIENT,
      clientSecret: 's',
      authority,
      cloudDiscoveryMetadata: '',
      knownAuthorities: [],
    },
    cache: { cachePlugin: msalCachePlugin(handle) },
    system: {
      loggerOptions: { loggerCallback: () => undefined },
      networkClient: {
        sendGetRequestAsync: () => Promise.reject(new Error('not needed')),
        sendPostRequestAsync: () => {
          sent += 1;
          return Promise.resolve({
            headers: {},
            status: 200,
            body: answerFor('noor', `AT ${sent}`) as never,
          });
        },
      },
    },
  });

const signIn = (id: string, uid: string, secret: string, tid = TENANT) =>
  users.partition(id, { user: 'several' }).update((cache) =>
    cache.add({
      client_id: CLIENT,
      scope: scopes,
      token_endpoint: `https://login.microsoftonline.com/${tid}/oauth2/v2.0/token`,
      response: answerFor(uid, secret, tid),
    }),
  );

it('a fresh token is one read of the store, and no client is made', async () => {
  await signIn('a', 'noor', 'AT fresh');
  back.counts.read = 0;
  const never = (): ConfidentialClientApplication => {
    throw new Error('MSAL is not needed');
  };
  const result = await acquireToken(users.partition('a'), never, CLIENT, { scopes });
  expect(result).toMatchObject({
    accessToken: 'AT fresh',
    fromCache: true,
    account: { homeAccountId: `noor.${TENANT}`, tenantId: TENANT, username: 'noor@contoso.example' },
  });
  expect(back.counts.read).toBe(1);
  const own = client('a');
  const [account] = await own.getTokenCache().getAllAccounts();
  const { homeAccountId, environment, tenantId, localAccountId, username, authorityType } = account!;
  const listed = { homeAccountId, environment, tenantId, localAccountId, username, authorityType };
  expect(result.account).toMatchObject(listed);
});

it('a refresh is one request and two reads, and makes one client', async () => {
  await signIn('a', 'noor', 'AT old');
  Object.assign(back.counts, { read: 0, write: 0 });
  const own = users.partition('a');
  let made = 0;
  const make = () => {
    made += 1;
    return client('a', own);
  };
  const result = await acquireToken(own, make, CLIENT, { scopes, forceRefresh: true });
  expect(result).toMatchObject({ accessToken: 'AT 1', fromCache: false });
  expect([sent, made]).toEqual([1, 1]);
  expect([back.counts.read, back.counts.write]).toEqual([2, 1]);
  expect(
    await users.partition('a').read((cache) => cache.find('AccessToken').map(({ secret }) => secret)),
  ).toEqual(['AT 1']);
});

it('without an account there must be one user', async () => {
  const ask = () =>
    acquireToken(users.partition('a', { user: 'several' }), () => client('a'), CLIENT, { scopes });
  await expect(ask()).rejects.toMatchObject({ code: 'sign_in_required' });
  await signIn('a', 'noor', 'AT of noor');
  await signIn('a', 'piet', 'AT of piet');
  await expect(ask()).rejects.toMatchObject({ code: 'ambiguous_account' });
  expect(sent).toBe(0);
});

it('the authority of a request names the tenant, as in MSAL', async () => {
  await signIn('a', 'noor', 'AT at home');
  await signIn('a', 'noor', 'AT as a guest', OTHER);
  const ask = (at: string) =>
    acquireToken(users.partition('a'), () => client('a'), CLIENT, {
      scopes,
      authority: `https://login.microsoftonline.com/${at}`,
    });
  expect((await ask(OTHER)).accessToken).toBe('AT as a guest');
  expect((await ask('common')).accessToken).toBe('AT at home');
});
