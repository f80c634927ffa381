/**
 * Several processes that share one user's tokens, and a real provider that rotates refresh tokens and revokes all
 * tokens of a sign-in when a refresh token is reused.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import * as oidc from 'openid-client';
import { expect } from 'vitest';
import { type RunningProvider, startProvider } from '../../../examples/provider/provider.ts';
import { trustingFetch } from '../../../examples/provider/trusting-fetch.ts';
import type { CacheHandle } from '../../../src-main/index.ts';
import { browser } from '../browser.ts';
import { bundle } from '../bundle.ts';
import { signInWithCode } from '../code-flow.ts';
import type { By } from './by.ts';
import { open, type Place } from './places.ts';

export interface Stage {
  readonly provider: RunningProvider;
  /** Starts a process that gets tokens; its clock is `skew` seconds ahead. */
  readonly refresher: (place: Place, by: By, skew: number) => Promise<Refresher>;
  readonly close: () => Promise<void>;
}

interface Refresher {
  readonly child: ChildProcess;
  /** Resolves with its next output. */
  readonly ask: (how?: 'go' | 'hang') => Promise<string>;
}

export async function setTheStage(): Promise<Stage> {
  const [program, provider] = await Promise.all([
    bundle(join(import.meta.dirname, 'program.ts')),
    startProvider({ entra: true }),
  ]);
  const ca = join(dirname(program), 'ca.pem');
  writeFileSync(ca, provider.ca);
  const children: ChildProcess[] = [];
  return {
    provider,
    async refresher(place, by, skew) {
      const setting = JSON.stringify({ place, issuer: provider.issuer, by, skew });
      const child = spawn(process.execPath, [program, setting], {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...process.env, NODE_EXTRA_CA_CERTS: ca },
      });
      children.push(child);
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const next = async (): Promise<string> => String((await lines.next()).value);
      expect(await next()).toBe('ready');
      const ask: Refresher['ask'] = (how = 'go') => {
        child.stdin.write(`${how}\n`);
        return next();
      };
      return { child, ask };
    },
    async close() {
      for (const child of children) child.kill('SIGKILL');
      await provider.stop();
      rmSync(dirname(program), { recursive: true, force: true });
    },
  };
}

interface Turns {
  place: Place;
  by: By;
  person: string;
  times: number;
  /** One for each process. */
  skews: number[];
}

/**
 * Expires the token this many times, with all processes requesting a new one at once; then kills the process that is
 * refreshing. Each expiry causes one refresh, and no refresh token is used twice.
 */
export async function takeTurns(stage: Stage, { place, by, person, times, skews }: Turns): Promise<void> {
  const { provider, refresher } = stage;
  const { handle, close } = await open(place);
  await signIn(handle, provider, person);
  provider.events.clear();
  const all = await Promise.all(skews.map((skew) => refresher(place, by, skew)));
  const assertOneToken = (said: string[]): void => {
    expect(said.filter((line) => !line.startsWith('token '))).toEqual([]);
    expect(new Set(said).size, 'different tokens').toBe(1);
  };
  for (let time = 1; time <= times; time += 1) {
    await expire(handle);
    assertOneToken(await Promise.all(all.map(({ ask }) => ask())));
    expect(provider.events.count('refreshed')).toBe(time);
  }
  expect(provider.events.list.map(({ type }) => type)).toEqual(Array<string>(times).fill('refreshed'));

  // The refreshing process dies during its request.
  await expire(handle);
  const [victim, ...others] = all;
  expect(await victim!.ask('hang')).toBe('holding');
  const waiting = Promise.all(others.map(({ ask }) => ask()));
  victim!.child.kill('SIGKILL');
  await once(victim!.child, 'close');
  assertOneToken(await waiting);
  expect(provider.events.count('refreshed')).toBe(times + 1);
  expect(provider.events.count('reused')).toBe(0);
  for (const { child } of others) {
    child.stdin?.end('end\n');
    await once(child, 'close');
  }
  await close();
}

/** Signs a user in, and stores the tokens as MSAL does. */
async function signIn(handle: CacheHandle, provider: RunningProvider, user: string): Promise<void> {
  const trusting = trustingFetch(provider.ca);
  const options = { [oidc.customFetch]: trusting as oidc.CustomFetch };
  const config = await oidc.discovery(
    new URL(provider.issuer),
    'desktop-app',
    undefined,
    oidc.None(),
    options,
  );
  const tokens = await signInWithCode(config, browser(trusting), {
    person: { user },
    scope: 'openid profile email offline_access orders.read',
    prompt: 'consent', // otherwise offline_access is not granted, and MSAL asks for it each time
  });
  const { host } = new URL(provider.issuer);
  const tid = provider.users.find(({ id }) => id === user)!.tid;
  await handle.update((cache) =>
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

/** Makes the current access token expire. */
async function expire(handle: CacheHandle): Promise<void> {
  await handle.update((cache) => {
    for (const token of cache.find('AccessToken')) {
      cache.modify('AccessToken', token, { expires_on: String(Math.floor(Date.now() / 1000) - 60) });
    }
  });
}
