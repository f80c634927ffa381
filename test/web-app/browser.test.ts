/** The example web app with its provider, its API and its stores, in a real browser. */
import { type Browser, chromium, type Page } from '@playwright/test';
import pg from 'pg';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../../examples/web-app/running.ts';
import { type Demo, startDemo } from '../../examples/web-app/demo.ts';
import type { CachePlace } from '../../examples/web-app/settings.ts';
import { EVERYTHING } from '../support/everything.ts';
import { type PostgresServer, startPostgres } from '../support/servers/postgres.ts';
import { type RedisServer, startRedis } from '../support/servers/redis.ts';
import { programIn } from '../support/servers/server.ts';
import { expiringAtOnce } from './expiring.ts';

interface Place {
  readonly demo: Demo;
  readonly app: RunningApp;
  /** Returns what the stores still contain of any user. The mark of a used code, for a quarter of an hour, names none. */
  readonly left: () => Promise<string[]>;
  readonly close: () => Promise<void>;
}

let browser: Browser;
let redis: RedisServer;
let postgres: PostgresServer;
beforeAll(async () => {
  [redis, postgres, browser] = await Promise.all([
    startRedis(),
    startPostgres(),
    // Chromium's sandbox does not run as root. The tests do not run as root either, but a reader may run a single one so.
    chromium.launch({ executablePath: programIn('chromium'), chromiumSandbox: process.getuid?.() !== 0 }),
  ]);
}, 90_000);
afterAll(async () => {
  await browser.close();
  await Promise.all([redis.close(), postgres.close()]);
});

async function start(cache: CachePlace): Promise<Place> {
  const demo = await startDemo({
    CACHE: cache,
    REDIS_URL: redis.url,
    POSTGRES_URL: postgres.url,
  });
  const app = await startApp({ ...demo.settings, fetch: expiringAtOnce(demo.settings.fetch) });
  const client = await createClient({ url: redis.url }).connect();
  await client.flushAll();
  const pool = new pg.Pool({ connectionString: postgres.url });
  return {
    demo,
    app,
    left: async () => {
      const rows =
        cache === 'postgres'
          ? (
              await pool.query(
                "SELECT key FROM tokenkeep_partitions WHERE expires_at IS NULL OR expires_at > now() + interval '15 minutes'",
              )
            ).rows
          : [];
      const keys = await client.keys('*');
      const lives = await Promise.all(keys.map((key) => client.ttl(key)));
      const lasting = keys.filter((_, at) => lives[at] === -1 || Number(lives[at]) > 15 * 60);
      return [...lasting, ...rows.map(({ key }: { key: string }) => key)].sort();
    },
    close: async () => {
      await client.close();
      await pool.end();
      await app.close();
      await demo.close();
    },
  };
}

interface Answer {
  user: string;
  token_id: string;
}

/** Opens a browser of one user. Its context shares no cookies with others. */
async function person(name: string, url: string) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true }); // The provider's authority was created a moment ago.
  const page = await context.newPage();
  const seen: string[] = [];
  const note = async (): Promise<void> => void seen.push(await page.content());
  return {
    page,
    seen,
    async signIn(): Promise<void> {
      await page.goto(url);
      await page.click('text=Sign in');
      await page.click(`button[value=${name}]`);
      await page.click('button[name=consent]');
      await page.waitForSelector('#user');
      await note();
    },
    async callApi(): Promise<Answer> {
      await page.goto(`${url}/call-api`);
      await note();
      return JSON.parse((await page.textContent('#answer')) ?? 'null');
    },
    /** Does the same with this browser's cookies, without drawing the page. */
    async callApiUnseen(): Promise<Answer> {
      const [html, answer] = await page.evaluate(async () => {
        const text = await (await fetch('/call-api')).text();
        const page = new DOMParser().parseFromString(text, 'text/html');
        return [text, page.querySelector('#answer')?.textContent ?? 'null'] as const;
      });
      seen.push(html);
      return JSON.parse(answer);
    },
    async signOut(): Promise<void> {
      await page.goto(url);
      await page.click('button:text("Sign out")');
      await page.click('button[name=logout]');
      await page.waitForURL(`${url}/`);
    },
    close: () => context.close(),
  };
}

const NAMES = { noor: 'noor@contoso.example', piet: 'piet@contoso.example' };

describe.each<[CachePlace, number]>([
  ['redis', EVERYTHING ? 20 : 5],
  ['postgres', 3],
  ['session', 3],
])('tokens in %s, two people in two browsers at once', (cache, refreshes) => {
  let place: Place;
  beforeAll(async () => {
    place = await start(cache);
  }, 60_000);
  afterAll(() => place.close());

  it(
    `${refreshes} refreshes each: nobody sees anything of the other, and signing out leaves nothing`,
    async () => {
      const { settings, provider } = place.demo;
      expect(await place.left()).toEqual([]);
      const noor = await person('noor', settings.url);
      const piet = await person('piet', settings.url);
      await Promise.all([noor.signIn(), piet.signIn()]);
      const call = async (one: typeof noor) => {
        const answers = [await one.callApi()];
        while (answers.length < refreshes) answers.push(await one.callApiUnseen());
        return answers;
      };
      const [noors, piets] = await Promise.all([call(noor), call(piet)]);
      expect(new Set(noors.map(({ user }) => user))).toEqual(new Set(['noor']));
      expect(new Set(piets.map(({ user }) => user))).toEqual(new Set(['piet']));
      // A new token each time, and none shared by the two users.
      expect(new Set([...noors, ...piets].map(({ token_id }) => token_id)).size).toBe(2 * refreshes);
      expect(noor.seen.filter((html) => html.includes('piet'))).toEqual([]);
      expect(piet.seen.filter((html) => html.includes('noor'))).toEqual([]);
      expect(noor.seen[0]).toContain(NAMES.noor);
      expect(provider.events.count('reused')).toBe(0);

      const before = await place.left();
      expect(before.length % 2).toBe(0);
      expect(before.length).toBeGreaterThanOrEqual(cache === 'session' ? 2 : 4);
      await noor.signOut();
      expect((await place.left()).length).toBe(before.length / 2);
      expect((await piet.callApi()).user).toBe('piet');
      await piet.signOut();
      expect(await place.left()).toEqual([]);
      await noor.page.goto(`${settings.url}/call-api`);
      expect(noor.page.url()).toMatch(new RegExp(`^${provider.issuer}/`)); // Signed out of the provider too: it asks for the user.
      await noor.page.waitForSelector('button[value=noor]');
      await Promise.all([noor.close(), piet.close()]);
    },
    EVERYTHING ? 600_000 : 120_000,
  );

  if (cache !== 'redis') return;

  it('refuses an answer that belongs to no sign-in of this browser', async () => {
    const { url } = place.demo.settings;
    const victim = await person('noor', url);
    for (const query of ['', '?state=x&code=y', '?code=y']) {
      const answer = await victim.page.goto(`${url}/callback${query}`);
      expect(answer?.status()).toBe(400);
    }
    await startSignIn(victim.page, url);
    const answer = await victim.page.goto(`${url}/callback?state=of-another-sign-in&code=y`);
    expect(answer?.status()).toBe(400);
    await victim.page.goto(url);
    expect(await victim.page.textContent('h1')).toBe('Welcome');
    await victim.close();
  }, 60_000);

  it('gives each sign-in its own session, and removes the tokens of the one before', async () => {
    const { url } = place.demo.settings;
    const noor = await person('noor', url);
    const cookie = async () =>
      (await noor.page.context().cookies(url)).find(({ name }) => name === 'session')?.value;
    await noor.signIn();
    const before = await cookie();
    const kept = await place.left();
    await noor.page.goto(`${url}/sign-in`);
    await noor.page.click('button[name=consent]');
    await noor.page.waitForSelector('#user');
    expect(before).toBeTruthy();
    expect(await cookie()).not.toBe(before);
    expect((await place.left()).length).toBe(kept.length);
    await noor.signOut();
    expect(await place.left()).toEqual([]);
    await noor.close();
  }, 60_000);
});

async function startSignIn(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/sign-in`);
  await page.waitForSelector('button[name=login]');
}
