/** `tokenkeep/express` in Fastify, as in docs/web-apps.md, with a real provider. */
import session from 'express-session';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { webApp } from '../../examples/provider/clients.ts';
import { type RunningProvider, startProvider } from '../../examples/provider/provider.ts';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';
import { freePort } from '../support/servers/server.ts';
import { type WebMiddleware, webSignIn, type WebSignOut } from '../../src-main/express/index.ts';
import { memoryStore, type MemoryStore, partitionedCaches } from '../../src-main/partitions/index.ts';
import { browser } from '../support/browser.ts';

/** The hook of the guide. */
const hook = (middleware: WebMiddleware) => async (request: FastifyRequest, reply: FastifyReply) => {
  const isPassed = await new Promise<boolean>((resolve, reject) => {
    reply.raw.once('close', () => resolve(false)); // It was answered, or the client is gone.
    middleware(request.raw, reply.raw, (error) => {
      if (error === undefined || error === null) resolve(true);
      else reject(error instanceof Error ? error : new Error('The request failed.', { cause: error }));
    });
  });
  if (!isPassed) reply.hijack(); // Or the handler would run for a request that was not let through.
};

let provider: RunningProvider;
let store: MemoryStore;
let url: string;
let close: () => Promise<unknown>;
let trusting: typeof fetch;
const told: WebSignOut['revocation'][] = [];

beforeAll(async () => {
  const port = await freePort();
  url = `http://localhost:${port}`;
  const client = webApp([`${url}/callback`], [`${url}/`]);
  provider = await startProvider({ clients: [client] });
  trusting = trustingFetch(provider.ca);
  store = memoryStore();
  const auth = webSignIn({
    caches: partitionedCaches({ store, sealingKeys: 'plain-text' }),
    issuer: provider.issuer,
    clientId: client.client_id,
    clientSecret: client.client_secret,
    redirectUri: `${url}/callback`,
    parameters: { prompt: 'consent' },
    fetch: trusting,
    onSignOut: ({ revocation }) => told.push(revocation),
  });
  const app = fastify();
  app.addHook(
    'onRequest',
    hook(session({ secret: 's', resave: false, saveUninitialized: false }) as WebMiddleware),
  );
  app.addHook('onRequest', hook(auth.routes));
  app.get('/', async (request) => ({ user: (await auth.findUser(request.raw))?.account.username ?? null }));
  app.get('/orders', { onRequest: hook(auth.requireUser({ scopes: ['orders.read'] })) }, (request, reply) => {
    const { account, accessToken } = auth.user(request.raw);
    void reply.send({ user: account.username, length: accessToken.length });
  });
  await app.listen({ port, host: 'localhost' });
  close = () => app.close();
});
afterAll(async () => {
  await close();
  await provider.stop();
});

it('runs no handler for a request that nothing has let through when the client hangs up', async () => {
  const app = fastify();
  const ran: string[] = [];
  let isAsked = (): void => undefined;
  const asked = new Promise<void>((resolve) => (isAsked = resolve));
  const ended = new Promise<void>((resolve) => {
    app.addHook('onRequest', (_request, reply, done) => {
      reply.raw.once('close', () => setImmediate(() => setImmediate(resolve)));
      done();
    });
  });
  app.get('/', { onRequest: hook(isAsked) }, () => ran.push('handler'));
  const address = await app.listen({ host: 'localhost', port: 0 });
  const client = new AbortController();
  const answer = fetch(address, { signal: client.signal });
  await asked;
  client.abort();
  await expect(answer).rejects.toThrow();
  await ended;
  await app.close();
  expect(ran).toEqual([]);
});

it('signs in with a fresh token, refuses requests that are no page loads, and signs out', async () => {
  const noor = browser(trusting);
  expect((await fetch(`${url}/orders`, { redirect: 'manual' })).status).toBe(401);
  const page = await noor.visit(`${url}/orders?a=1`, { user: 'noor' });
  expect([page.url, page.status]).toEqual([`${url}/orders?a=1`, 200]);
  expect(JSON.parse(page.html)).toMatchObject({
    user: 'noor@contoso.example',
    length: expect.any(Number) as number,
  });
  expect(store.size).toBeGreaterThan(0);
  expect((await noor.open(`${url}/callback?state=x&code=y`)).status).toBe(400);
  expect(JSON.parse((await noor.open(`${url}/`)).html)).toEqual({ user: 'noor@contoso.example' });
  await noor.post(`${url}/sign-out`, { user: 'noor' });
  expect(told).toEqual(['done']);
  expect(store.size).toBe(1); // That the code was used, for 15 minutes.
  expect(JSON.parse((await noor.open(`${url}/`)).html)).toEqual({ user: null });
});
