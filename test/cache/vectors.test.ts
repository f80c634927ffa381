/** Documents that the real libraries wrote, and hostile ones: test/vectors. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ENTITY_TYPES, type Entity } from '../../src-main/cache/schema/entities.ts';
import { canonicalEnvironment } from '../../src-main/cache/schema/authorities.ts';
import { extensionOf, keyIdOf, schemeOf } from '../../src-main/cache/schema/match.ts';
import { type Dialect, DIALECTS } from '../../src-main/cache/schema/dialects.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { dialectOf } from '../../src-main/cache/store.ts';
import { storeOf, type TokenCache } from '../../src-main/cache/token-cache.ts';
import { cacheWithItems, itemsIn } from './events.ts';
import { DocumentError } from '../../src-main/errors.ts';

interface Vector {
  file: string;
  profile: Dialect;
  accounts: number;
  app_only: number;
  tokens: Record<'AccessToken' | 'RefreshToken' | 'IdToken', number>;
  account_entities: number;
  app_metadata: number;
}

interface HostileVector {
  file: string;
  error?: string;
  understood?: Record<string, number>;
  kept?: { entries: number; roots: number };
}

const FOLDER = new URL('../vectors/', import.meta.url);
const bytes = (path: string): Buffer => readFileSync(new URL(path, FOLDER));
const index = <T>(folder: string): T[] => JSON.parse(bytes(`${folder}/index.json`).toString()) as T[];

const vectors = ['documents', 'handovers'].flatMap((folder) =>
  index<Vector>(folder).map(({ profile, ...vector }) => ({
    ...vector,
    dialect: profile,
    path: `${folder}/${vector.file}`,
  })),
);

function read(text: string): SerializableTokenCache {
  const cache = new SerializableTokenCache({ now: () => 1780315200 });
  cache.deserialize(text);
  return cache;
}

/** Describes a credential independently of the library that wrote it. */
function gist(entity: Entity): string {
  const text = (field: string): string => (typeof entity[field] === 'string' ? entity[field] : '');
  return [
    text('home_account_id').toLowerCase(),
    canonicalEnvironment(text('environment')),
    text('client_id').toLowerCase(),
    text('secret'),
    text('target').split(' ').sort().join(' '),
    text('expires_on'),
    text('refresh_on'),
    text('family_id'),
    schemeOf(entity),
    keyIdOf(entity),
    extensionOf(entity),
  ].join('|');
}

const CREDENTIALS = ['AccessToken', 'RefreshToken', 'IdToken'] as const;

function gists(cache: TokenCache): string[] {
  return CREDENTIALS.flatMap((type) => cache.find(type).map(gist)).sort();
}

const users = (cache: TokenCache): unknown[] =>
  cache
    .accounts()
    .map(({ home_account_id, username, tenants }) => [
      home_account_id.toLowerCase(),
      username,
      tenants.map(({ realm }) => realm.toLowerCase()).sort(),
    ])
    .sort();

describe.each(vectors)('$path', ({ path, dialect, ...expected }) => {
  const text = bytes(path).toString();

  test('is written back byte for byte', () => {
    expect(read(text).serialize() === text).toBe(true);
  });

  test('is understood whole', () => {
    const cache = read(text);
    expect(dialectOf(storeOf(cache))).toBe(dialect);
    expect(cache.accounts()).toHaveLength(expected.accounts);
    expect(cache.find('Account')).toHaveLength(expected.account_entities);
    expect(cache.find('AppMetadata')).toHaveLength(expected.app_metadata);
    for (const type of ['AccessToken', 'RefreshToken', 'IdToken'] as const) {
      expect(cache.find(type)).toHaveLength(expected.tokens[type]);
    }
    const apps = cache.find('AccessToken').filter((token) => !token.home_account_id);
    expect(apps).toHaveLength(expected.app_only);
    expect(storeOf(cache).malformed.size).toBe(0);
  });

  test('goes through records', () => {
    const cache = read(text);
    const again = cacheWithItems(itemsIn(cache), { dialect: dialectOf(storeOf(cache)) });
    expect(itemsIn(again)).toEqual(itemsIn(cache));
  });

  test.each(path.startsWith('documents/') ? DIALECTS : [])('to %s and back, and nothing is lost', (other) => {
    const there = read(read(text).serialize({ dialect: other }));
    expect(dialectOf(storeOf(there)) === other || gists(there).length === 0).toBe(true);
    expect(gists(there)).toEqual(gists(read(text)));
    expect(users(there)).toEqual(users(read(text)));
    const back = read(there.serialize({ dialect }));
    expect(gists(back)).toEqual(gists(read(text)));
    expect(users(back)).toEqual(users(read(text)));
  });

  test.each(path.startsWith('handovers/') ? DIALECTS : [])(
    'to %s: the newest form of each credential',
    (other) => {
      const there = read(read(text).serialize({ dialect: other }));
      expect(dialectOf(storeOf(there))).toBe(other);
      expect(gists(read(text))).toEqual(expect.arrayContaining(gists(there)));
      const last = read(text).find('RefreshToken').at(-1);
      expect(there.find('RefreshToken').map(({ secret }) => secret)).toEqual([last?.secret]);
      expect(there.find('AppMetadata')).toHaveLength(read(text).find('AppMetadata').length > 0 ? 1 : 0);
      expect(users(there)).toEqual(users(read(text)));
    },
  );

  test.each(path.startsWith('documents/') ? [dialect] : [])('written for %s, it is what it was', (own) => {
    expect(JSON.parse(read(text).serialize({ dialect: own }))).toEqual(JSON.parse(text));
  });

  test('signing out each account removes all of it and nothing of the others', () => {
    for (const { home_account_id } of read(text).accounts()) {
      const cache = read(text);
      const others = gists(cache).filter((line) => !line.startsWith(`${home_account_id.toLowerCase()}|`));
      expect(cache.signOut(home_account_id.toUpperCase()).remaining).toBe(0);
      expect(cache.serialize().toLowerCase()).not.toContain(home_account_id.toLowerCase());
      expect(gists(cache)).toEqual(others);
    }
  });
});

const hostile = index<HostileVector>('hostile').map((vector) => ({
  ...vector,
  text: new TextDecoder('utf-8').decode(bytes(`hostile/${vector.file}`)),
}));
// The reader of a file decodes it and refuses what is not UTF-8; the cache does not check this.
const refused = hostile.filter(({ error, file }) => error !== undefined && file !== 'not-utf-8.json');
const taken = hostile.filter(({ error }) => error === undefined);

test.each(refused)('hostile/$file is refused, and the cache is as it was', ({ text, error }) => {
  const cache = read('{"AccessToken":{},"more":1}');
  const attempt = expect(() => cache.deserialize(text));
  attempt.toThrow(DocumentError);
  attempt.toThrow(expect.objectContaining({ code: error }));
  expect(cache.serialize()).toBe('{"AccessToken":{},"more":1}');
});

test.each(taken)(
  'hostile/$file is taken, and comes out with the same content',
  ({ text, understood, kept }) => {
    const cache = read(text);
    expect(Object.fromEntries(ENTITY_TYPES.map((type) => [type, cache.find(type).length]))).toEqual(
      understood,
    );
    const keptRoots = itemsIn(cache).filter(({ key }) => key === null);
    expect({ entries: storeOf(cache).malformed.size, roots: keptRoots.length }).toEqual(kept);
    if (text !== '') expect(JSON.parse(cache.serialize())).toEqual(JSON.parse(text));
    for (const dialect of DIALECTS) read(cache.serialize({ dialect }));
    for (const account of cache.accounts()) {
      expect(cache.signOut(account).remaining).toBe(0);
      expect(cache.accounts(account)).toEqual([]);
    }
    expect({}).not.toHaveProperty('polluted');
  },
);
