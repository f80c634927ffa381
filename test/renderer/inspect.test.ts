import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  compareTokens,
  LONGEST_INPUT,
  problemsOf,
  readToken,
  summaryOf,
  timesOf,
  tokenLabel,
  holdsToken,
  isTokenFile,
  tokensIn,
  whyNone,
  whyNotCompared,
} from '../../src-renderer/state/inspect.ts';
import { ownZone, showTimesIn } from '../../src-renderer/state/time.ts';
import fc from '../support/fast-check.ts';
import { stage } from './fake/model.ts';

const NOW = Date.UTC(2026, 10, 26, 13, 7, 11) / 1000;
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (payload: object, header: object = { alg: 'RS256', kid: 'k1' }) =>
  `${part(header)}.${part(payload)}.c2lnbmF0dXJl`;
const GOOD = {
  iss: 'https://id.example/',
  aud: 'api://orders',
  iat: NOW - 60,
  nbf: NOW - 60,
  exp: NOW + 3600,
};
const problems = (payload: object, header?: object) =>
  problemsOf(readToken(jwt(payload, header)), NOW, 'UTC').map(({ title, text }) => `${title} ${text}`.trim());

describe('tokens are found in', () => {
  const token = jwt(GOOD);
  test.each([
    ['a token', token],
    ['a token with line breaks', token.replace(/(.{40})/g, '$1\n')],
    ['a quoted token', `"${token}"`],
    ['a line of a log', `12:01 GET /orders 401 token=${token}; retried`],
    ['a token twice in a text', `sent ${token}, got back ${token}.`],
    ['a sentence', `The API refused ${token}.`],
    ['a sentence without more', `${token}.`],
    ['an enumeration', `Tokens: ${token}…, ${token}...`],
  ])('%s', (_what, input) => {
    expect(tokensIn(input)).toEqual([{ field: null, token }]);
  });

  test.each([
    ['an Authorization header', `Authorization: Bearer ${token}`],
    ['the value of one', `bearer ${token}`],
    ['a DPoP header', `Authorization: DPoP ${token}`],
    ['the value of one after a name', `"bearer": "Bearer ${token}"`],
    ['a curl command', `curl -H 'Authorization: Bearer ${token}' https://api.example/orders`],
    ['a header at the end of a sentence', `It sent Authorization: Bearer ${token}.`],
    ['one of Windows', `curl.exe --header "Authorization: Bearer ${token}" "https://api.example/"`],
  ])('%s', (_what, input) => {
    expect(tokensIn(input)).toEqual([{ field: 'Authorization', token }]);
  });

  test.each([
    [
      'az account get-access-token',
      { accessToken: token, expiresOn: 'x', tokenType: 'Bearer' },
      ['accessToken'],
    ],
    ['MSAL', { idToken: token, accessToken: token, idTokenClaims: {} }, ['idToken', 'accessToken']],
    ['kubectl', { kind: 'ExecCredential', status: { token } }, ['token']],
    ['a log', [{ access_token: token }, { access_token: token }], ['access_token', 'access_token 2']],
    ['a list', [token, token], ['Token', 'Token 2']],
    ['any field', { jwt: token, 'id-token': token }, ['jwt', 'id-token']],
    ['headers', { headers: { Authorization: [`Bearer ${token}`] } }, ['Authorization']],
    ['a structured log', { level: 'warn', msg: `401 for Bearer ${token}` }, ['msg']],
    [
      'a HAR file',
      { log: { entries: [{ request: { headers: [{ name: 'authorization', value: `Bearer ${token}` }] } }] } },
      ['Authorization'],
    ],
    ['a body in JSON', { body: JSON.stringify({ access_token: token }) }, ['access_token']],
    ['a token and its header', { accessToken: token, header: `Bearer ${token}` }, ['accessToken']],
  ])('JSON of %s', (_what, json, fields) => {
    expect(tokensIn(JSON.stringify(json))).toEqual(fields.map((field) => ({ field, token })));
  });

  test('a redirect, a form, several tokens, a JWE without an encrypted key', () => {
    const redirect = `https://app.example/#access_token=${token}&token_type=Bearer&id_token=a%2Fb`;
    expect(tokensIn(redirect)).toEqual([
      { field: 'access_token', token },
      { field: 'id_token', token: 'a/b' },
    ]);
    expect(tokensIn('refresh_token=%zz&scope=x')).toEqual([{ field: 'refresh_token', token: '%zz' }]);
    for (const text of [
      'POST /token HTTP/1.1\n\naccess_token=opaque&scope=x',
      'Cookie: theme=dark; access_token=opaque; path=/',
      `curl -d 'access_token=opaque' https://api.example`,
      'export access_token="opaque"',
    ])
      expect(tokensIn(text)).toEqual([{ field: 'access_token', token: 'opaque' }]);
    expect(tokensIn(`${token} ${token}`).map(({ field }) => field)).toEqual(['Token', 'Token 2']);
    const direct = `${part({ alg: 'dir', enc: 'A256GCM' })}..aXY.Y3Q.dGFn`;
    expect(tokensIn(direct)).toEqual([{ field: null, token: direct }]);
    expect(tokensIn('an-opaque\ntoken')).toEqual([{ field: null, token: 'an-opaquetoken' }]);
  });

  test.each([
    [
      '{"error":"invalid_grant","error_description":"Expired."}',
      'This is an error, not a token: invalid_grant. Expired.',
    ],
    [
      'WWW-Authenticate: Bearer realm="api", error="invalid_token"',
      'This is an error, not a token: invalid_token.',
    ],
    ['Bearer error="insufficient_scope"', 'This is an error, not a token: insufficient_scope.'],
    ['Authorization: Basic YTpi', 'Basic authentication is a name and a password, not a token.'],
    ['[]', 'There is no token in this JSON.'],
    ['{"iss":"x"}', 'There is no token in this JSON.'],
    ['no token here', 'There is no token in this text.'],
    ['<html><body>', 'There is no token in this text.'],
  ])('nothing in %s', (input, why) => {
    expect(tokensIn(input)).toEqual([]);
    expect(whyNone(input)).toBe(why);
  });

  test('a file with a token or a token response, not in a cache document, even a damaged one', () => {
    expect(isTokenFile(token)).toBe(true);
    expect(isTokenFile(JSON.stringify({ access_token: token, token_type: 'Bearer' }))).toBe(true);
    expect(isTokenFile(JSON.stringify({ refresh_token: 'opaque' }))).toBe(true);
    const spelled = { AccessToken: token, IdToken: token, ExpiresIn: 3600 }; // as .NET and AWS do
    expect(isTokenFile(JSON.stringify({ AuthenticationResult: spelled }))).toBe(true);
    expect(isTokenFile(JSON.stringify({ ...spelled, Account: { Username: 'ada' } }, null, 2))).toBe(true);
    expect(isTokenFile('notes of a meeting')).toBe(false);
    const documents = ['test/vectors/documents', 'test/vectors/hostile'].flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .map((name) => readFileSync(join(folder, name), 'utf8')),
    );
    expect(documents.length).toBeGreaterThan(50);
    // Cut off or with an entry twice, they have tokens that could be inspected.
    expect(documents.filter(holdsToken).length).toBeGreaterThan(2);
    expect(documents.filter(isTokenFile)).toEqual([]);
  });

  test('a token response, each by its field', () => {
    const response = {
      token_type: 'Bearer',
      access_token: token,
      id_token: 'b.c.d',
      refresh_token: 'opaque',
      x: 1,
    };
    expect(tokensIn(JSON.stringify(response)).map(({ field }) => field)).toEqual([
      'access_token',
      'id_token',
      'refresh_token',
    ]);
    expect(tokensIn('{"error":"invalid_grant"}')).toEqual([]);
    expect(tokensIn('{"access_token":7,"id_token":""}')).toEqual([]);
  });

  test('nothing, in a text that is too long to be one', async () => {
    const { inspect } = (await stage()).model;
    inspect.set('first', `${jwt(GOOD)} ${'x'.repeat(5_000_000)}`);
    const { first } = inspect.view.get();
    expect(first.length).toBe(LONGEST_INPUT + 1);
    expect([tokensIn(first), whyNone(first)]).toEqual([
      [],
      'The text has more than 250,000 characters, so it is not read. No token is that long.',
    ]);
    expect(tokensIn('x'.repeat(LONGEST_INPUT))).toHaveLength(1);
  });
  test('the tokens and the error of a response with text around it', () => {
    const logged = (body: object) =>
      `HTTP/1.1 200 OK\nPragma: no-cache\n\n${JSON.stringify(body)}\n-- end --`;
    const response = {
      access_token: jwt(GOOD),
      token_type: 'Bearer',
      refresh_token: 'opaque',
      expires_in: 9,
    };
    expect(tokensIn(logged(response)).map(({ field }) => field)).toEqual(['access_token', 'refresh_token']);
    expect(tokensIn(logged({ refresh_token: 'opaque' }))).toEqual([
      { field: 'refresh_token', token: 'opaque' },
    ]);
    expect(whyNone(logged({ error: 'invalid_grant' }))).toBe('This is an error, not a token: invalid_grant.');
    // A request is inspected by its header, and a text with other JSON by its token.
    expect(tokensIn(`Authorization: Bearer ${jwt(GOOD)}\n\n{"refresh_token":"x"}`)).toMatchObject([
      { field: 'Authorization' },
    ]);
    expect(tokensIn(`${jwt(GOOD)} {"a":1}`)).toEqual([{ field: null, token: jwt(GOOD) }]);
    for (const broken of ['{', 'a } b { c', '{"access_token": ']) expect(tokensIn(broken)).toEqual([]);
  });

  test.each([
    'The bearer token was rejected.',
    'I like pop music',
    'Pop music',
    'Bearer authentication.',
    'It says Bearer tokens of 2026-11-30',
    'Authorization\nBearer tokens are rejected.',
    'OAuth authorization bearer tokens of 2026-11-30',
    'Read this:\nBearer tokens of 2026\nare rejected.',
  ])('nothing, in words: %s', (text) => {
    expect(tokensIn(text)).toEqual([]);
    expect(holdsToken(text)).toBe(false);
  });

  test.each([
    ['Bearer mF_9.B5f-4.1JqM', 'mF_9.B5f-4.1JqM'],
    ['bearer abcdefghijklmnop', 'abcdefghijklmnop'],
    ['Authorization: Bearer opaque', 'opaque'],
    ['{authorization: "DPoP opaque", accept: "*/*"}', 'opaque'],
    ['authorization\nBearer opaque-token-12345', 'opaque-token-12345'],
    ['authorization:\n  Bearer opaque\naccept:\n  */*', 'opaque'],
    ['authorization\tBearer opaque-token-12345', 'opaque-token-12345'],
    ['map[Authorization:[Bearer opaque12345] Accept:[*/*]]', 'opaque12345'],
    ['headers: {"Authorization": ["Bearer opaque"]}', 'opaque'],
    ['Bearer opaque12345\nAccept: */*', 'opaque12345'],
    ['Accept: */*\r\nBearer opaque12345\r\nHost: x', 'opaque12345'],
  ])('an opaque token of a header: %s', (text, token) => {
    expect(tokensIn(text)).toEqual([{ field: 'Authorization', token }]);
  });

  test.each(['\n', ' ', '[', ':', 'Bearer ', 'authorization', 'authorization Bearer ', '"Bearer x'])(
    'in a time that grows with the text: %j',
    (piece) => {
      const within = (size: number) => {
        const text = `Authorization x${piece.repeat(size / piece.length)}! no token`;
        const start = process.cpuUsage();
        tokensIn(text);
        const { user, system } = process.cpuUsage(start);
        return user + system;
      };
      within(1000);
      // A quadratic search of this text takes many seconds.
      expect(within(200_000)).toBeLessThan(2_000_000);
    },
  );

  test('nothing, where there is none', () => expect(tokensIn(' \n ')).toEqual([]));
});

describe('what is wrong stands on top', () => {
  test.each([
    [{ ...GOOD, exp: NOW - 300 }, 'Expired 5 min ago: 13:02:11.'],
    [{ ...GOOD, nbf: NOW + 60 }, 'Not yet valid. Valid in 1 min, from 13:08:11.'],
    [
      { ...GOOD, iat: NOW + 3600 },
      'Issued in the future. A clock is wrong: the issuer’s or this computer’s.',
    ],
    [{ ...GOOD, exp: (NOW + 60) * 1000 }, 'The expiry is not a time. It looks like milliseconds.'],
    [{ ...GOOD, exp: Date.UTC(1980) }, 'The expiry is not a time. It looks like milliseconds.'],
    [{ ...GOOD, exp: 'soon' }, 'The expiry is not a time.'],
    [
      { ...GOOD, nbf: NOW * 1000 },
      'The start of its validity (nbf) is not a time. It looks like milliseconds.',
    ],
    [{ ...GOOD, nbf: 1e308 }, 'The start of its validity (nbf) is not a time.'],
    [{ ...GOOD, iat: '2026-11-30' }, 'The time of issue (iat) is not a time.'],
    [{ ...GOOD, exp: undefined }, 'No expiry. The token has no exp claim.'],
    [{ ...GOOD, aud: undefined }, 'No audience. An API can’t tell whether the token is for it.'],
    [{ ...GOOD, iss: undefined }, 'No issuer. The token doesn’t say who issued it.'],
    [GOOD, 'Valid for 1 h by its times, until 14:07:11.'],
  ])('%o', (payload, first) => expect(problems(payload)[0]).toBe(first));

  test('the signature is never said to be valid', () => {
    expect(problems(GOOD).at(-1)).toBe('Signature not checked.');
    const nonce = { alg: 'RS256', nonce: 'x' };
    const forGraph = { ...GOOD, aud: '00000003-0000-0000-c000-000000000000' };
    expect(problems(forGraph, nonce).at(-1)).toContain('Graph’s access tokens can’t be checked by others');
    expect(problems(GOOD, nonce).at(-1)).toBe('Signature not checked.');
    expect(problems(GOOD, { alg: 'none' })[0]).toMatch(/^Not signed\./);
    expect(problems(GOOD, {})[0]).toMatch(/^Not signed\./);
  });

  test.each([
    ['opaque-text', 'opaque'],
    ['a.b', 'opaque'],
    [jwt(GOOD).split('.').slice(0, 2).join('.'), 'broken'],
    [`${part({ alg: 'RS256' })}.!!!.x`, 'broken'],
    [`${part({ alg: 'RS256' })}.${Buffer.from('{"sub":"a","sub":"b"}').toString('base64url')}.x`, 'broken'],
    [`${Buffer.from('{"kid":"a","kid":"b"}').toString('base64url')}.${part(GOOD)}.x`, 'broken'],
    [`${part({ alg: 'RS256' })}.${part([1])}.x`, 'broken'],
    [`${jwt(GOOD).slice(0, 20)}.${part(GOOD)}.x`, 'broken'],
    [`${part({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.a.b.c.d`, 'jwe'],
    [`${part({ alg: 'none' })}.${part({})}.`, 'jwt'],
    ['1.2.3', 'opaque'],
    [`${part({ alg: 'RS256', cty: 'JWT' })}.${Buffer.from(jwt(GOOD)).toString('base64url')}.x`, 'jws'],
    [`${part({ alg: 'RS256', cty: 'text/plain' })}.aGVsbG8.x`, 'jws'],
  ])('%j is %s', (token, format) => {
    expect(readToken(token).format).toBe(format);
    expect(problemsOf(readToken(token), NOW).length).toBeGreaterThan(0);
  });

  test.each(['header', 'claims'])('%s that nest without end are not shown', (where) => {
    const deep = Buffer.from(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`).toString('base64url');
    const token = where === 'header' ? `${deep}.${part({})}.c2ln` : `${part({ alg: 'RS256' })}.${deep}.c2ln`;
    expect(problemsOf(readToken(token), NOW)[0]?.text).toContain('100 levels');
    expect(readToken(jwt({ groups: [[['g']]] })).format).toBe('jwt');
  });

  test('no input throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.jsonValue().map((value) => jwt(value as object)),
        ),
        (input) => {
          for (const { token } of tokensIn(input)) {
            const read = readToken(token);
            problemsOf(read, NOW);
            timesOf(read, NOW);
            summaryOf(read);
            compareTokens(token, token);
          }
        },
      ),
    );
  });
});

test('times as UTC, local time and epoch', () => {
  expect(timesOf(readToken(jwt({ ...GOOD, exp: NOW - 300, nbf: 'x' })), NOW, 'Europe/Berlin')).toEqual([
    {
      name: 'iat',
      says: 'Issued',
      utc: '2026-11-26 13:06:11Z',
      local: 'today 14:06:11',
      epoch: String(NOW - 60),
      relative: '1 min ago',
      past: false,
    },
    {
      name: 'exp',
      says: 'Expires',
      utc: '2026-11-26 13:02:11Z',
      local: 'today 14:02:11',
      epoch: String(NOW - 300),
      relative: '5 min ago',
      past: true,
    },
  ]);
});

test('“Local” is the time of this computer, whatever the setting', () => {
  showTimesIn('utc');
  try {
    const token = readToken(jwt(GOOD));
    expect(timesOf(token, NOW)).toEqual(timesOf(token, NOW, ownZone()));
    expect(timesOf(token, NOW)[0]?.local).not.toContain('UTC');
  } finally {
    showTimesIn('local');
  }
});

test('the summary names what the token is for, with what others wrote made visible', () => {
  const token = readToken(
    jwt({
      ...GOOD,
      scp: 'Orders.Read',
      aud: '00000003-0000-0000-c000-000000000000',
      preferred_username: 'dana\u202e@contoso.example',
      appid: '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
    }),
  );
  expect(summaryOf(token)).toEqual({
    title: 'Access token (JWT)',
    short: 'Access token (JWT) · Microsoft Graph',
    user: 'dana⟨U+202E⟩@contoso.example',
    facts: [
      { name: 'For', value: 'Microsoft Graph · 00000003-0000-0000-c000-000000000000' },
      { name: 'From', value: 'https://id.example/' },
      { name: 'User', value: 'dana⟨U+202E⟩@contoso.example' },
      { name: 'App', value: 'Azure CLI · 04b07795-8ddb-461a-bbee-02f9e1bf7b46' },
    ],
  });
  expect(summaryOf(readToken(jwt({ nonce: 'n' }))).title).toBe('ID token (JWT)');
});

test('two tokens: what differs, item by item where a claim is a set', () => {
  const a = jwt({ ...GOOD, scp: 'Read Write', amr: ['pwd', 'mfa'], tid: 't' });
  const b = jwt({ ...GOOD, scp: 'Read Export', amr: ['pwd'], groups: ['g'], tid: 't' });
  const found = compareTokens(a, b);
  expect(found?.title).toBe('3 of 9 claims differ');
  expect(found?.claims.filter(({ differs }) => differs)).toEqual([
    { name: 'scp', a: 'Read Write', b: 'Read Export', differs: true, onlyA: ['Write'], onlyB: ['Export'] },
    { name: 'amr', a: 'pwd  mfa', b: 'pwd', differs: true, onlyA: ['mfa'], onlyB: [] },
    { name: 'groups', a: null, b: 'g', differs: true, onlyA: [], onlyB: [] },
  ]);
  expect(compareTokens(a, a)).toMatchObject({ title: 'The tokens are the same', text: '' });
  expect(compareTokens(jwt({ a: 1 }), jwt(JSON.parse('{"a":1,"__proto__":2}') as object))?.title).toBe(
    '1 of 2 claims differs',
  );
});

test('numbers keep all their digits: tokens that differ in the last one are different', () => {
  const of = (json: string) => `${part({ alg: 'RS256' })}.${Buffer.from(json).toString('base64url')}.c2ln`;
  const [a, b] = ['789', '700'].map((end) => of(`{"uid":1234567890123456${end},"x":{"y":[1e400]},"7":1}`));
  expect(readToken(a!)).toMatchObject({
    payload: [
      { name: 'uid', json: '1234567890123456789' },
      { name: 'x', json: '{"y":[1e400]}' },
      { name: '7', json: '1' },
    ],
  });
  expect(compareTokens(a!, b!)).toMatchObject({
    title: '1 of 3 claims differs',
    claims: [{ name: 'uid', a: '1234567890123456789', b: '1234567890123456700', differs: true }, {}, {}],
  });
  expect(compareTokens(of('{"x":{"a":1.0,"b":1e400}}'), of('{"x":{"b":1e400,"a":1}}'))?.title).toBe(
    'The claims are the same',
  );
});

test('two tokens: an item that is repeated is shown once, and is a difference where only one token repeats it', () => {
  const found = compareTokens(
    jwt({ scp: 'Read Read Write', aud: ['a', 'b', 'b'], amr: ['pwd', 'pwd'] }),
    jwt({ scp: 'Write Export Export', aud: ['b', 'a', 'a'], amr: ['pwd', 'pwd'] }),
  );
  expect(found?.claims.map(({ name, differs, onlyA, onlyB }) => [name, differs, onlyA, onlyB])).toEqual([
    ['scp', true, ['Read'], ['Export']],
    ['aud', true, [], []],
    ['amr', false, [], []],
  ]);
});

test('two tokens: headers and signatures count as well', () => {
  const signed = (payload: object, header: object, signature: string) =>
    `${part(header)}.${part(payload)}.${signature}`;
  const a = signed(GOOD, { alg: 'RS256', kid: 'k1' }, 'AAAA');
  const says = (b: string) => {
    const found = compareTokens(a, b);
    return `${found?.title ?? ''}. ${found?.text ?? ''}`.trim();
  };
  expect(says(a)).toBe('The tokens are the same.');
  expect(says(signed(GOOD, { alg: 'RS256', kid: 'k1' }, 'BBBB'))).toBe(
    'The claims are the same. The signatures differ.',
  );
  const other = signed(GOOD, { alg: 'none', kid: 'k1' }, '');
  expect(says(other)).toBe('The claims are the same. The headers and signatures differ.');
  expect(compareTokens(a, other)?.header.filter(({ differs }) => differs)).toMatchObject([
    { name: 'alg', a: 'RS256', b: 'none' },
  ]);
  // A signature copied to other claims, or to the same claims with another header.
  const changed = 'The signatures are the same, so at least one of the tokens was changed.';
  expect(says(signed({ ...GOOD, aud: 'api://admin' }, { alg: 'RS256', kid: 'k1' }, 'AAAA'))).toBe(
    `1 of 5 claims differs. ${changed}`,
  );
  expect(says(signed(GOOD, { kid: 'k1', alg: 'RS256' }, 'AAAA'))).toBe(`The claims are the same. ${changed}`);
  expect(says(signed(GOOD, { alg: 'RS256' }, 'AAAA'))).toBe(
    `The claims are the same. The headers differ. ${changed}`,
  );
  // Two tokens without signatures have no signature in common.
  const none = { alg: 'none' };
  expect(compareTokens(signed(GOOD, none, ''), signed({ ...GOOD, aud: 'x' }, none, ''))?.text).toBe('');
});

test('the label of a token ends without punctuation', () => {
  expect(tokenLabel(readToken(jwt({ exp: NOW - 300 })), NOW)?.title).toBe('Expired 5 min ago');
  expect(tokenLabel(readToken('opaque-token'), NOW)?.title).toBe('Opaque token');
});

test('a token to compare is named once, with its user', () => {
  const named = (values: object) => {
    const { short, user } = summaryOf(readToken(jwt(values)));
    return [short, user];
  };
  const graph = {
    aud: 'https://graph.microsoft.com',
    scp: 'User.Read',
    preferred_username: 'dana@x.example',
  };
  expect(named(graph)).toEqual(['Access token (JWT) · Microsoft Graph', 'dana@x.example']);
  expect(named({ aud: 'api://orders' })).toEqual(['Token (JWT) · orders', null]);
  expect(named({})).toEqual(['Token (JWT)', null]);
  expect(summaryOf(readToken('opaque'))).toEqual({
    title: 'Opaque token',
    short: 'Opaque token',
    user: null,
    facts: [],
  });
});

test('order makes no difference where it has no meaning, and what has no claims is not compared', () => {
  const a = jwt({ scp: 'Read Write', cnf: { x: 1, y: 2 }, aud: ['a', 'b'], list: [1, 2] });
  const b = jwt({ scp: 'Write Read', cnf: { y: 2, x: 1 }, aud: ['b', 'a'], list: [2, 1] });
  const found = compareTokens(a, b);
  expect(found?.claims.flatMap(({ name, differs }) => (differs ? [name] : []))).toEqual(['list']);
  expect(whyNotCompared(a, b)).toBeNull();
  expect(compareTokens(a, 'opaque')).toBeNull();
  expect(whyNotCompared(a, 'opaque')).toBe(
    'Token B has no claims that can be read. The tokens are different.',
  );
  expect(whyNotCompared('opaque', a)).toMatch(/^Token A/);
  expect(whyNotCompared('opaque', 'opaque')).toBe(
    'Neither token has claims that can be read. The tokens are the same.',
  );
});

test('what is pasted on the page replaces the token, or is the one that a comparison lacks', async () => {
  const { inspect } = (await stage()).model;
  const slots = () => [inspect.view.get().first, inspect.view.get().second];
  inspect.take('a');
  inspect.take('b');
  expect(slots()).toEqual(['b', '']);
  inspect.compare(true);
  inspect.take('c');
  expect(slots()).toEqual(['b', 'c']);
  inspect.take('d');
  expect(slots()).toEqual(['b', 'd']);
  inspect.set('first', ' ');
  inspect.take('e');
  expect(slots()).toEqual(['e', 'd']);
});

test('another input starts with its first token', async () => {
  const { model } = await stage();
  const { inspect } = model;
  inspect.set('first', JSON.stringify({ access_token: jwt(GOOD), id_token: jwt(GOOD) }));
  inspect.choose('first', 1);
  inspect.swap();
  expect(inspect.view.get().chosen).toEqual({ first: 0, second: 1 });
  inspect.set('second', JSON.stringify({ access_token: 'a', id_token: 'b' }));
  expect(inspect.view.get().chosen).toEqual({ first: 0, second: 0 });
});

test('nothing of it is kept once the screen is locked', async () => {
  const { model, bridge } = await stage();
  model.pages.show('inspect');
  model.inspect.set('first', jwt(GOOD));
  bridge.emit('lock' as never, null as never);
  expect(model.inspect.view.get()).toMatchObject({ first: '', second: '' });
});

test('nothing of it is kept once another page is shown', async () => {
  const { model, bridge } = await stage();
  bridge.asked.length = 0;
  model.pages.show('inspect');
  model.inspect.set('first', jwt(GOOD));
  model.inspect.set('second', 'b');
  model.inspect.swap();
  expect(model.inspect.view.get()).toMatchObject({ first: 'b' });
  model.pages.show('accounts');
  expect(model.inspect.view.get()).toMatchObject({ first: '', second: '', compares: false });
  expect(bridge.asked).toEqual([]);
});
