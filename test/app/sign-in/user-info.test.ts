/** User info: which token is sent to which host, after which question. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SignInError } from '../../../app/sign-in/failures.ts';
import { type SignIn, signIn } from '../../../app/sign-in/sign-in.ts';
import { purposeOf } from '../../../app/settings.ts';
import { memoryKeychain, openVault, type Vault } from '../../../src-main/index.ts';
import { cachedAccounts } from '../../../src-main/accounts/cached-accounts.ts';
import type { Question } from '../../../src-main/ipc/questions.ts';
import { json, metadataOf, quietPorts, signInOf } from './fake-issuer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ISSUER = 'https://sso.example/employer';
let vault: Vault;
let signing: SignIn<null>;
let account: string;
let asked: Question[];
let agrees: (question: Question) => boolean;
let metadata: object;
let answer: () => Response;
/** Requests with a token: to where, and with which. */
let sent: string[];

beforeEach(async () => {
  const folder = temporaryFolder();
  vault = await openVault({ file: join(folder, 'vault'), keychain: memoryKeychain() });
  [asked, sent, agrees] = [[], [], () => true];
  metadata = { userinfo_endpoint: `${ISSUER}/userinfo` };
  answer = () => json({ sub: 'u1', name: 'Ada Marsh', groups: ['staff'] });
  signing = signIn<null>({
    ...quietPorts(folder, () => vault),
    openBrowser: () => Promise.resolve(),
    confirm: (_caller, question) => {
      asked.push(question);
      return Promise.resolve(agrees(question));
    },
    fetch: (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input);
      if (url.pathname.endsWith('/.well-known/openid-configuration'))
        return Promise.resolve(json({ ...metadataOf(ISSUER), ...metadata }));
      sent.push(`${url.href} ${String(new Headers(init?.headers).get('authorization'))}`);
      expect(purposeOf(url.href, init)).toBe('User info');
      return Promise.resolve(answer());
    },
  });
  account = await add('ada');
});
afterEach(async () => {
  signing.stop();
  await vault.close();
});

async function add(label: string, changes: { scope?: string[]; expires_in?: number } = {}): Promise<string> {
  const { response, scope, ...event } = signInOf(ISSUER, 'u1', label);
  await vault.update((cache) =>
    cache.add({
      ...event,
      scope: changes.scope ?? scope,
      response: { ...response, expires_in: changes.expires_in ?? 3600 },
    }),
  );
  return vault.read((cache) => [...cachedAccounts(cache).byId.keys()][0]!);
}
const request = async () => signing.handlers.userInfo(null, account);
const refusal = async () =>
  request().then(
    () => 'none',
    (error: unknown) => (error instanceof SignInError ? error.code : String(error)),
  );

describe('user info', () => {
  it('has numbers to the last digit, and claims in the order of the answer', async () => {
    answer = () =>
      new Response('{"sub":"u1","uid":1234567890123456789,"7":true}', {
        headers: { 'content-type': 'application/json' },
      });
    expect(await request()).toMatchObject({
      claims: [
        { name: 'sub', json: '"u1"' },
        { name: 'uid', json: '1234567890123456789' },
        { name: '7', json: 'true' },
      ],
    });
  });

  it('is what the issuer of the account says, for one of its access tokens', async () => {
    expect(await request()).toEqual({
      claims: [
        { name: 'sub', json: '"u1"' },
        { name: 'name', json: '"Ada Marsh"' },
        { name: 'groups', json: '["staff"]' },
      ],
      host: 'sso.example',
      at: expect.any(Number) as number,
    });
    expect(sent).toEqual([`${ISSUER}/userinfo Bearer access of ada`]);
    expect(asked[0]).toMatchObject({ message: 'Request user info?', yes: 'Request' });
    expect(asked[0]?.detail).toContain(ISSUER);
  });

  it('is not requested without a yes: not the first, and not for another host', async () => {
    agrees = () => false;
    expect(await request()).toBeNull();
    metadata = { userinfo_endpoint: 'https://elsewhere.example/userinfo' };
    agrees = ({ message }) => !message.includes('elsewhere.example');
    expect(await request()).toBeNull();
    expect(asked.at(-1)?.message).toBe('Send the access token to elsewhere.example?');
    expect(sent).toEqual([]);
    agrees = () => true;
    expect(await request()).toMatchObject({ host: 'elsewhere.example' });
  });

  it('of another user is not shown (OpenID Connect Core §5.3.2)', async () => {
    answer = () => json({ sub: 'U1', name: 'Mallory' });
    expect(await refusal()).toBe('answer_invalid');
  });

  it.each([
    ['is not offered', () => void (metadata = {}), 'no_user_info'],
    [
      'has no https address',
      () => void (metadata = { userinfo_endpoint: 'http://sso.example/u' }),
      'no_user_info',
    ],
    ['is refused', () => void (answer = () => json({}, 403)), 'user_info_refused'],
    [
      'is challenged',
      () =>
        void (answer = () =>
          new Response(null, {
            status: 401,
            headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
          })),
      'user_info_refused',
    ],
    ['is out of order', () => void (answer = () => json({}, 503)), 'provider_unreachable'],
    ['was asked too much', () => void (answer = () => json({}, 429)), 'provider_unreachable'],
    ['is no JSON', () => void (answer = () => new Response('<html>')), 'provider_unsuitable'],
  ])('%s: the error says so', async (_what, set, code) => {
    set();
    expect(await refusal()).toBe(code);
  });

  it('needs a token that was granted for it, and that is valid', async () => {
    await vault.update((cache) => {
      for (const token of cache.find('AccessToken')) cache.modify('AccessToken', token, null);
    });
    expect(await refusal()).toBe('no_user_token');
    await add('an API', { scope: ['orders.read'] });
    expect(await refusal()).toBe('no_user_token');
    await add('long ago', { scope: ['openid', 'email'], expires_in: -10 });
    expect(await refusal()).toBe('no_user_token');
    expect([asked, sent]).toEqual([[], []]);
    await add('now', { scope: ['openid', 'profile'] });
    expect(await refusal()).toBe('none');
    expect(sent).toEqual([`${ISSUER}/userinfo Bearer access of now`]);
  });
});
