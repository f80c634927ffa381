/** What is checked of a token response beside openid-client's checks, and what is recorded of the signature. */
import { expect, it } from 'vitest';
import { checkReceived } from '../../../app/sign-in/received.ts';
import { cachedAccounts } from '../../../src-main/accounts/cached-accounts.ts';
import { changeHistory, historyOf } from '../../../src-main/accounts/account-history.ts';
import { tokenList, withSignature } from '../../../src-main/ipc/signatures.ts';
import { SerializableTokenCache } from '../../../src-main/cache/document/serializable-token-cache.ts';
import { base64url } from '../../cache/events.ts';
import { signInOf } from './fake-issuer.ts';

const ISSUER = 'https://id.example';
const provider = { issuer: ISSUER, client_id: 'app' };
const idToken = (claims: object) =>
  `${base64url({ alg: 'ES256', kid: 'k1' })}.${base64url({ sub: 'u1', ...claims })}.signature`;

it.each([
  ['of this app', { azp: 'app' }, []],
  ['without an authorized party', {}, []],
  ['of the same user', {}, ['u1']],
])('an ID token %s is accepted', (_what, claims, subjects) => {
  const secret = idToken(claims);
  expect(checkReceived({ id_token: secret }, provider, subjects)).toEqual({ secret, key_id: 'k1' });
});

it.each([
  [
    'an ID token that another app requested',
    { id_token: idToken({ azp: 'another', aud: ['app', 'another'] }) },
    [],
  ],
  ['an authorized party that is no text', { id_token: idToken({ azp: ['app'] }) }, []],
  ['an ID token of another user in a refresh', { id_token: idToken({}) }, ['u2']],
  ['a user whose name differs in case', { id_token: idToken({ sub: 'U1' }) }, ['u1']],
  ['an ID token that is no JWT', { id_token: 'x.y.z' }, []],
  ...['iss', 'sub', 'aud', 'exp'].map((name): [string, { id_token: string }, string[]] => [
    `an ID token with two of ${name}`,
    { id_token: `e30.${Buffer.from(`{"sub":"u1","${name}":"x","${name}":"u1"}`).toString('base64url')}.x` },
    [],
  ]),
  [
    'an ID token with an escaped name that is another one’s',
    { id_token: `e30.${Buffer.from('{"sub":"u2","s\\u0075b":"u1"}').toString('base64url')}.x` },
    ['u1'],
  ],
  [
    'an ID token with two keys in its header',
    {
      id_token: `${Buffer.from('{"kid":"a","kid":"b"}').toString('base64url')}.${base64url({ sub: 'u1' })}.x`,
    },
    [],
  ],
  ['an error with status 200', { error: 'x', access_token: 'y' }, []],
])('%s is refused', (_what, response, subjects) => {
  expect(() => checkReceived(response, provider, subjects)).toThrow(
    expect.objectContaining({ code: 'answer_invalid' }) as Error,
  );
});

it('a signature belongs to the bytes of one token, and is forgotten with it', () => {
  const cache = new SerializableTokenCache();
  cache.add(signInOf(ISSUER, 'u1', 'one'));
  const [id = ''] = cachedAccounts(cache).byId.keys();
  const account = () => cachedAccounts(cache).byId.get(id)!;
  const verify = (secret: string, key_id: string): void =>
    changeHistory(cache, id, {
      signatures: withSignature(account(), historyOf(cache, id), { secret, key_id, at: 5 }),
    });
  const shown = () => tokenList(cache, id).map(({ type, signature }) => [type, signature?.key_id ?? null]);
  verify(`${account().idTokens[0]!.secret}x`, 'of another token');
  expect(Object.keys(historyOf(cache, id).signatures)).toEqual([]);
  verify(account().idTokens[0]!.secret, 'k1');
  expect(shown()).toContainEqual(['IdToken', 'k1']);
  expect(shown().filter(([, key]) => key !== null)).toHaveLength(1);

  const next = signInOf(ISSUER, 'u1', 'two');
  const fresh = idToken({ iss: ISSUER, aud: 'app' });
  cache.add({ ...next, response: { ...next.response, id_token: fresh } });
  expect(shown()).toContainEqual(['IdToken', null]);
  verify(fresh, 'k2');
  expect(shown()).toContainEqual(['IdToken', 'k2']);
  expect(Object.keys(historyOf(cache, id).signatures)).toHaveLength(1);
});
