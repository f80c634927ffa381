/** The example web app behind a proxy that ends TLS and forwards plain HTTP: two users, each with two tabs of a browser. */
import { type BrowserContext, type Browser, chromium, type Page } from '@playwright/test';
import { request as forward } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeIdentity } from '../../examples/provider/certificate.ts';
import { type Demo, startDemo } from '../../examples/web-app/demo.ts';
import { type RunningApp, startApp } from '../../examples/web-app/running.ts';
import { programIn } from '../support/servers/server.ts';
import { expiringAtOnce } from './expiring.ts';

let browser: Browser;
let demo: Demo;
let app: RunningApp;
let proxy: Awaited<ReturnType<typeof startProxy>>;

async function startProxy() {
  const { cert, key } = await makeIdentity();
  const target = { port: 0 };
  const server = createServer({ cert, key }, (request, response) => {
    const headers = { ...request.headers, host: 'an-inner-name:80', 'x-forwarded-proto': 'https' };
    const options = {
      host: '127.0.0.1',
      port: target.port,
      method: request.method,
      path: request.url,
      headers,
    };
    request.pipe(
      forward(options, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      }),
    );
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    target,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

beforeAll(async () => {
  [browser, proxy] = await Promise.all([
    chromium.launch({ executablePath: programIn('chromium'), chromiumSandbox: process.getuid?.() !== 0 }),
    startProxy(),
  ]);
  demo = await startDemo({ CACHE: 'memory', PUBLIC_URL: proxy.url });
  proxy.target.port = demo.settings.port;
  app = await startApp({ ...demo.settings, fetch: expiringAtOnce(demo.settings.fetch) });
}, 120_000);
afterAll(async () => {
  await browser.close();
  await app.close();
  await proxy.close();
  await demo.close();
});

const userIn = (page: Page): Promise<string | null> => page.textContent('#user');

async function callApi(page: Page): Promise<string> {
  await page.goto(`${proxy.url}/call-api`);
  return (JSON.parse((await page.textContent('#answer')) ?? '') as { user: string }).user;
}

/** Two tabs of one browser begin a sign-in before either completes it. */
async function signInTwice(context: BrowserContext, name: string): Promise<[Page, Page]> {
  const [first, second] = [await context.newPage(), await context.newPage()];
  await Promise.all([
    first.goto(`${proxy.url}/sign-in`),
    second.goto(`${proxy.url}/sign-in?returnTo=${encodeURIComponent('/?tab=2')}`),
  ]);
  for (const page of [first, second]) {
    await page.click(`button[value=${name}]`);
    await page.waitForSelector('button[name=consent]');
  }
  for (const page of [first, second]) {
    await page.click('button[name=consent]');
    await page.waitForSelector('#user');
  }
  return [first, second];
}

it('two users in two tabs each sign in side by side, call the API and sign out, and see nothing of each other', async () => {
  const contexts = await Promise.all([1, 2].map(() => browser.newContext({ ignoreHTTPSErrors: true })));
  const [ofNoor, ofPiet] = contexts as [BrowserContext, BrowserContext];
  const [noor, piet] = await Promise.all([signInTwice(ofNoor, 'noor'), signInTwice(ofPiet, 'piet')]);
  for (const page of noor) expect(await userIn(page)).toBe('noor@contoso.example');
  for (const page of piet) expect(await userIn(page)).toBe('piet@contoso.example');
  expect(new URL(noor[1].url()).search).toBe('?tab=2');

  // All cookies are secure, unreadable to scripts, and can't be planted by another host. None is left of a sign-in that has ended.
  const cookies = await ofNoor.cookies(proxy.url);
  expect(cookies.every(({ secure, httpOnly, sameSite }) => secure && httpOnly && sameSite === 'Lax')).toBe(
    true,
  );
  expect(cookies.filter(({ name }) => name.includes('attempt'))).toEqual([]);

  const users = await Promise.all([...noor, ...piet].map(callApi)); // Each of these refreshes.
  expect(users).toEqual(['noor', 'noor', 'piet', 'piet']);
  expect(demo.provider.events.count('reused')).toBe(0);

  // Signing out in one tab signs the other one out, and no other user.
  await noor[0].goto(proxy.url);
  await noor[0].click('button:text("Sign out")');
  await noor[0].click('button[name=logout]');
  await noor[0].waitForURL(`${proxy.url}/`);
  await noor[1].goto(proxy.url);
  expect(await noor[1].textContent('h1')).toBe('Welcome');
  expect(await callApi(piet[1])).toBe('piet');
  await Promise.all(contexts.map((context) => context.close()));
}, 120_000);
