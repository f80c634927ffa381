import { describe, expect, test } from 'vitest';
import {
  appLabel,
  appsOf,
  awayTenant,
  shortScope,
  signatureNote,
  sortTokens,
  tokenDetail,
  tokenTitle,
  tokenWhen,
} from '../../src-renderer/state/tokens.ts';
import { resourceName } from '../../src-renderer/state/wellKnown.ts';
import { account, cast, token } from './fake/cast.ts';

const NOW = Date.UTC(2026, 10, 22, 14, 56, 0) / 1000;

test.each([
  ['00000003-0000-0000-C000-000000000000', 'Microsoft Graph'],
  ['https://graph.microsoft.com', 'Microsoft Graph'],
  ['HTTPS://Graph.Microsoft.com/', 'Microsoft Graph'],
  ['https://api.contoso.example:8443/v1?x#y', 'api.contoso.example:8443'],
  ['api://api.contoso.example', 'api.contoso.example'],
  ['api://51aa77d0-1122-4333-8444-5566778802d4/x', '51aa77d0-1122-4333-8444-5566778802d4'],
  ['urn:contoso:api', null],
  // Several audiences of one token.
  ['https://graph.microsoft.com/ https://api.contoso.example/', null],
  ['javascript:alert(1)', null],
  ['https://user@evil.example', null],
  ['constructor', null],
  ['', null],
])('the API of audience %j is %j', (audience, name) => expect(resourceName(audience)).toBe(name));

describe('a token is called by its kind and what it is for', () => {
  const access = (changes: object) => token({ id: 't', type: 'AccessToken', ...changes });
  test.each([
    [
      access({ audience: 'https://graph.microsoft.com', scopes: ['User.Read'] }),
      'Access',
      'Microsoft Graph',
      'User.Read',
    ],
    [access({ audience: 'custom\u202e', scopes: [] }), 'Access', 'custom⟨U+202E⟩', 'No scopes'],
    [access({ scopes: ['User.Read', 'openid'] }), 'Access', 'Unknown API', 'User.Read'],
    [access({ scopes: ['openid', 'PROFILE'] }), 'Access', 'The provider', 'openid, PROFILE'],
    [
      token({ id: 'r', type: 'RefreshToken', family_id: '1' }),
      'Refresh',
      'Microsoft app family',
      'Renews tokens of all apps in the family',
    ],
    [token({ id: 'r', type: 'RefreshToken' }), 'Refresh', 'This app', 'Renews tokens of Mail Assistant'],
    [token({ id: 'i', type: 'IdToken' }), 'ID', 'Identity', 'name, username, tenant'],
  ])('%o', (item, kind, subject, detail) => {
    expect(tokenTitle(item)).toEqual({ kind, subject });
    expect(tokenDetail(item)).toBe(detail);
  });
});

test.each([
  ['https://graph.microsoft.com/User.Read', 'User.Read'],
  ['api://51aa/access_as_user', 'access_as_user'],
  ['https://graph.microsoft.com/.default', '.default'],
  ['User.Read', 'User.Read'],
  ['https://graph.microsoft.com/', 'https://graph.microsoft.com/'],
])('scope %s reads %s', (scope, short) => expect(shortScope(scope)).toBe(short));

test('an app is called by its claim, else by the published list, else by its id', () => {
  const cli = '04b07795-8ddb-461a-bbee-02f9e1bf7b46';
  expect(appLabel({ client_id: cli, client_name: 'Mine' })).toBe('Mine');
  expect(appLabel({ client_id: cli.toUpperCase(), client_name: null })).toBe('Azure CLI');
  expect(appLabel({ client_id: cli, client_name: '' })).toBe('Azure CLI');
  expect(appLabel({ client_id: 'f'.repeat(36), client_name: null })).toBe('ffff…ffff');
  const [ada] = cast(NOW);
  if (ada === undefined) throw new Error('The cast is empty.');
  expect(appsOf(ada.account, ada.tokens)).toBe('Mail Assistant and Order Desk');
});

test('the tenant is named only where it is not the home', () => {
  const home = account({ id: 'a', tenants: [{ realm: 'HOME', local_account_id: 'x' }] });
  expect(awayTenant(token({ id: 't', type: 'AccessToken', realm: 'home' }), home)).toBeNull();
  expect(awayTenant(token({ id: 't', type: 'AccessToken', realm: 'other' }), home)).toBe('other');
  expect(awayTenant(token({ id: 't', type: 'RefreshToken', realm: null }), home)).toBeNull();
});

describe('the table is sorted', () => {
  const all = cast(NOW)[0]?.tokens ?? [];
  const ids = (column: 'token' | 'app' | 'time', direction: 'ascending' | 'descending') =>
    sortTokens(all, { column, direction }).map((item) => item.id);
  test('by kind and what it is for', () => {
    expect(ids('token', 'ascending')).toEqual([
      'ada-orders',
      'ada-graph',
      'ada-guest',
      'ada-vault',
      'ada-refresh',
      'ada-id',
    ]);
    expect(ids('token', 'descending')).toEqual([
      'ada-id',
      'ada-refresh',
      'ada-vault',
      'ada-guest',
      'ada-graph',
      'ada-orders',
    ]);
  });
  test('by what ends first, without an end last', () => {
    expect(ids('time', 'ascending')).toEqual([
      'ada-vault',
      'ada-graph',
      'ada-guest',
      'ada-id',
      'ada-orders',
      'ada-refresh',
    ]);
  });
  test('by what ends last, without an end last all the same', () => {
    expect(ids('time', 'descending')).toEqual([
      'ada-orders',
      'ada-id',
      'ada-guest',
      'ada-graph',
      'ada-vault',
      'ada-refresh',
    ]);
  });
  test('by app, and within an app as ever', () => {
    expect(ids('app', 'descending')).toEqual([
      'ada-orders',
      'ada-vault',
      'ada-graph',
      'ada-guest',
      'ada-refresh',
      'ada-id',
    ]);
  });
  test('without touching what came', () => {
    const before = all.map((item) => item.id);
    ids('time', 'descending');
    expect(all.map((item) => item.id)).toEqual(before);
  });
});

test('the line under the title says when', () => {
  const item = token({ id: 't', type: 'AccessToken', cached_at: NOW - 2880, expires_on: NOW + 720 });
  expect(tokenWhen(item, NOW, 'UTC')).toBe(' · cached 14:08, expires 15:08');
  expect(tokenWhen({ ...item, token_type: 'pop' }, NOW, 'UTC')).toBe(' · pop · cached 14:08, expires 15:08');
  expect(tokenWhen(item, NOW + 3600, 'UTC')).toBe(' · cached 14:08, expired 15:08');
  expect(tokenWhen(token({ id: 'r', type: 'RefreshToken' }), NOW, 'UTC')).toBe('');
});

test('a signature is valid, or not checked', () => {
  const item = (signature: { key_id: string | null; at: number } | null) =>
    token({ id: 't', type: 'IdToken', signature });
  expect(signatureNote(item(null), NOW, 'UTC')).toBe('Signature not checked');
  expect(signatureNote(item({ key_id: 'k\u202e1', at: NOW - 2880 }), NOW, 'UTC')).toBe(
    'Signature valid. Checked with the provider’s key k⟨U+202E⟩1 when the token was received, 14:08.',
  );
  expect(signatureNote(item({ key_id: null, at: NOW - 2880 }), NOW, 'UTC')).toBe(
    'Signature valid. Checked with a key of the provider when the token was received, 14:08.',
  );
});
