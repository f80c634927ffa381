/** Arbitrary entities and documents of the schema for property tests. */
import fc from '../support/fast-check.ts';
import type { Entity, EntityType } from '../../src-main/cache/schema/entities.ts';
import { type Dialect, DIALECTS, keyOf, ROOTS } from '../../src-main/cache/schema/dialects.ts';

/** Few values of each field, so that entities collide. Some ids are prefixes of others or differ only in case. */
export const HOMES = ['uid.utid', 'UID.UTID', 'uid.utid2', 'uid-b2c_1_x.utid', 'sub', 'sub-2'] as const;
export const ENVIRONMENTS = ['login.microsoftonline.com', 'login.windows.net', 'id.example.org'] as const;
const CLIENTS = ['app-1', 'APP-1', 'app-2'];
const REALMS = ['common', 'utid', 'UTID', 'guest', ''];
const TARGETS = ['s1', 's2 s1', 'S1 s2', 's3 openid', 'openid profile'];

const home = fc.constantFrom(...HOMES);
const environment = fc.constantFrom(...ENVIRONMENTS);
const client_id = fc.constantFrom(...CLIENTS);
const realm = fc.constantFrom(...REALMS);
const target = fc.constantFrom(...TARGETS);
const secret = fc.uuid().map((id) => `secret-${id}`);
const time = fc.integer({ min: 0, max: 5000 }).map(String);

/** Fields that no library knows, with names that are special in JavaScript. */
const more = fc.dictionary(
  fc.constantFrom('extra', '__proto__', 'constructor', 'toString', 'é', '7'),
  fc.jsonValue({ maxDepth: 2 }),
  { maxKeys: 2 },
);

function withMore<T extends object>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<Entity> {
  return fc.tuple(arbitrary, more).map(([entity, fields]) => ({ ...fields, ...entity }));
}

const ENTITIES: Readonly<Record<EntityType, fc.Arbitrary<Entity>>> = {
  AccessToken: withMore(
    fc.record(
      {
        credential_type: fc.constant('AccessToken'),
        secret,
        home_account_id: fc.oneof(home, fc.constantFrom(null, '')),
        environment,
        client_id,
        target,
        realm,
        cached_at: time,
        expires_on: time,
        token_type: fc.constantFrom('Bearer', 'bearer', 'pop'),
        key_id: fc.constantFrom('k1', 'k2'),
        refresh_on: time,
        ext_cache_key: fc.constantFrom('hash1', 'hash2'),
      },
      {
        requiredKeys: [
          'credential_type',
          'secret',
          'home_account_id',
          'environment',
          'client_id',
          'target',
          'realm',
          'cached_at',
          'expires_on',
        ],
      },
    ),
  ),
  RefreshToken: withMore(
    fc.record(
      {
        credential_type: fc.constant('RefreshToken'),
        secret,
        home_account_id: home,
        environment,
        client_id,
        target,
        last_modification_time: time,
        family_id: fc.constant('1'),
      },
      { requiredKeys: ['credential_type', 'secret', 'home_account_id', 'environment', 'client_id'] },
    ),
  ),
  IdToken: withMore(
    fc.record({
      credential_type: fc.constant('IdToken'),
      secret,
      home_account_id: home,
      environment,
      realm,
      client_id,
    }),
  ),
  Account: withMore(
    fc.record({
      home_account_id: home,
      environment,
      realm,
      local_account_id: fc.constantFrom('oid', null),
      username: fc.constantFrom('Zoë@contoso.example', ''),
      authority_type: fc.constantFrom('MSSTS', 'Generic'),
    }),
  ),
  AppMetadata: withMore(fc.record({ environment, client_id, family_id: fc.constantFrom('1', '', null) })),
};

export const TYPES: readonly EntityType[] = [
  'AccessToken',
  'RefreshToken',
  'IdToken',
  'Account',
  'AppMetadata',
];

export const typed: fc.Arbitrary<readonly [EntityType, Entity]> = fc.oneof(
  ...TYPES.map((type) => ENTITIES[type].map((entity) => [type, entity] as const)),
);

/** A document as a library of the dialect writes it: layout, roots and keys. */
export const document: fc.Arbitrary<{ dialect: Dialect; text: string }> = fc
  .tuple(fc.constantFrom(...DIALECTS), fc.array(typed, { maxLength: 12 }))
  .map(([dialect, entities]) => ({ dialect, text: documentOf(dialect, entities) }));

export function documentOf(dialect: Dialect, entities: readonly (readonly [EntityType, Entity])[]): string {
  const roots = Object.fromEntries(
    ROOTS[dialect].map((root) => [
      root,
      Object.fromEntries(
        entities
          .filter(([type]) => type === root)
          .map(([type, entity]) => [keyOf(type, entity, dialect), entity]),
      ),
    ]),
  );
  if (dialect !== 'msal-python') return JSON.stringify(roots);
  return JSON.stringify(roots, undefined, 4).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
