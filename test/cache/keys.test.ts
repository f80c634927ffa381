/** Every key in every dialect, and which dialect a document is in. */
import { describe, expect, test } from 'vitest';
import type { Entity, EntityType } from '../../src-main/cache/schema/entities.ts';
import { type Dialect, DIALECTS, keyOf, LAYOUTS } from '../../src-main/cache/schema/dialects.ts';
import { recognise } from '../../src-main/cache/document/recognize.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { InvalidArgumentError } from '../../src-main/errors.ts';

const at: Entity = {
  credential_type: 'AccessToken',
  secret: 's',
  home_account_id: 'Uid.Utid',
  environment: 'login.windows.net',
  client_id: 'Client',
  realm: 'Realm',
  target: 'Scope.One two',
  cached_at: '1',
  expires_on: '2',
};
const rt: Entity = {
  credential_type: 'RefreshToken',
  secret: 's',
  home_account_id: 'Uid.Utid',
  environment: 'login.windows.net',
  client_id: 'Client',
  target: 'T',
};
const idt: Entity = { ...at, credential_type: 'IdToken' };
const account: Entity = {
  home_account_id: 'Uid.Utid',
  environment: 'login.windows.net',
  realm: 'Realm',
  username: 'u',
  authority_type: 'MSSTS',
};
const app: Entity = { environment: 'Login.windows.net', client_id: 'Client' };

const HE = 'uid.utid-login.windows.net';
const CRT = 'client-realm-scope.one two';
const hash = 'latlwkpewb_a0rcsmjvkecqt0_huumkw4sflzociike';
/** Of the components' JSON: what MSAL Node 7.2 writes, see test/vectors/documents/msal-node-7-extended.json. */
const nodeHash = 'i6ufsungkjzcpsxareif4vlmurc-xz7cwba-lo_l6re';

/** In the order of DIALECTS: MSAL Python, Node from 5, Node up to 3, .NET. */
const TABLE: readonly (readonly [string, EntityType, Entity, readonly [string, string, string, string]])[] = [
  [
    'access token',
    'AccessToken',
    at,
    [
      `${HE}-accesstoken-${CRT}`,
      `${HE}-accesstoken-${CRT}-`,
      `${HE}-accesstoken-${CRT}--`,
      `${HE}-accesstoken-${CRT}`,
    ],
  ],
  [
    'with a scheme',
    'AccessToken',
    { ...at, token_type: 'PoP' },
    [
      `${HE}-accesstoken-${CRT}`,
      `${HE}-accesstoken_with_authscheme-${CRT}-pop`,
      `${HE}-accesstoken_with_authscheme-${CRT}--pop`,
      `${HE}-accesstoken_with_authscheme-${CRT}-pop`,
    ],
  ],
  [
    'extended, by the hash alone',
    'AccessToken',
    { ...at, ext_cache_key: hash },
    [
      `${HE}-atext-${CRT}-${hash}`,
      `${HE}-accesstoken-${CRT}--${hash}`,
      `${HE}-accesstoken-${CRT}---${hash}`,
      `${HE}-atext-${CRT}-${hash}`,
    ],
  ],
  [
    'extended, with its components',
    'AccessToken',
    { ...at, additionalCacheKeyComponents: { fmi_path: 'agent-app-id' } },
    [
      `${HE}-atext-${CRT}-a0ry_zl4gccsdp7gnw927x8s0mrmnodv6tyilt0u07m`,
      `${HE}-accesstoken-${CRT}--${nodeHash}`,
      `${HE}-accesstoken-${CRT}---${nodeHash}`,
      `${HE}-atext-${CRT}-a0ry_zl4gccsdp7gnw927x8s0mrmnodv6tyilt0u07m`,
    ],
  ],
  [
    'of an app',
    'AccessToken',
    { ...at, home_account_id: null },
    [
      `-login.windows.net-accesstoken-${CRT}`,
      `-login.windows.net-accesstoken-${CRT}-`,
      `-login.windows.net-accesstoken-${CRT}--`,
      `-login.windows.net-accesstoken-${CRT}`,
    ],
  ],
  [
    'refresh token',
    'RefreshToken',
    rt,
    [
      `${HE}-refreshtoken-client--t`,
      `${HE}-refreshtoken-client---`,
      `${HE}-refreshtoken-client----`,
      `${HE}-refreshtoken-client--`,
    ],
  ],
  [
    'family refresh token',
    'RefreshToken',
    { ...rt, family_id: '1' },
    [
      `${HE}-refreshtoken-client--t`,
      `${HE}-refreshtoken-1---`,
      `${HE}-refreshtoken-1----`,
      `${HE}-refreshtoken-1--`,
    ],
  ],
  [
    'ID token',
    'IdToken',
    idt,
    [
      `${HE}-idtoken-client-realm-`,
      `${HE}-idtoken-client-realm--`,
      `${HE}-idtoken-client-realm---`,
      `${HE}-idtoken-client-realm-`,
    ],
  ],
  [
    'account',
    'Account',
    account,
    [`${HE}-realm`, `${HE}-utid`, `${HE}-utid`, 'Uid.Utid-login.windows.net-Realm'],
  ],
  [
    'account without a dot',
    'Account',
    { ...account, home_account_id: 'Sub' },
    [
      'sub-login.windows.net-realm',
      'sub-login.windows.net-realm',
      'sub-login.windows.net-realm',
      'Sub-login.windows.net-Realm',
    ],
  ],
  [
    'app metadata',
    'AppMetadata',
    app,
    [
      'appmetadata-Login.windows.net-Client',
      'appmetadata-login.windows.net-client',
      'appmetadata-login.windows.net-client',
      'appmetadata-login.windows.net-client',
    ],
  ],
];

describe.each(TABLE)('%s', (_, type, entity, keys) => {
  test.each(DIALECTS.map((dialect, index) => [dialect, keys[index]] as const))('in %s', (dialect, key) => {
    expect(keyOf(type, entity, dialect)).toBe(key);
  });
});

describe('recognising a dialect', () => {
  const document = (dialect: Dialect): Record<string, Record<string, Entity>> => ({
    AccessToken: { [keyOf('AccessToken', at, dialect)]: at },
    RefreshToken: { [keyOf('RefreshToken', rt, dialect)]: rt },
    Account: { [keyOf('Account', account, dialect)]: account },
  });

  test.each(DIALECTS)('%s, whatever the layout', (dialect) => {
    for (const layout of Object.values(LAYOUTS)) expect(recognise(document(dialect), layout)).toBe(dialect);
  });

  test('nothing tells where there is nothing', () => {
    expect(recognise({}, LAYOUTS['msal-python'])).toBe(null);
  });

  test('the empty document of MSAL Node is recognized by its roots', () => {
    const empty = { Account: {}, IdToken: {}, AccessToken: {}, RefreshToken: {}, AppMetadata: {} };
    expect(recognise(empty, LAYOUTS['msal-node'])).toBe('msal-node');
  });

  test('if two libraries wrote in turn, the layout tells which one was last', () => {
    const python = document('msal-python');
    const node = document('msal-node');
    const both = {
      AccessToken: { ...python['AccessToken'], ...node['AccessToken'] },
      RefreshToken: { ...python['RefreshToken'], ...node['RefreshToken'] },
      Account: python['Account'],
    };
    expect(recognise(both, LAYOUTS['msal-python'])).toBe('msal-python');
    expect(recognise(both, LAYOUTS['msal-node'])).toBe('msal-node');
  });
});

test.each(['msal-java', '', 'toString', null])(
  'a dialect that does not exist (%s) is refused by name',
  (dialect) => {
    const cache = new SerializableTokenCache();
    cache.deserialize('{"AccessToken":{"key":1}}');
    const serialize = () => cache.serialize({ dialect: dialect as Dialect });
    expect(serialize).toThrow(InvalidArgumentError);
    expect(serialize).toThrow(expect.objectContaining({ field: 'dialect' }));
  },
);
