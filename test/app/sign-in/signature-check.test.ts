import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SignatureResult } from '../../../app/contract.ts';
import { signInChecks } from '../../../app/sign-in/arguments.ts';
import { checkSignature } from '../../../app/sign-in/signature-check.ts';
import type { Question } from '../../../src-main/ipc/questions.ts';
import { json, metadataOf } from './fake-issuer.ts';

const ISSUER = 'https://id.example/team';
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const unsigned = (header: object, payload: object = { iss: ISSUER }) =>
  `${part(header)}.${part(payload)}.c2ln`;

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
const pairs = new Map<string, Pair>();
let served: Map<string, () => Response | Promise<Response>>;
let requested: string[];
let asked: Question[];
let agree: boolean;
/** A part of a question that is answered with No. */
let refused: string;

beforeAll(async () => {
  for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA'])
    pairs.set(alg, await generateKeyPair(alg, { extractable: true }));
});

beforeEach(async () => {
  const keys = await Promise.all(
    [...pairs].map(async ([alg, { publicKey }]) => ({
      ...(await exportJWK(publicKey)),
      kid: `the ${alg} key`,
      use: 'sig',
    })),
  );
  served = new Map([
    [`${ISSUER}/.well-known/openid-configuration`, () => json(metadataOf(ISSUER))],
    [`${ISSUER}/keys`, () => json({ keys })],
  ]);
  [requested, asked, agree, refused] = [[], [], true, 'no such question'];
});

const signed = (alg = 'RS256', header: object = {}, payload: object = {}) =>
  new SignJWT({ iss: ISSUER, ...payload })
    .setProtectedHeader({ alg, kid: `the ${alg} key`, ...header })
    .sign(pairs.get(alg)!.privateKey);

const check = (token: string) =>
  checkSignature(token, {
    now: () => 1_800_000_000,
    ask(question) {
      asked.push(question);
      return Promise.resolve(agree && !question.message.includes(refused));
    },
    fetch: async (input, init) => {
      const url = input instanceof Request ? input.url : String(input);
      requested.push(url);
      expect(JSON.stringify([url, init])).not.toContain(token);
      expect(init).toMatchObject({ credentials: 'omit', redirect: 'error' });
      return (await served.get(url)?.()) ?? json({}, 404);
    },
  });
const resultOf = async (token: string): Promise<SignatureResult | null> => check(token);

describe('a signature', () => {
  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'])(
    'of %s is valid with the key that the token names',
    async (alg) => {
      expect(await resultOf(await signed(alg))).toEqual({
        result: 'valid',
        key_id: `the ${alg} key`,
        algorithm: alg,
        keysFrom: `${ISSUER}/keys`,
        at: 1_800_000_000,
      });
      expect(requested).toEqual([`${ISSUER}/.well-known/openid-configuration`, `${ISSUER}/keys`]);
    },
  );

  it('is not valid once a claim was changed', async () => {
    const [header, , signature] = (await signed()).split('.');
    const changed = `${header}.${part({ iss: ISSUER, roles: ['admin'] })}.${signature}`;
    expect(await resultOf(changed)).toMatchObject({ result: 'invalid', key_id: 'the RS256 key' });
  });

  it('whose key the issuer does not publish is neither', async () => {
    expect(await resultOf(await signed('RS256', { kid: 'another' }))).toMatchObject({
      result: 'key-not-found',
      key_id: 'another',
    });
  });

  it('without a key name is tried with each key', async () => {
    const other = await generateKeyPair('RS256', { extractable: true });
    const rsa = pairs.get('RS256')!;
    const keys = await Promise.all([other, rsa].map(({ publicKey }) => exportJWK(publicKey)));
    served.set(`${ISSUER}/keys`, () => json({ keys }));
    expect(await resultOf(await signed('RS256', { kid: undefined }))).toMatchObject({
      result: 'valid',
      key_id: null,
    });
    const stranger = await generateKeyPair('RS256');
    const forged = await new SignJWT({ iss: ISSUER })
      .setProtectedHeader({ alg: 'RS256' })
      .sign(stranger.privateKey);
    expect(await resultOf(forged)).toMatchObject({ result: 'invalid' });
  });
});

describe('the user is asked first', () => {
  it('with the issuer as the token spells it, and nothing is requested without a yes', async () => {
    agree = false;
    expect(await resultOf(await signed())).toBeNull();
    expect(asked).toEqual([
      {
        message: 'Check signature?',
        detail: `Tokenkeep requests the public keys of ${ISSUER} once. The token isn’t sent.`,
        yes: 'Check',
      },
    ]);
    expect(requested).toEqual([]);
  });

  it('again, where the keys are on another host', async () => {
    const keys = served.get(`${ISSUER}/keys`)!;
    served.set('https://keys.example/jwks', keys);
    served.set(`${ISSUER}/.well-known/openid-configuration`, () =>
      json({ ...metadataOf(ISSUER), jwks_uri: 'https://keys.example/jwks' }),
    );
    expect(await resultOf(await signed())).toMatchObject({
      result: 'valid',
      keysFrom: 'https://keys.example/jwks',
    });
    expect(asked[1]).toMatchObject({ message: 'Request the keys from keys.example?', yes: 'Request' });
    [requested, refused] = [[], 'keys.example'];
    expect(await resultOf(await signed())).toBeNull();
    expect(requested).toEqual([`${ISSUER}/.well-known/openid-configuration`]);
  });
});

it.each<[string, string, string]>([
  ['opaque', 'opaque', 'opaque-text'],
  ['no JSON in its header', 'opaque', 'a.b.c'],
  ['a JWE', 'encrypted', `${part({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.a.b.c.d`],
  ['unsigned', 'unsigned', unsigned({ alg: 'None' })],
  ['signed with the client’s secret', 'shared-secret', unsigned({ alg: 'HS256' })],
  ['without an issuer', 'no-issuer', unsigned({ alg: 'RS256' }, {})],
  ['from an issuer without TLS', 'no-issuer', unsigned({ alg: 'RS256' }, { iss: 'http://id.example' })],
  [
    'from an issuer with a password',
    'no-issuer',
    unsigned({ alg: 'RS256' }, { iss: 'https://a:b@id.example' }),
  ],
  [
    'from an issuer with a query',
    'no-issuer',
    unsigned({ alg: 'RS256' }, { iss: 'https://id.example/?t=secret' }),
  ],
  [
    'from an issuer with a line break',
    'no-issuer',
    unsigned({ alg: 'RS256' }, { iss: 'https://id.example/\nx' }),
  ],
  ['from a file', 'no-issuer', unsigned({ alg: 'RS256' }, { iss: 'file:///etc/passwd' })],
  ['Graph’s', 'graph', unsigned({ alg: 'RS256', nonce: 'n' }, { iss: 'https://sts.windows.net/72f988bf/' })],
])('a token that is %s can’t be checked, and nobody is asked', async (_what, why, token) => {
  expect(await resultOf(token)).toEqual({ result: 'uncheckable', why });
  expect(asked).toEqual([]);
  expect(requested).toEqual([]);
});

it.each<[string, string, () => Response | Promise<Response>]>([
  [
    'provider_unreachable',
    'no answer',
    () => Promise.reject(new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') })),
  ],
  ['provider_unreachable', 'a broken server', () => json({}, 503)],
  ['provider_unreachable', 'a server that was asked too much', () => json({}, 429)],
  ['provider_unsuitable', 'no metadata', () => json({}, 404)],
  ['provider_unsuitable', 'text', () => new Response('<html>')],
  ['provider_unsuitable', 'metadata of another issuer', () => json(metadataOf('https://other.example'))],
  [
    'provider_unsuitable',
    'keys without TLS',
    () => json({ ...metadataOf(ISSUER), jwks_uri: 'http://id.example/keys' }),
  ],
  ['answer_invalid', 'too much', () => new Response('x'.repeat(2 ** 21))],
])('%s: %s', async (code, _what, answer) => {
  served.set(`${ISSUER}/.well-known/openid-configuration`, answer);
  await expect(check(await signed())).rejects.toMatchObject({ code });
});

it('the window sends a text or an id, and nothing else', () => {
  const arguments_ = (value: unknown) => signInChecks.checkSignature([value]);
  expect(arguments_({ text: 'a.b.c' })).toEqual([{ text: 'a.b.c' }]);
  expect(arguments_({ tokenId: 'Ab-_.c.azure-cli' })).toEqual([{ tokenId: 'Ab-_.c.azure-cli' }]);
  for (const wrong of [
    {},
    null,
    'a.b.c',
    { text: 1 },
    { tokenId: '../x' },
    { text: 'a', tokenId: 'b' },
    { text: 'x'.repeat(1_000_001) },
  ])
    expect(() => arguments_(wrong)).toThrow();
});
