/** What users of the example web app read when something is wrong, and that they can continue afterwards. */
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, chromium, type Page } from '@playwright/test';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from 'redis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../../examples/web-app/running.ts';
import { type Demo, startDemo } from '../../examples/web-app/demo.ts';
import { partitionedCaches } from '../../src-main/partitions/index.ts';
import { partitionName } from '../../src-main/partitions/partition-name.ts';
import { redisStore } from '../../src-main/partitions/stores/redis-store.ts';
import { type RedisServer, startRedis } from '../support/servers/redis.ts';
import { programIn } from '../support/servers/server.ts';
import { expiringAtOnce } from './expiring.ts';

let browser: Browser;
let redis: RedisServer;
let demo: Demo;
let app: RunningApp;
let page: Page;
/** The status of the API's answers; 200: the real API answers. */
let apiStatus = 200;

beforeAll(async () => {
  [redis, browser] = await Promise.all([
    startRedis(),
    chromium.launch({ executablePath: programIn('chromium'), chromiumSandbox: process.getuid?.() !== 0 }),
  ]);
  demo = await startDemo({ CACHE: 'redis', REDIS_URL: redis.url });
  const { apiUrl } = demo.settings;
  const api = createServer((request, response) => {
    void fetch(apiUrl, { headers: { authorization: request.headers.authorization ?? '' } }).then(
      async (real) => {
        response.writeHead(apiStatus).end(await real.text());
      },
    );
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => api.once('listening', resolve));
  app = await startApp({
    ...demo.settings,
    fetch: expiringAtOnce(demo.settings.fetch),
    apiUrl: `http://127.0.0.1:${(api.address() as AddressInfo).port}/orders`,
  });
  api.unref();
  page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
}, 90_000);
afterAll(async () => {
  await browser.close();
  await app.close();
  await demo.close();
  await redis.close();
});

const shows = (heading: string) => page.waitForSelector(`h1:text-is("${heading}")`);
const title = (): Promise<string | null> => page.textContent('h1');
const said = (): Promise<string | null> => page.textContent('#message');

/** Checks WCAG 2.1 A and AA, light and dark, at the width of a phone. */
async function assertAccessible(): Promise<void> {
  await page.setViewportSize({ width: 390, height: 700 });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page })
      .withTags(['wcag2a', 'wcag2aa', 'wcag21aa'])
      .analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  }
}

async function open(path: string): Promise<number> {
  return (await page.goto(`${demo.settings.url}${path}`))?.status() ?? 0;
}

it('the provider down before the sign-in: an error page, and it works when the provider is back', async () => {
  await open('/');
  await assertAccessible();
  demo.provider.outages.add('/.well-known/openid-configuration');
  expect(await open('/sign-in')).toBe(502);
  expect(await title()).toBe('The identity provider can’t be reached');
  demo.provider.outages.clear();
  await page.click('a:text-is("Try again")');
  await page.waitForSelector('button[value=noor]');
});

it('shows the answer of the provider if the user refuses the sign-in', async () => {
  await open('/sign-in');
  await page.click('button[name=abort]');
  await shows('Sign-in failed');
  expect(await said()).toContain('access_denied');
});

it('leads to the API after the sign-in if the user requested it first', async () => {
  await open('/call-api');
  await page.click('button[value=noor]');
  await page.click('button[name=consent]');
  await shows('The API answered');
  expect(await page.textContent('#answer')).toContain('"user": "noor"');
  await assertAccessible();
  await page.click('a:text-is("Back")');
  expect(await page.textContent('#user')).toBe('noor@contoso.example');
});

it.each([
  [403, 'The API refused your token'],
  [500, 'The API failed'],
])('the API answers %d', async (status, expected) => {
  apiStatus = status;
  expect(await open('/call-api')).toBe(502);
  expect(await title()).toBe(expected);
  expect(await said()).toContain(String(status));
  apiStatus = 200;
  if (status === 500) await page.click('a:text-is("Try again")');
  else await open('/call-api');
  await shows('The API answered');
});

it('the provider down when a token is to be refreshed: still signed in, and no token is lost', async () => {
  demo.provider.outages.add('/token');
  expect(await open('/call-api')).toBe(502);
  expect(await title()).toBe('The identity provider can’t be reached');
  demo.provider.outages.clear();
  await page.click('a:text-is("Try again")');
  await shows('The API answered');
});

it.each<['down' | 'hanging', () => Promise<void> | void, () => Promise<void> | void]>([
  ['down', () => redis.stop(), () => redis.start()],
  ['hanging', () => redis.pause(), () => redis.resume()],
])('Redis %s: an error in time, and still signed in afterwards', async (_name, begin, end) => {
  await begin();
  try {
    expect(await open('/call-api')).toBe(503);
    expect(await title()).toBe('Your sign-in can’t be looked up');
  } finally {
    await end();
  }
  for (let left = 100; left > 0 && (await open('/call-api')) !== 200; left -= 1)
    await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await title()).toBe('The API answered');
});

/** Returns the id of the only session's partition. */
async function partitionId(client: {
  keys(p: string): Promise<string[]>;
  get(key: string): Promise<string | null>;
}) {
  const [session = ''] = await client.keys('session:*');
  const stored = JSON.parse((await client.get(session)) ?? '') as { tokenkeepSignIn: { partition: string } };
  return stored.tokenkeepSignIn.partition;
}

it('leaves a saved sign-in that cannot be opened unchanged; the next sign-in replaces it', async () => {
  const client = await createClient({ url: redis.url }).connect();
  const key = `tokenkeep:${partitionName('user', await partitionId(client)).key}`;
  await client.set(key, 'a version of 16.and something else');
  expect(await open('/call-api')).toBe(500);
  expect(await said()).toContain('partition_foreign');
  expect(await client.get(key)).toBe('a version of 16.and something else');
  await page.click('a:text-is("Sign in again")');
  await page.click('button[name=consent]');
  await page.waitForSelector('#user');
  expect(await client.get(key)).toBeNull();
  // Signing out does not need to open the partition either.
  await client.set(
    `tokenkeep:${partitionName('user', await partitionId(client)).key}`,
    'a version of 16.and something else',
  );
  expect(
    await page.evaluate(async () => (await fetch('/sign-out', { method: 'POST', redirect: 'manual' })).type),
  ).toBe('opaqueredirect');
  expect(await client.keys('session:*')).toEqual([]);
  await client.close();
  await open('/call-api');
  await page.click('button[name=consent]');
  await shows('The API answered');
});

it('asks for a new sign-in if the provider has ended the session', async () => {
  const { clientId, clientSecret, issuer, fetch: own, sealingKeys } = demo.settings;
  const client = await createClient({ url: redis.url }).connect();
  const id = await partitionId(client);
  const partition = partitionedCaches({ store: redisStore({ client }), sealingKeys }).partition(id);
  const token = await partition.read((cache) => cache.find('RefreshToken')[0]?.secret ?? '');
  await client.close();
  const body = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, token });
  expect((await own?.(`${issuer}/token/revocation`, { method: 'POST', body }))?.status).toBe(200);
  await open('/call-api');
  await page.click('button[name=consent]'); // The provider's own session still exists and knows the user.
  await shows('The API answered');
});
