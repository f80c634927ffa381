import { expect, test } from 'vitest';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { appData, appDataNames, setAppData } from '../../src-main/cache/token-cache.ts';

/** Words of the app data below, or what they begin with: an imported document may have any of them as the ID of an account. */
const IDS = [
  'sign',
  'sign-in',
  'revoke',
  'shared',
  'source',
  'accounts',
  'https',
  'true',
  'secret',
  'activity',
];

const DATA: Record<string, unknown> = {
  'activity-1': [{ at: 1, kind: 'sign-in', accounts: [{ id: 'x', name: 'Ada' }], way: 'browser' }],
  'accounts-ab': { abc: { shared: true, source: 'source-file' } },
  'sign-outs': [{ report: { id: '1', at: 1 }, revoke: [{ secret: 'secret-of-ada', issuer: 'https' }] }],
  settings: { 'sign-in-page': 'blue', theme: 'sign', list: ['sign-up'] },
};

/** A document of accounts with these IDs, with app data and a root that is not understood. */
function filled(): SerializableTokenCache {
  const cache = new SerializableTokenCache({ now: () => 1000 });
  cache.deserialize(JSON.stringify({ AccessToken: {}, Odd: { 'sign-key': 1, other: 'sign', kept: 'eve' } }));
  for (const id of IDS)
    cache.add({
      client_id: 'app',
      scope: 'x',
      token_endpoint: 'https://id.example/token',
      grant_type: 'authorization_code',
      home_account_id: id,
      response: { access_token: `a ${id}`, refresh_token: `r ${id}`, expires_in: 3600 },
    });
  for (const [name, value] of Object.entries(DATA)) setAppData(cache, name, value);
  return cache;
}

const dataIn = (cache: SerializableTokenCache): unknown =>
  Object.fromEntries(appDataNames(cache).map((name) => [name, appData(cache, name)]));

test.each(IDS)('a sign-out of the account %s leaves app data as it was', (id) => {
  const cache = filled();
  expect(cache.signOut(id)).toMatchObject({ remaining: 0, removed: { RefreshToken: 1 } });
  expect(dataIn(cache)).toEqual(DATA);
});

test('a sign-out of all accounts leaves app data as it was, and removes what names them elsewhere', () => {
  const cache = filled();
  expect(cache.signOutAll().map(({ remaining }) => remaining)).toEqual(IDS.map(() => 0));
  expect(dataIn(cache)).toEqual(DATA);
  expect(JSON.parse(cache.serialize())).toMatchObject({ Odd: { kept: 'eve' } });
  expect(cache.serialize()).not.toContain('sign-key');
});
