/** [Note: secrets are hidden] Every way to copy or print an entity is tried on every entity that a cache hands out. */
import { format, inspect } from 'node:util';
import { serialize as serializeForPost } from 'node:v8';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { lookup } from '../../src-main/cache/acquire.ts';
import type { CacheChange, Entity } from '../../src-main/cache/schema/entities.ts';
import { testVault } from '../../src-main/testing/index.ts';
import { jwt, PERSON, signIn } from './events.ts';

const SECRETS = ['an access token', 'a refresh token', jwt(PERSON.claims)];

/** Ways in which a program may copy or print an entity without thinking of its secret. */
const WAYS: readonly (readonly [string, (entity: Entity) => unknown])[] = [
  ['JSON', (entity) => JSON.stringify(entity)],
  ['JSON of a wrapper', (entity) => JSON.stringify({ deep: [{ entity }] })],
  ['a spread', (entity) => ({ ...entity })],
  ['Object.assign', (entity) => Object.assign({}, entity)],
  ['Object.entries', (entity) => Object.entries(entity)],
  ['for … in', forIn],
  ['a rest', ({ ...rest }) => rest],
  ['structuredClone', (entity) => structuredClone(entity)],
  ['structuredClone of an array', (entity) => structuredClone([entity])],
  ['postMessage', posted],
  ['serialization for another process', (entity) => serializeForPost(entity).toString('latin1')],
  ['util.inspect', (entity) => inspect(entity)],
  ['util.inspect with hidden properties', (entity) => inspect(entity, { showHidden: true, depth: null })],
  ['util.inspect with getters', (entity) => inspect(entity, { getters: true, depth: null })],
  ['console.log', (entity) => format('%o %O %j', entity, entity, entity)],
  ['the cause of an error', (entity) => inspect(new Error('failed', { cause: entity }))],
  ['a property of an error', (entity) => inspect(Object.assign(new Error('failed'), { entity }))],
  ['the errors of an AggregateError', (entity) => inspect(new AggregateError([entity], 'failed'))],
  ['a Map', (entity) => inspect(new Map([[entity, entity]]))],
  ['a template', (entity) => [entity as unknown].join('')],
  ['a copy of all property descriptors', copiedDescriptors],
  [
    'a frozen copy',
    (entity) => Object.freeze(Object.create(Object.prototype, Object.getOwnPropertyDescriptors(entity))),
  ],
];

function forIn(entity: object): unknown {
  const copy: Record<string, unknown> = {};
  for (const name in entity) copy[name] = (entity as Entity)[name];
  return copy;
}

function posted(entity: object): unknown {
  const { port1, port2 } = new MessageChannel();
  try {
    port1.postMessage(entity);
    return receiveMessageOnPort(port2);
  } finally {
    port1.close();
  }
}

function copiedDescriptors(entity: object): unknown {
  const copy: unknown = Object.defineProperties({}, Object.getOwnPropertyDescriptors(entity));
  // The copy reports that its secret is lost; it does not pass for a token without one.
  expect(() => (copy as Entity)['secret']).toThrow('lost its secret');
  return copy;
}

function textsIn(value: unknown, seen = new Set<unknown>()): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null || seen.has(value)) return [];
  seen.add(value);
  const own = Object.getOwnPropertyDescriptors(value);
  return Reflect.ownKeys(own).flatMap((name) => textsIn(own[name as string]?.value, seen));
}

/** Returns the entities of a vault, whose secrets are sealed. */
async function ofVault(): Promise<Entity[]> {
  const { vault } = await testVault();
  await vault.update((cache) => void cache.add(signIn()));
  const own = { query: { client_id: 'my_client_id' } };
  return vault.read((cache) =>
    (['AccessToken', 'RefreshToken'] as const).flatMap((type) => cache.find(type, own)),
  );
}

async function handedOut(): Promise<Record<string, Entity[]>> {
  const cache = new SerializableTokenCache({ now: () => 1000 });
  const changes: CacheChange[] = [];
  cache.on('change', (change) => changes.push(change));
  cache.add(signIn());
  const request = {
    client_id: 'my_client_id',
    home_account_id: 'uid.utid',
    environment: 'login.example.com',
    scopes: ['s1'],
  };
  const { accessToken, refreshTokens } = lookup(cache, request, 1000);
  const types = ['AccessToken', 'RefreshToken', 'IdToken'] as const;
  const found = types.flatMap((type) => cache.find(type));
  const searched = types.flatMap((type) => [...cache.search(type)]);
  cache.deserialize(
    JSON.stringify({
      ...(JSON.parse(cache.serialize()) as object),
      IdToken: { broken: { secret: SECRETS[2] } },
    }),
  );
  cache.signOut('uid.utid');
  const sides = (change: CacheChange): unknown[] =>
    [...change.entities, ...change.kept].flatMap(({ before, after }) => [before, after]);
  const credentials = changes
    .flatMap(sides)
    .filter((side): side is Entity => typeof side === 'object' && side !== null && 'secret' in side);
  return {
    find: found,
    search: searched,
    lookup: [accessToken!, ...refreshTokens],
    changes: credentials,
    vault: await ofVault(),
  };
}

describe.each(Object.entries(await handedOut()))('an entity from %s', (_from, entities) => {
  test('reveals its secret when it is read', () => {
    expect(entities.length).toBeGreaterThan(1);
    for (const { secret } of entities) expect(SECRETS).toContain(secret);
  });

  test.each(WAYS)('reveals no secret by %s', (_name, way) => {
    for (const entity of entities) {
      const texts = textsIn(way(entity)).join('\n');
      for (const secret of SECRETS) expect(texts).not.toContain(secret);
    }
  });

  test('keeps its other fields', () => {
    for (const entity of entities.filter((one) => 'client_id' in one)) {
      expect({ ...entity }).toMatchObject({ client_id: 'my_client_id', environment: 'login.example.com' });
    }
  });
});
