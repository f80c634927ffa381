/**
 * Four processes that share a vault, and a real provider that rotates refresh tokens and revokes all of a sign-in when one
 * comes twice.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningProvider, startProvider } from '../../examples/provider/provider.ts';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';
import { memoryKeychain, openVault, type Vault } from '../../src-main/index.ts';
import { browser } from '../support/browser.ts';
import { bundle } from '../support/bundle.ts';
import { callback } from '../support/callback.ts';
import { temporaryFolder } from '../vault/fakes.ts';

let program: string;
let provider: RunningProvider;
let ca: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  [program, provider] = await Promise.all([
    bundle(join(import.meta.dirname, 'program.ts')),
    startProvider({ entra: true }),
  ]);
  ca = join(temporaryFolder(), 'ca.pem');
  writeFileSync(ca, provider.ca);
}, 60_000);
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await provider.stop();
  rmSync(dirname(program), { recursive: true, force: true });
});

/** Signs a person in, and keeps the tokens as MSAL would have them. */
async function signIn(vault: Vault, user: string): Promise<void> {
  const trusting = trustingFetch(provider.ca);
  const options = { [oidc.customFetch]: trusting as oidc.CustomFetch };
  const config = await oidc.discovery(
    new URL(provider.issuer),
    'desktop-app',
    undefined,
    oidc.None(),
    options,
  );
  const { uri, called } = await callback();
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: uri,
    scope: 'openid profile email offline_access orders.read',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    prompt: 'consent', // or offline_access is not granted, for which MSAL asks each time
  });
  const [, back] = await Promise.all([browser(trusting).visit(url.href, { user }), called]);
  const tokens = await oidc.authorizationCodeGrant(config, back, { pkceCodeVerifier });
  const { host } = new URL(provider.issuer);
  const tid = provider.users.find(({ id }) => id === user)!.tid;
  await vault.update((cache) =>
    cache.add({
      client_id: 'desktop-app',
      scope: ['orders.read'],
      token_endpoint: `${provider.issuer}/token`,
      environment: host,
      realm: tid,
      response: { ...tokens },
    }),
  );
}

async function opened() {
  const file = join(temporaryFolder(), 'cache.vault');
  const key = randomBytes(32).toString('base64');
  const keychain = memoryKeychain();
  await keychain.set('Tokenkeep', 'vault/a', key);
  return { file, key, vault: await openVault({ file, keychain }) };
}

/** A process that gets tokens; `ask` gives what it says next. */
async function user({ file, key }: { file: string; key: string }, by: string, skew: number) {
  const child = spawn(process.execPath, [program, file, key, provider.issuer, by, String(skew)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_EXTRA_CA_CERTS: ca },
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String((await lines.next()).value);
  expect(await next()).toBe('ready');
  const ask = (how = 'go'): Promise<string> => {
    child.stdin.write(`${how}\n`);
    return next();
  };
  return { child, ask };
}

/** The access token there is has expired. */
async function expire(vault: Vault): Promise<void> {
  await vault.update((cache) => {
    for (const token of cache.find('AccessToken')) {
      cache.modify('AccessToken', token, { expires_on: String(Math.floor(Date.now() / 1000) - 1) });
    }
  });
}

it.each([
  { by: 'a callback', name: 'own', person: 'noor', times: 25 },
  { by: 'MSAL Node', name: 'msal', person: 'piet', times: 25 },
])(
  'by $by: four processes, $times expiries: one refresh for each, and no refresh token twice',
  async ({ name, person, times }) => {
    const place = await opened();
    await signIn(place.vault, person);
    provider.events.clear();
    // Their clocks differ by some seconds.
    const users = await Promise.all([-3, 0, 0, 4].map((skew) => user(place, name, skew)));
    for (let time = 1; time <= times; time += 1) {
      await expire(place.vault);
      const said = await Promise.all(users.map(({ ask }) => ask()));
      expect(said.filter((line) => !line.startsWith('token '))).toEqual([]);
      expect(new Set(said).size, 'different tokens').toBe(1);
      expect(provider.events.count('refreshed')).toBe(time);
    }
    expect(provider.events.list.map(({ type }) => type)).toEqual(Array<string>(times).fill('refreshed'));

    // The one that is at it dies in the middle; nobody waits for it.
    await expire(place.vault);
    const [victim, ...others] = users;
    expect(await victim!.ask('hang')).toBe('holding');
    const waiting = Promise.all(others.map(({ ask }) => ask()));
    victim!.child.kill('SIGKILL');
    await once(victim!.child, 'close');
    const said = await waiting;
    expect(said.filter((line) => !line.startsWith('token '))).toEqual([]);
    expect(new Set(said).size).toBe(1);
    expect(provider.events.count('refreshed')).toBe(times + 1);
    expect(provider.events.count('reused')).toBe(0);
    for (const { child } of others) {
      child.stdin.end('end\n');
      await once(child, 'close');
    }
    await place.vault.close();
  },
  120_000,
);
