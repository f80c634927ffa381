import { describe, expect, test } from 'vitest';
import {
  claimsText,
  detailLines,
  headerLine,
  payloadLine,
  withTenantName,
} from '../../src-renderer/state/claims.ts';
import { token } from './fake/cast.ts';

const NOW = Date.UTC(2026, 10, 22, 14, 56, 0) / 1000;
const claim = (name: string, value: unknown) =>
  payloadLine({ name, json: JSON.stringify(value) }, NOW, 'UTC');

describe('a claim is shown with its meaning', () => {
  test.each([
    ['exp', NOW + 720, 'today 15:08:00', 'Expires, in 12 min'],
    ['iat', NOW - 60, 'today 14:55:00', 'Issued, 1 min ago'],
    ['exp', NOW - 7200, 'today 12:56:00', 'Expired, 2 h ago'],
    ['exp', 1e300, '1e+300', 'Expires'],
    ['exp', 'soon', 'soon', 'Expires'],
    [
      'aud',
      '00000003-0000-0000-c000-000000000000',
      '00000003-0000-0000-c000-000000000000',
      'Audience: Microsoft Graph',
    ],
    ['aud', 'https://graph.microsoft.com/', 'https://graph.microsoft.com/', 'Audience: Microsoft Graph'],
    ['aud', 'https://api.contoso.example', 'https://api.contoso.example', 'Audience'],
    ['aud', ['https://vault.azure.net', 'x'], 'https://vault.azure.net, x', 'Audience: Azure Key Vault'],
    [
      'appid',
      '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
      '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
      'App that asked for the token: Azure CLI',
    ],
    ['amr', ['pwd', 'mfa'], 'pwd, mfa', 'How the user signed in: password, multi-factor'],
    ['amr', ['constructor'], 'constructor', 'How the user signed in'],
    ['azpacr', '2', '2', 'Client authentication: certificate'],
    ['acct', 0, '0', 'User in this tenant: member'],
    ['email_verified', true, 'true', 'Email address verified by the provider'],
    ['nonce', null, 'null', 'Binds the token to the request'],
    ['exp', 1_795_970_186_000, '1795970186000', 'Expires'],
    ['contoso_department', 'Logistics', 'Logistics', null],
    ['__proto__', 'x', 'x', null],
    ['toString', 'x', 'x', null],
  ])('%s %j', (name, value, shown, says) => {
    expect(claim(name, value)).toEqual({ name, value: shown, block: false, says });
  });
});

test('objects and lists of other things are pretty, each key on its line', () => {
  expect(claim('address', { street: 'Long Lane 1', zip: [1, 2] })).toMatchObject({
    block: true,
    value: '{\n  "street": "Long Lane 1",\n  "zip": [\n    1,\n    2\n  ]\n}',
  });
  expect(claim('x', {})).toMatchObject({ block: true, value: '{}' });
  expect(claim('x', ['a'.repeat(80)]).block).toBe(true);
});

test('numbers keep all their digits, and members their order', () => {
  const value = (json: string) => payloadLine({ name: 'uid', json }, NOW).value;
  expect(value('1234567890123456789')).toBe('1234567890123456789');
  expect(value('1e400')).toBe('1e400');
  expect(value('{"b":12345678901234567890,"7":1}')).toBe('{\n  "b": 12345678901234567890,\n  "7": 1\n}');
  expect(
    claimsText([
      { name: 'uid', json: '1234567890123456789' },
      { name: '7', json: '[1,2]' },
    ]),
  ).toBe('{\n  "uid": 1234567890123456789,\n  "7": [\n    1,\n    2\n  ]\n}');
});

test('nothing in a claim is taken for anything but text', () => {
  expect(claim('na\u202eme', '<img src=x>\u0000')).toEqual({
    name: 'na⟨U+202E⟩me',
    value: '<img src=x>⟨U+0000⟩',
    block: false,
    says: null,
  });
  expect(payloadLine({ name: 'x', json: '{broken' }, NOW)).toMatchObject({ value: '{broken', block: false });
  expect(payloadLine({ name: 'x', json: '{"__proto__":{"polluted":1}}' }, NOW).value).toContain('__proto__');
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
});

test('nesting without end throws nothing, and is cut short', () => {
  const json = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  expect(payloadLine({ name: 'deep', json }, NOW).value).toBe(
    `${'['.repeat(20_000)}… and 380,000 more characters`,
  );
});

test('the header has meanings of its own', () => {
  expect(headerLine({ name: 'kid', json: '"k1"' }, NOW)).toMatchObject({ value: 'k1', says: 'Key ID' });
  expect(headerLine({ name: 'nonce', json: '"n"' }, NOW).says).toContain('only Microsoft’s APIs');
});

test('details: every field that the entity has, and none that it has not', () => {
  const lines = detailLines(
    token({
      id: 't',
      type: 'AccessToken',
      audience: 'https://graph.microsoft.com',
      scopes: ['https://graph.microsoft.com/User.Read', 'openid'],
      cached_at: NOW - 60,
      expires_on: NOW + 720,
    }),
    NOW,
    'UTC',
  );
  expect(lines.map((line) => line.name)).toEqual([
    'environment',
    'realm',
    'client_id',
    'target',
    'audience',
    'token_type',
    'cached_at',
    'expires_on',
  ]);
  expect(lines.find((line) => line.name === 'expires_on')).toMatchObject({
    value: 'today 15:08:00',
    says: 'Expires, in 12 min',
  });
  expect(lines.find((line) => line.name === 'target')?.says).toBe('Scopes: User.Read, openid');
});

test('a tenant is named where its ID is shown', () => {
  const id = '72f94c1e-8d05-4a37-b1c6-93e0a5f2db47';
  const names = new Map([[id, 'contoso.example']]);
  const shown = (name: string, value: string) =>
    withTenantName(payloadLine({ name, json: JSON.stringify(value) }, 0), names).says;
  expect(shown('tid', id.toUpperCase())).toBe('Tenant: contoso.example');
  expect(shown('tid', 'another')).toBe('Tenant');
  expect(shown('oid', id)).not.toContain('contoso');
});
