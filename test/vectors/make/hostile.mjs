/**
 * Input that nobody asked for, and what must become of it. Bytes are decoded as strict UTF-8, a byte order mark is
 * skipped. Then a file either is refused (`error`: the code of a DocumentError, nothing changes), or is a cache
 * document of which `understood` entities of each type can be found, and in which `kept.entries` entries and
 * `kept.roots` members of the root are kept as they are without being understood.
 */
import {
  H,
  E,
  C,
  account,
  accessToken,
  also,
  good,
  idToken,
  json,
  odd,
  refreshToken,
  refused,
  taken,
  utf8,
  without,
} from './hostile-parts.mjs';
import { jwt, part } from './synthetic.mjs';

const text = JSON.stringify(good(), null, 4);

/** Short of all five entities of the good document. */
const nothing = { AccessToken: -1, RefreshToken: -1, IdToken: -1, Account: -1, AppMetadata: -1 };

const notDocuments = () => [
  refused('not-json.json', 'document_not_json', 'These are the tokens you asked for.\n', 'Prose'),
  refused('blank.json', 'document_not_json', ' \n', 'White space only, which no library writes'),
  refused('zeroes.json', 'document_not_json', Buffer.alloc(512), 'What a crash leaves on some file systems'),
  refused(
    'half-written.json',
    'document_not_json',
    text.slice(0, text.length * 0.6),
    'Cut off in the middle',
  ),
  refused('one-byte-short.json', 'document_not_json', text.slice(0, -1), 'Cut off at the very end'),
  refused('twice.json', 'document_not_json', text + text, 'Two documents, one after the other'),
  refused('trailing-comma.json', 'document_not_json', '{"Account":{},}', 'Edited by hand'),
  refused(
    'utf-16.json',
    'document_not_json',
    Buffer.from(`\ufeff${text}`, 'utf16le'),
    'Redirected by PowerShell 5',
  ),
  refused(
    'not-utf-8.json',
    'document_not_json',
    Buffer.concat([utf8('{"Account":{"x":{"username":"zo'), Buffer.from([0xeb]), utf8('"}}}')]),
    'Latin-1: guessing at a character would change the key of an entity',
  ),
  refused('root-array.json', 'document_not_a_cache', '[]', 'A list'),
  refused('root-null.json', 'document_not_a_cache', 'null', 'null'),
  refused('root-string.json', 'document_not_a_cache', JSON.stringify(text), 'A document serialized twice'),
  refused('root-number.json', 'document_not_a_cache', '1780315200', 'A number'),
  refused(
    'other-object.json',
    'document_not_a_cache',
    '{"name":"contoso-desk","version":"1.0.0"}',
    'A package.json',
  ),
];

const emptyDocuments = () => [
  taken('empty-file.json', utf8(''), { more: nothing }, 'No bytes at all: a cache that was never written'),
  taken('empty-object.json', utf8('{}'), { more: nothing }, 'What MSAL Python writes for an empty cache'),
  taken('byte-order-mark.json', utf8(`\ufeff${text}`), {}, 'Saved by an editor'),
];

const malformed = () => [
  taken(
    'sections-of-wrong-type.json',
    json({ ...good(), AccessToken: [], RefreshToken: null, IdToken: 'none', AppMetadata: 7 }),
    { more: { AccessToken: -1, RefreshToken: -1, IdToken: -1, AppMetadata: -1 }, roots: 4 },
    'Only the accounts are a map',
  ),
  taken(
    'unknown-roots.json',
    json({ ...good(), Extra: { future: accessToken() }, version: 3, note: null }),
    { roots: 3 },
    'Members of the root that only a future library knows',
  ),
  taken(
    'entities-of-wrong-type.json',
    json(
      also({
        AccessToken: odd({ null: null, text: 'token', number: 5 }),
        RefreshToken: odd({ null: null, list: [] }),
        IdToken: odd({ boolean: true }),
        Account: odd({ null: null, empty: {} }),
        AppMetadata: odd({ null: null }),
      }),
    ),
    { entries: 9 },
    'Entries that are not entities',
  ),
  taken(
    'access-tokens.json',
    json(
      also({
        AccessToken: odd({
          'target is null': accessToken({ target: null }),
          'target is empty': accessToken({ target: '' }),
          'target is a list': accessToken({ target: ['User.Read'] }),
          'no target': without(accessToken(), 'target'),
          'no expires_on': without(accessToken(), 'expires_on'),
          'expires_on is null': accessToken({ expires_on: null }),
          'expires_on is a word': accessToken({ expires_on: 'soon' }),
          'expires_on is empty': accessToken({ expires_on: '' }),
          'secret is null': accessToken({ secret: null }),
          'secret is a number': accessToken({ secret: 7 }),
          'secret is an object': accessToken({ secret: { value: 'x' } }),
          'no secret': without(accessToken(), 'secret'),
          'client_id is an object': accessToken({ client_id: {} }),
          'environment is null': accessToken({ environment: null }),
          'home_account_id is a number': accessToken({ home_account_id: 7 }),
        }),
      }),
    ),
    { more: { AccessToken: 1 }, entries: 14 },
    'Each lacks one thing without which it can not be matched or served',
  ),
  taken(
    'numbers-for-strings.json',
    json(
      also({
        AccessToken: odd({
          'expires_on is a number': accessToken({ expires_on: 1780318800 }),
          'cached_at is a number': accessToken({ cached_at: 1780315200 }),
          'all times are numbers': accessToken({
            cached_at: 1780315200,
            expires_on: 1780318800,
            extended_expires_on: 1780318800,
          }),
        }),
        RefreshToken: odd({ 'client_id is a number': refreshToken({ client_id: 7 }) }),
        Account: odd({ 'username is a number': account({ username: 7 }) }),
      }),
    ),
    { more: { AccessToken: 3 }, entries: 2 },
    'The schema has decimal digits in strings; MSAL Go and others write times as numbers, and MSAL Python uses them',
  ),
  taken(
    'other-entities.json',
    json(
      also({
        RefreshToken: odd({
          'secret is null': refreshToken({ secret: null }),
          'secret is a list': refreshToken({ secret: [] }),
          'no client_id': without(refreshToken(), 'client_id'),
          'no environment': without(refreshToken(), 'environment'),
        }),
        IdToken: odd({
          'secret is a boolean': idToken({ secret: false }),
          'no home_account_id': without(idToken(), 'home_account_id'),
        }),
        Account: odd({
          'no home_account_id': without(account(), 'home_account_id'),
          'home_account_id is a list': account({ home_account_id: [H] }),
          'environment is a number': account({ environment: 443 }),
        }),
        AppMetadata: odd({ 'no client_id': { environment: E } }),
      }),
    ),
    { entries: 10 },
    'Each lacks one thing without which it can not be matched',
  ),
  taken(
    'wrong-section.json',
    json(
      also({
        AccessToken: odd({ 'an account': account() }),
        Account: odd({ 'a refresh token': without(refreshToken(), 'home_account_id') }),
      }),
    ),
    { entries: 2 },
    'Entities in a section that is not theirs',
  ),
  taken(
    'wrong-keys.json',
    json({
      AccessToken: { '': accessToken() },
      Account: { 'not the key': account() },
      IdToken: { 0: idToken() },
      RefreshToken: { [`${H}-${E}-accesstoken`]: refreshToken() },
      AppMetadata: { ' ': { client_id: C, environment: E } },
    }),
    {},
    'Good entities under keys that no library makes: fields decide, not keys',
  ),
];

const hostileNames = () => [
  taken(
    'prototype-keys.json',
    utf8(
      JSON.stringify({
        ...also({
          AccessToken: {
            '~~proto~~': accessToken({ target: 'Mail.Read' }),
            constructor: accessToken({ target: 'Mail.Send' }),
          },
          Account: {
            toString: account({ environment: 'login.hostile.example', '~~proto~~': { polluted: true } }),
          },
        }),
        '~~proto~~': { polluted: true },
        constructor: { prototype: { polluted: true } },
        hasOwnProperty: 'polluted',
      }).replaceAll('~~proto~~', '__proto__'),
    ),
    { more: { AccessToken: 2, Account: 1 }, roots: 3 },
    'Names that mean something to JavaScript, at every level: here they are data, and survive',
  ),
  taken(
    'markup-in-names.json',
    json(
      also({
        Account: odd({
          markup: account({
            home_account_id: 'a.a',
            username: '<img src=x onerror=alert(1)>',
            name: '<b>Robin</b>',
          }),
          template: account({ home_account_id: 'b.b', username: '${process.env.HOME}{{7*7}}', name: '%s%n' }),
          bidi: account({
            home_account_id: 'c.c',
            username: 'robin\u202emoc.osotnoc@nimda\u202c',
            name: '\u2066admin',
          }),
          invisible: account({ home_account_id: 'd.d', username: 'ro\u200bbin\u00ad@contoso.example\ufeff' }),
          controls: account({
            home_account_id: 'e.e',
            username: 'robin\u0000\u0007\r\n\u001b[31mred',
            name: '\u2028\u2029',
          }),
          lookalike: account({ home_account_id: 'f.f', username: 'r\u043ebin@contoso.example' }),
          long: account({ home_account_id: 'g.g', username: 'r'.repeat(4096) }),
        }),
      }),
    ),
    { more: { Account: 7 } },
    'User names that must show as text and move nothing',
  ),
  taken(
    'lone-surrogates.json',
    utf8(
      JSON.stringify(
        also({
          Account: { 'odd \ud800': account({ home_account_id: 'a.a', username: '\ud800robin\udfff' }) },
          RefreshToken: { 'odd \udc00': refreshToken({ client_id: 'app \udc00' }) },
        }),
      ),
    ),
    { more: { Account: 1, RefreshToken: 1 } },
    'Halves of characters, which UTF-8 can not express: they are written as escapes',
  ),
  taken(
    'hostile-claims.json',
    utf8(
      JSON.stringify(
        also({
          IdToken: odd({
            prototype: idToken({
              client_id: 'a',
              secret: `e30.${Buffer.from('{"__proto__":{"polluted":true}}').toString('base64url')}.x`,
            }),
            markup: idToken({
              client_id: 'b',
              secret: jwt({ name: '<script>alert(1)</script>', iss: 'javascript:alert(1)' }),
            }),
            'not JSON': idToken({ client_id: 'c', secret: 'e30.bm90IGpzb24.x' }),
            'a list': idToken({ client_id: 'd', secret: `e30.${part([1, 2])}.x` }),
            'not base64url': idToken({ client_id: 'e', secret: 'e30.*****.x' }),
            'two parts': idToken({ client_id: 'f', secret: 'e30.e30' }),
            'odd times': idToken({ client_id: 'g', secret: jwt({ exp: 1e300, iat: 'yesterday', nbf: -1 }) }),
            deep: idToken({
              client_id: 'h',
              secret: `e30.${Buffer.from('['.repeat(5000) + ']'.repeat(5000)).toString('base64url')}.x`,
            }),
          }),
        }),
      ),
    ),
    { more: { IdToken: 8 } },
    'ID tokens with claims that are wrong or mean harm: the entity is understood, its claims may not be',
  ),
  taken(
    'tenant-profiles.json',
    json(
      also({
        Account: odd({
          'not JSON': account({ home_account_id: 'a.a', tenantProfiles: ['{"tenantId":'] }),
          'not text': account({ home_account_id: 'b.b', tenantProfiles: [7, null, { tenantId: 'x' }] }),
          'not a list': account({ home_account_id: 'c.c', tenantProfiles: '[]' }),
          prototype: account({ home_account_id: 'd.d', tenantProfiles: ['{"__proto__":{"polluted":true}}'] }),
        }),
      }),
    ),
    { more: { Account: 4 } },
    "MSAL Node's tenant profiles, broken: the account is understood without them",
  ),
];

const identities = () => [
  taken(
    'duplicate-keys.json',
    utf8(
      `{"Account":{"a":${JSON.stringify(account({ username: 'first@contoso.example' }))},` +
        `"a":${JSON.stringify(account({ username: 'last@contoso.example' }))}},` +
        `"RefreshToken":{"lost":${JSON.stringify(refreshToken())}},` +
        `"RefreshToken":{"a":${JSON.stringify(refreshToken({ secret: 'synthetic-last' }))}}}`,
    ),
    { more: { AccessToken: -1, IdToken: -1, AppMetadata: -1 } },
    'RFC 8259 §4 leaves it open; the last one counts, as in every MSAL library',
  ),
  taken(
    'ambiguous-keys.json',
    json({
      ...good(),
      Account: odd({
        'dash in the id': account({ home_account_id: 'a-b', environment: 'c' }),
        'dash in the environment': account({ home_account_id: 'a', environment: 'b-c' }),
      }),
    }),
    { more: { Account: 1 } },
    'Two accounts whose joined keys are equal: signing out one must leave the other',
  ),
  taken(
    'prefix-ids.json',
    json(
      also({
        Account: odd({
          one: account({ home_account_id: 'user1.t' }),
          ten: account({ home_account_id: 'user1.t0' }),
        }),
        RefreshToken: odd({
          one: refreshToken({ home_account_id: 'user1.t' }),
          ten: refreshToken({ home_account_id: 'user1.t0' }),
        }),
      }),
    ),
    { more: { Account: 2, RefreshToken: 2 } },
    'An id that begins with another id: signing out the shorter must leave the longer',
  ),
  taken(
    'odd-scopes.json',
    json(
      also({
        AccessToken: odd({
          spaces: accessToken({ client_id: 'a', target: '  User.Read \t openid\n' }),
          repeated: accessToken({ client_id: 'b', target: 'User.Read user.read USER.READ' }),
          'openid only': accessToken({ client_id: 'c', target: 'openid profile' }),
        }),
      }),
    ),
    { more: { AccessToken: 3 } },
    'Scopes that are sets all the same',
  ),
];

/** @returns {{ file: string, bytes: Buffer, error?: string, understood?: object, kept?: object, note: string }[]} */
export const hostile = () => [
  ...notDocuments(),
  ...emptyDocuments(),
  ...malformed(),
  ...hostileNames(),
  ...identities(),
];
