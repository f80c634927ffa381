import { describe, expect, test } from 'vitest';
import type { Entity } from '../../src-main/cache/schema/entities.ts';
import { merge, mergeIssued, planMerge } from '../../src-main/cache/document/merge.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { itemsIn, jwt, type Person, signIn } from './events.ts';

/** Returns a cache with one sign-in, written at `now`, and its document in a dialect. */
function written(
  now: number,
  dialect: 'msal-python' | 'msal-node',
  response: Entity = {},
  person: Person = {},
): string {
  const cache = new SerializableTokenCache({ now: () => now });
  cache.add(signIn(response, { scope: ['s1'] }, person));
  return cache.serialize({ dialect });
}

function read(text: string): SerializableTokenCache {
  const cache = new SerializableTokenCache({ now: () => 6000 });
  cache.deserialize(text);
  return cache;
}

const secrets = (cache: SerializableTokenCache): string[] =>
  [...cache.find('AccessToken'), ...cache.find('RefreshToken')].map(({ secret }) => secret);

describe('merging', () => {
  test('a plan describes the merge and changes nothing', () => {
    const into = read(written(1000, 'msal-python'));
    const before = into.serialize();
    const from = read(written(2000, 'msal-node', { access_token: 'A2', refresh_token: 'R2' }));
    from.add(signIn({ access_token: 'B', refresh_token: 'RB' }, { scope: ['s1'] }, { uid: 'ben' }));
    from.deserialize(JSON.stringify({ ...(JSON.parse(from.serialize()) as object), odd: [1] }));
    const plan = planMerge(into, from);
    expect(plan).toEqual({
      accounts: { added: 1, known: 1, names: ['john.doe@contoso.example', 'john.doe@contoso.example'] },
      tokens: { added: 3, replaced: 2, unchanged: 1, expired: 1 }, // the first account's ID token is the same
      notUnderstood: 1,
      writtenBy: 'MSAL Node',
    });
    expect(into.serialize()).toBe(before);
    expect(merge(into, from)).toEqual(plan);
    expect(secrets(into).sort()).toEqual(['A2', 'B', 'R2', 'RB']);
    expect(JSON.parse(into.serialize())).toMatchObject({ odd: [1] });
  });

  test('a token of unknown lifetime is not counted as expired', () => {
    const into = read('');
    const from = read('');
    from.add(signIn({ access_token: 'opaque', refresh_token: 'R', expires_in: undefined }));
    const later = new SerializableTokenCache({ now: () => 86_400 });
    later.deserialize(into.serialize());
    expect(planMerge(later, from).tokens).toMatchObject({ added: 3, expired: 0 });
  });

  test('twice is once', () => {
    const into = read('');
    const from = read(written(1000, 'msal-python'));
    merge(into, from);
    const once = into.serialize();
    expect(merge(into, from).tokens).toEqual({ added: 0, replaced: 0, unchanged: 3, expired: 0 });
    expect(into.serialize()).toBe(once);
  });

  test.each(['msal-python', 'msal-node'] as const)(
    'an older token of %s never replaces a newer',
    (dialect) => {
      const newer = written(2000, 'msal-python', { access_token: 'new', refresh_token: 'new R' });
      const older = written(1000, dialect, { access_token: 'old', refresh_token: 'old R' });
      const into = read(newer);
      expect(merge(into, read(older)).tokens.replaced).toBe(0);
      expect(secrets(into)).toEqual(['new', 'new R']);
      const other = read(older);
      expect(merge(other, read(newer)).tokens.replaced).toBe(2);
      expect(secrets(other)).toEqual(['new', 'new R']);
    },
  );

  test('what was just issued replaces what has a later time, also an access token for more scopes', () => {
    const id_token = (iat: number): string => jwt({ sub: 'x', iat });
    const into = new SerializableTokenCache({ now: () => 2000 });
    into.add(signIn({ refresh_token: 'R', id_token: id_token(2000) }, { scope: ['s1'] }));
    into.add(signIn({ access_token: 'A', refresh_token: undefined, id_token: undefined, scope: 's1 s2' }));
    let events = 0;
    into.on('change', () => (events += 1));
    const again = { access_token: 'A2', refresh_token: 'R2', id_token: id_token(1000) };
    mergeIssued(into, read(written(1000, 'msal-python', again)));
    expect(events).toBe(1);
    expect(secrets(into)).toEqual(['A2', 'R2']);
    expect(into.find('IdToken').map(({ secret }) => secret)).toEqual([id_token(1000)]);
  });

  test('of ID tokens, the one issued last', () => {
    const issued = (iat: number): string =>
      written(1000, 'msal-python', { id_token: jwt({ sub: 'x', iat }) });
    const into = read(issued(200));
    merge(into, read(issued(100)));
    expect(into.find('IdToken')[0]?.secret).toBe(jwt({ sub: 'x', iat: 200 }));
    merge(into, read(issued(300)));
    expect(into.find('IdToken')[0]?.secret).toBe(jwt({ sub: 'x', iat: 300 }));
  });

  test('of a credential that two libraries left twice in a document, the newest counts', () => {
    const from = read(written(1000, 'msal-python', { refresh_token: 'old' }));
    const [old] = from.find('RefreshToken');
    const roots = JSON.parse(from.serialize()) as Record<string, Record<string, Entity>>;
    const twice = { ...old, secret: 'new', last_modification_time: '1500', target: undefined };
    from.deserialize(JSON.stringify({ ...roots, RefreshToken: { first: twice, ...roots['RefreshToken'] } }));
    const into = read('');
    expect(merge(into, from).tokens.added).toBe(3);
    expect(into.find('RefreshToken').map(({ secret }) => secret)).toEqual(['new']);
  });

  test('an account is completed, never overwritten', () => {
    const into = read(written(1000, 'msal-python'));
    const [account] = into.find('Account');
    into.modify('Account', account ?? {}, { username: 'mine@contoso.example' });
    merge(into, read(written(1000, 'msal-node')));
    const [completed] = into.accounts();
    expect(completed).toMatchObject({ username: 'mine@contoso.example' });
    expect(into.find('AppMetadata')).toHaveLength(1);
  });

  test('unrecognized entries are copied, once', () => {
    const into = read('{"AccessToken":{"k":{"mine":1}},"root":"mine"}');
    const from = read('{"AccessToken":{"k":{"theirs":1},"l":7},"root":"theirs"}');
    merge(into, from);
    merge(into, from);
    expect(JSON.parse(into.serialize())).toEqual({
      AccessToken: { k: { mine: 1 }, 'k-2': { theirs: 1 }, l: 7 },
      root: 'mine',
      'root-2': 'theirs',
    });
  });

  test('emits one change event, and an empty cache adopts the dialect', () => {
    const into = read('');
    let events = 0;
    into.on('change', () => (events += 1));
    const node = written(1000, 'msal-node');
    merge(into, read(node));
    expect(events).toBe(1);
    expect(
      itemsIn(into)
        .map(({ key }) => key)
        .sort(),
    ).toEqual(
      itemsIn(read(node))
        .map(({ key }) => key)
        .sort(),
    );
  });
});
