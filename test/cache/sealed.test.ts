/** [Note: secrets stay sealed] The secret of a vault's entity is an accessor: it is opened only when the secret is read. */
import { expect, test } from 'vitest';
import { lookup } from '../../src-main/cache/acquire.ts';
import { documentText } from '../../src-main/cache/document/document.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import type { Entity } from '../../src-main/cache/schema/entities.ts';
import { removalCount, transact } from '../../src-main/cache/token-cache.ts';
import { cacheWithItems, type Item, itemsIn, signIn } from './events.ts';

const SEALED = Symbol('sealed');

function sealed(): { records: Item[]; opened: () => number } {
  let opened = 0;
  const cache = new SerializableTokenCache({ now: () => 1000 });
  cache.add(signIn({ foci: '1' }));
  cache.add(signIn({ access_token: 'bound', token_type: 'pop' }, { data: { key_id: 'k', fmi_path: 'p' } }));
  cache.deserialize(
    JSON.stringify({
      ...(JSON.parse(cache.serialize()) as object),
      IdToken: { broken: { secret: 'x', home_account_id: 'uid.utid' } },
    }),
  );
  const records = itemsIn(cache).map((record) => {
    const { secret, ...fields } = record.value as Entity & { secret?: unknown };
    if (secret === undefined) return record;
    // As in a vault: one accessor for all entities finds the secret through a hidden property.
    const value: object = { ...fields };
    Object.defineProperty(value, SEALED, { value: secret });
    Object.defineProperty(value, 'secret', {
      enumerable: true,
      get(this: { [SEALED]?: unknown }) {
        opened += 1;
        return this[SEALED];
      },
    });
    Object.freeze(value);
    return { ...record, value };
  });
  return { records, opened: () => opened };
}

test('records, search, accounts, a look for a token, a preview and a sign-out open nothing', () => {
  const { records, opened } = sealed();
  const cache = cacheWithItems(records, { now: () => 1000 });
  expect(itemsIn(cache).map(({ value }) => value)).toEqual(records.map(({ value }) => value));
  for (const [index, record] of itemsIn(cache).entries()) {
    expect(Object.is(record.value, records[index]?.value)).toBe(true); // the same object
  }
  const atStart = opened(); // toEqual has read the secrets
  const request = {
    client_id: 'my_client_id',
    home_account_id: 'uid.utid',
    environment: 'login.example.com',
    scopes: ['s1'],
  };
  expect(lookup(cache, request, 1000).accessToken).toBeDefined();
  expect(cache.find('AccessToken', { query: { home_account_id: 'uid.utid', key_id: 'k' } })).toHaveLength(0);
  expect(cache.find('RefreshToken', { query: { environment: 'login.example.com' } })).toHaveLength(1);
  cache.accounts({ username: 'john.doe@contoso.example' });
  removalCount(cache, 'uid.utid');
  cache.on('change', () => undefined);
  transact(cache, () => cache.signOut('uid.utid')).undo();
  expect(cache.signOut('uid.utid')).toMatchObject({ remaining: 0 });
  expect(opened()).toBe(atStart);
});

test('modify carries an accessor over, and replaces it where the secret changes', () => {
  const { records, opened } = sealed();
  const cache = cacheWithItems(records);
  const [token] = cache.find('RefreshToken');
  cache.modify('RefreshToken', token ?? {}, { family_id: '2' });
  expect(opened()).toBe(0);
  const [changed] = cache.find('RefreshToken');
  expect(changed?.secret).toBe('a refresh token');
  expect(opened()).toBe(1);
  cache.modify('RefreshToken', changed ?? {}, { secret: 'new' });
  // Nothing of the old secret is left that a vault could take for the current one.
  expect(Object.getOwnPropertySymbols(cache.find('RefreshToken')[0] ?? {})).toEqual([]);
  expect(cache.find('RefreshToken').map(({ secret }) => secret)).toEqual(['new']);
});

test('a document contains the secrets', () => {
  const cache = cacheWithItems(sealed().records);
  for (const dialect of ['msal-python', 'msal-node'] as const) {
    const text = documentText(cache, { dialect });
    for (const secret of ['an access token', 'a refresh token', 'bound']) expect(text).toContain(secret);
  }
});
