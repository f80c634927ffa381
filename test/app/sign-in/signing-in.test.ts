import { once } from 'node:events';
import { get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunningProvider, startProvider } from '../../../examples/provider/provider.ts';
import { trustingFetch } from '../../../examples/provider/trusting-fetch.ts';
import type { Question } from '../../../src-main/ipc/questions.ts';
import { cachedAccounts } from '../../../src-main/accounts/cached-accounts.ts';
import { tokenList } from '../../../src-main/ipc/signatures.ts';
import { callback } from '../../support/callback.ts';
import { codeOf, type Stage, stage } from './stage.ts';

let provider: RunningProvider;
let here: Stage;

beforeAll(async () => {
  provider = await startProvider({ deviceInterval: 1, entra: true });
});
afterAll(() => provider.stop());
beforeEach(async () => {
  provider.events.clear();
  provider.outages.clear();
  here = await stage(provider);
});
afterEach(() => here.close());

const accounts = () => here.vault.read((cache) => cache.accounts().map(({ username }) => username));

/** Everything that the window was told, as it was sent. */
const toldText = () => JSON.stringify(here.told);

describe('with the browser', () => {
  it('signs in and puts the tokens into the vault, under the ID that its ID token gives the account', async () => {
    const done = await here.go();
    expect(done).toMatchObject({ step: 'done', accountId: expect.any(String) as unknown });
    expect(await here.vault.read((cache) => cache.accounts()[0]?.home_account_id)).toBe('noor');
    expect(await accounts()).toEqual(['noor@contoso.example']);
    const found = await here.vault.read((cache) => ({
      access: cache.find('AccessToken', { target: ['orders.read'] }).map((token) => token.token_type),
      refresh: cache.find('RefreshToken').length,
      id: cache.find('IdToken').length,
    }));
    expect(found).toEqual({ access: ['Bearer'], refresh: 1, id: 1 });
    expect(here.told.map(({ step }) => step)).toEqual(['starting', 'browser', 'finishing', 'done']);
  });

  it('records that the signature of the ID token is valid', async () => {
    const signature = async () => {
      const id = await here.vault.read((cache) => [...cachedAccounts(cache).byId.keys()][0]!);
      return here.vault.read((cache) => ({
        id,
        secret: cache.find('IdToken')[0]!.secret,
        ...tokenList(cache, id).find(({ type }) => type === 'IdToken')!.signature,
      }));
    };
    await here.go();
    const first = await signature();
    const { kid } = JSON.parse(Buffer.from(first.secret.split('.')[0]!, 'base64url').toString()) as {
      kid: string;
    };
    expect(first).toMatchObject({ key_id: kid, at: expect.any(Number) as number });
    expect(await here.signing.handlers.refreshNow(null, first.id, null)).toMatchObject({ problem: null });
    // A refresh brings an ID token: the same one within a second of the first, or a new one, which is checked as well.
    const refreshed = await signature();
    expect(refreshed).toMatchObject({ id: first.id, key_id: kid });
    expect(refreshed.at).toBeGreaterThanOrEqual(first.at!);
  });

  it('shows a page in the browser that says so, stores nothing and runs no script', async () => {
    await here.go();
    const page = await here.arrived[0]!;
    expect(page.title).toContain('You are signed in');
    expect(page.html).not.toMatch(/<script/);
  });

  it('takes any free port, sends PKCE and asks for a nonce', async () => {
    await here.go();
    const asked = new URL(here.opened[0]!).searchParams;
    expect(asked.get('redirect_uri')).toMatch(/^http:\/\/127\.0\.0\.1:\d{4,5}\/$/);
    expect(asked.get('code_challenge_method')).toBe('S256');
    expect(asked.get('nonce')).toMatch(/^[\w-]{43}$/);
    expect(asked.get('state')).toMatch(/^[\w-]{43}$/);
  });

  it('sends a code that is useless to whoever has heard it: the provider wants the verifier with it (PKCE)', async () => {
    const trusting = trustingFetch(provider.ca);
    const stolen: (string | undefined)[] = [];
    await here.close();
    here = await stage(
      provider,
      {},
      {
        async fetch(input, init) {
          const { body } = init ?? {};
          if (body instanceof URLSearchParams && body.get('code') !== null && body.has('code_verifier')) {
            // Another program is faster than the app.
            for (const verifier of [null, 'x'.repeat(43)]) {
              const theirs = new URLSearchParams(body);
              theirs.delete('code_verifier');
              if (verifier !== null) theirs.set('code_verifier', verifier);
              const answer = await trusting(input, { ...init, body: theirs });
              stolen.push(((await answer.json()) as { error?: string }).error);
            }
          }
          return trusting(input, init);
        },
      },
    );
    expect(await here.go()).toMatchObject({ step: 'done' });
    expect(stolen.length).toBeGreaterThan(1);
    expect(stolen.filter((error) => error !== 'invalid_grant')).toEqual([]);
  });

  it('signs in a second user without changing the first', async () => {
    await here.go();
    here.person = { user: 'yuki' };
    await here.go();
    expect((await accounts()).sort()).toEqual(['noor@contoso.example', 'yuki@fabrikam.example']);
  });

  it('says that consent was refused', async () => {
    here.person = { user: 'noor', refuse: 'consent' };
    expect(codeOf(await here.go())).toBe('consent_refused');
    expect((await here.arrived[0]!).title).toContain('Sign-in failed');
    expect(await accounts()).toEqual([]);
  });

  it('closes its port when it is cancelled, and tells the window nothing more', async () => {
    here.person = null;
    await here.signing.handlers.signIn(null, here.profile.id, 'browser', null);
    await here.until('browser');
    const redirect = new URL(here.opened[0]!).searchParams.get('redirect_uri')!;
    await here.signing.handlers.cancelSignIn(null);
    expect(await here.until('none')).toEqual({ step: 'none' });
    await expect(reach(redirect)).rejects.toThrow('ECONNREFUSED');
    expect(await accounts()).toEqual([]);
  });

  it('is cancelled at once while the provider does not answer, and no failure follows', async () => {
    let fail = (): void => undefined;
    const gone = new TypeError('net::ERR_INTERNET_DISCONNECTED');
    let network: 'gone' | 'hangs' | 'answers' = 'gone';
    const trusting = trustingFetch(provider.ca);
    const slow = await stage(
      provider,
      {},
      {
        fetch(input, init) {
          if (network === 'answers') return trusting(input, init);
          return new Promise((_resolve, reject) => {
            fail = () => reject(gone);
            if (network === 'gone') fail();
          });
        },
      },
    );
    network = 'hangs';
    try {
      await slow.signing.handlers.signIn(null, slow.profile.id, 'browser', null);
      await slow.until('starting');
      await slow.signing.handlers.cancelSignIn(null);
      expect(await slow.until('none')).toEqual({ step: 'none' });
      fail();
      network = 'answers';
      expect(slow.told.map(({ step }) => step)).toEqual(['starting', 'none']);
      // The failure that nobody waits for any more is forgotten a moment later.
      await expect.poll(async () => (await slow.go()).step).toBe('done');
    } finally {
      await slow.close();
    }
  });

  it('starts over if it is started again, and ignores the first attempt’s result', async () => {
    here.person = null;
    await here.signing.handlers.signIn(null, here.profile.id, 'browser', null);
    await here.until('browser');
    here.person = { user: 'olu' };
    await here.go();
    expect(await accounts()).toEqual(['olu@fabrikam.example']);
  });

  it('ignores a call with another state, and continues to wait for its own', async () => {
    here.person = null;
    await here.signing.handlers.signIn(null, here.profile.id, 'browser', null);
    await here.until('browser');
    const redirect = new URL(here.opened[0]!).searchParams.get('redirect_uri')!;
    for (const call of ['?code=stolen&state=another', '?error=access_denied', '']) {
      expect(await reach(`${redirect}${call}`)).toBe(200);
    }
    expect(here.told.at(-1)).toMatchObject({ step: 'browser' });
    await here.browser.visit(here.opened[0]!, { user: 'noor' });
    expect(await here.until('done')).toMatchObject({ step: 'done' });
    expect(await accounts()).toEqual(['noor@contoso.example']);
  });

  it.each(['&iss=https://another.example', ''])(
    'takes no code that another provider gave, or nobody says who gave (RFC 9207): %s',
    async (iss) => {
      here.person = null;
      await here.signing.handlers.signIn(null, here.profile.id, 'browser', null);
      await here.until('browser');
      const asked = new URL(here.opened[0]!).searchParams;
      void reach(`${asked.get('redirect_uri')!}?code=another&state=${asked.get('state')!}${iss}`);
      expect(codeOf(await here.until('done'))).toBe('answer_invalid');
      expect(await accounts()).toEqual([]);
    },
  );

  it('answers nothing but the one call: no other path, method or host name', async () => {
    here.person = null;
    await here.signing.handlers.signIn(null, here.profile.id, 'browser', null);
    await here.until('browser');
    const redirect = new URL(here.opened[0]!).searchParams.get('redirect_uri')!;
    expect(await reach(`${redirect}favicon.ico`)).toBe(404);
    expect(await reach(redirect, { host: 'evil.example' })).toBe(404);
    expect(here.told.at(-1)).toMatchObject({ step: 'browser' });
  });
});

it('asks before a profile brings in an issuer, and saves none without a yes', async () => {
  const asked: string[] = [];
  let agree = true;
  await here.close();
  const confirm = (_caller: null, { message }: Question) => {
    asked.push(message);
    return Promise.resolve(agree);
  };
  here = await stage(provider, {}, { confirm });
  const { id, ...draft } = here.profile;
  const save = async (authority: string, kind: 'oidc' | 'microsoft' = 'oidc') =>
    here.signing.handlers.saveProfile(null, { ...draft, kind, authority }, id);
  agree = false;
  await expect(save(`${provider.issuer}/another/path`)).rejects.toMatchObject({ code: 'host_refused' });
  await save(provider.issuer);
  await save('organizations', 'microsoft');
  expect(asked).toEqual([
    `Let Tokenkeep use ${provider.issuer}?`, // once
    `Let Tokenkeep use ${provider.issuer}/another/path?`, // another issuer on the same host
  ]);
  await expect(save('https://elsewhere.example')).rejects.toMatchObject({ code: 'host_refused' });
  const saved = await here.signing.handlers.profiles(null);
  expect(saved.map(({ authority }) => authority)).toEqual(['organizations']);
});

/** A provider whose device codes last that many seconds. */
function lasting(seconds: number): typeof fetch {
  const trusting = trustingFetch(provider.ca);
  return async (input, init) => {
    const answer = await trusting(input, init);
    if (!new Request(input).url.endsWith('/devicecode')) return answer;
    const codes = (await answer.json()) as object;
    return Response.json({ ...codes, expires_in: seconds });
  };
}

describe('with a code on another device', () => {
  it('shows the code and where to enter it, and signs in', async () => {
    here.person = null;
    await here.signing.handlers.signIn(null, here.profile.id, 'device', null);
    const shown = await here.until('device');
    if (shown.step !== 'device') throw new Error(toldText());
    expect(shown.userCode).toMatch(/^[A-Z]{4}-[A-Z]{4}$/);
    expect(shown.expiresAt - Date.now() / 1000).toBeGreaterThan(500);
    await here.browser.visit(shown.direct, { user: 'piet' });
    await here.until('done');
    expect(await accounts()).toEqual(['piet@contoso.example']);
  });

  it('does not promise more time than the attempt has', async () => {
    await here.close();
    here = await stage(provider, {}, { fetch: lasting(900) });
    const began = Date.now() / 1000;
    await here.signing.handlers.signIn(null, here.profile.id, 'device', null);
    const shown = await here.until('device');
    if (shown.step !== 'device') throw new Error(toldText());
    expect(shown.expiresAt - began).toBeLessThan(610);
    await here.signing.handlers.cancelSignIn(null);
  });

  it('says that consent was refused', async () => {
    here.person = null;
    await here.signing.handlers.signIn(null, here.profile.id, 'device', null);
    const shown = await here.until('device');
    if (shown.step !== 'device') throw new Error(toldText());
    await here.browser.visit(shown.direct, { user: 'piet', refuse: 'consent' });
    expect(codeOf(await here.until('done'))).toBe('consent_refused');
  });

  it('is cancelled at any time', async () => {
    await here.signing.handlers.signIn(null, here.profile.id, 'device', null);
    await here.until('device');
    await here.signing.handlers.cancelSignIn(null);
    expect(await here.until('none')).toEqual({ step: 'none' });
  });
});

describe('each failure has its own sentence', () => {
  const failing = async (changes: Parameters<typeof stage>[1], doors: Parameters<typeof stage>[2] = {}) => {
    await here.close();
    here = await stage(provider, changes, doors);
    const progress = await here.go();
    if (progress.step !== 'failed') throw new Error(toldText());
    expect(here.faults).toEqual([]);
    return progress.error;
  };

  it('a client ID that the provider does not know, although the provider never calls back', async () => {
    const error = await failing({ client_id: 'nobody' });
    expect(error.code).toBe('client_unknown');
    expect(error.message).toContain('nobody');
  });

  it('and nothing while the vault is locked, of which nobody can tell what it has cached', async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown) => void rejections.push(reason);
    process.on('unhandledRejection', note);
    await here.close();
    let asked = 0;
    here = await stage(
      provider,
      {},
      { ownVault: () => ((asked += 1), Promise.reject(new Error('The vault is locked.'))) },
    );
    here.person = null;
    await here.signing.handlers.signIn(null, here.profile.id, 'browser', null);
    await here.until('browser');
    await here.signing.handlers.cancelSignIn(null);
    await here.until('none');
    await new Promise(setImmediate);
    process.off('unhandledRejection', note);
    expect([asked, rejections]).toEqual([1, []]);
  });

  it('the same in the device flow', async () => {
    await here.close();
    here = await stage(provider, { client_id: 'nobody' });
    expect(codeOf(await here.go('device'))).toBe('client_unknown');
  });

  it('a provider that does not answer', async () => {
    const error = await failing({ authority: 'https://localhost:1' });
    expect([error.code, error.message]).toEqual([
      'provider_unreachable',
      expect.stringContaining('localhost:1'),
    ]);
  });

  it('a provider that answers with faults', async () => {
    provider.outages.add('/.well-known/openid-configuration');
    expect((await failing({})).code).toBe('provider_unreachable');
  });

  it('a certificate of an unknown authority', async () => {
    expect((await failing({}, { fetch })).code).toBe('provider_untrusted');
  });

  it('an address that is no provider', async () => {
    expect((await failing({ authority: `${provider.issuer}/elsewhere` })).code).toBe('provider_unsuitable');
  });

  it('a provider whose page is not a web address', async () => {
    const trusting = trustingFetch(provider.ca);
    for (const endpoint of ['authorization_endpoint', 'end_session_endpoint']) {
      const bent = changing(trusting, (body) => ({ ...body, [endpoint]: 'file:///usr/bin/true' }));
      expect((await failing({}, { fetch: bent })).code).toBe('provider_unsuitable');
      expect(here.opened).toEqual([]);
    }
  });

  it('an endless response, which is abandoned', async () => {
    let sent = 0;
    const endless = new ReadableStream({
      pull(stream) {
        sent += 1;
        stream.enqueue(new Uint8Array(64 * 1024).fill(0x20));
      },
    });
    const fetchFn = () =>
      Promise.resolve(new Response(endless, { headers: { 'content-type': 'application/json' } }));
    expect((await failing({}, { fetch: fetchFn })).code).toBe('answer_invalid');
    expect(sent).toBeLessThan(100);
  });

  it('a provider without the device flow', async () => {
    await here.close();
    const trusting = trustingFetch(provider.ca);
    here = await stage(
      provider,
      {},
      { fetch: changing(trusting, (body) => ({ ...body, device_authorization_endpoint: undefined })) },
    );
    expect(codeOf(await here.go('device'))).toBe('no_device_flow');
  });

  it('a clock that is off by hours', async () => {
    // Nobody checks the signature of an ID token that came straight from the token endpoint (Core §3.1.3.7).
    const earlier = ({ id_token, ...rest }: Record<string, unknown>) => {
      if (typeof id_token !== 'string') return rest;
      const [header, payload = '', signature] = id_token.split('.');
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { iat: number; exp: number };
      const moved = JSON.stringify({ ...claims, iat: claims.iat - 10_800, exp: claims.exp - 10_800 });
      return { ...rest, id_token: [header, Buffer.from(moved).toString('base64url'), signature].join('.') };
    };
    const late = changing(trustingFetch(provider.ca), earlier);
    const error = await failing({}, { fetch: late });
    expect(error.code).toBe('clock_skew');
  });

  it('no browser', async () => {
    const none = () => Promise.reject(new Error('no application for https'));
    expect((await failing({}, { openBrowser: none })).code).toBe('no_browser');
  });

  it('a redirect port that another program has', async () => {
    const { uri } = await callback();
    const error = await failing({ redirect_uri: uri });
    expect([error.code, error.message]).toEqual(['port_taken', expect.stringContaining(uri)]);
    await reach(uri);
  });

  it('a port of which another program has one of the two addresses that localhost may be', async () => {
    const other = createServer();
    await once(other.listen(0, '::1'), 'listening');
    const { port } = other.address() as AddressInfo;
    const error = await failing({ redirect_uri: `http://localhost:${port}` });
    expect([error.code, error.message]).toEqual(['port_taken', expect.stringContaining(`:${port}`)]);
    other.close();
  });
});

/** A fetch whose answers in JSON are changed on their way. */
function changing(fetchFn: typeof fetch, change: (body: Record<string, unknown>) => unknown): typeof fetch {
  return async (input, init) => {
    const answer = await fetchFn(input, init);
    const body = (await answer.json()) as Record<string, unknown>;
    return Response.json(change(body), { status: answer.status });
  };
}

/** A request outside any browser; gives the status. */
function reach(url: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { headers, agent: false }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
    }).on('error', reject);
  });
}
