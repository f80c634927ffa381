/** Partitions in the sessions of real libraries, by the suite that is exported. */
import { createRequire } from 'node:module';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  type ServedSessions,
  sessionConformance,
  type SessionVisit,
} from '../../src-main/partitions/conformance/conformance.ts';
import { sessionStore } from '../../src-main/partitions/stores/session-store.ts';
import { caches, namesIn, signIn } from './people.ts';

// The libraries have types of different ages or none, so these tests do without.
/* oxlint-disable typescript/no-explicit-any */
const load = createRequire(import.meta.url) as (name: string) => any;

type Visit = (request: SessionVisit) => Promise<unknown>;

async function listen(server: Server): Promise<ServedSessions> {
  if (!server.listening) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

const serving = (listener: RequestListener): Promise<ServedSessions> => listen(createServer(listener));

const express = (
  middleware: unknown[],
  visit: Visit,
  of: (req: any, res: any) => Omit<SessionVisit, 'path'>,
) => {
  const app = load('express')();
  for (const one of middleware) app.use(one);
  app.use(async (req: any, res: any) => res.json((await visit({ path: req.path, ...of(req, res) })) ?? null));
  return serving(app);
};

/** The session of express-session and passport. */
const ofExpressSession = (req: any): Omit<SessionVisit, 'path'> => ({
  session: () => req.session,
  destroy: () => new Promise((resolve) => req.session.destroy(resolve)),
  regenerate: () => new Promise((resolve) => req.session.regenerate(resolve)),
});

const expressSession = () => load('express-session')({ secret: 'x', resave: false, saveUninitialized: true });

function passport(visit: Visit): Promise<ServedSessions> {
  const { Passport } = load('passport');
  const own = new Passport();
  own.serializeUser((user: any, done: any) => done(null, user.id));
  own.deserializeUser((id: any, done: any) => done(null, { id }));
  return express([expressSession(), own.session()], visit, (req) => ({
    ...ofExpressSession(req),
    destroy: () => new Promise((resolve) => req.logout(resolve)), // Regenerates the session.
    regenerate: () => new Promise((resolve) => req.login({ id: 'noor' }, resolve)), // Regenerates it, too.
  }));
}

const libraries: Record<
  string,
  { isOnServer: boolean; isReadOnce?: boolean; serve: (visit: Visit) => Promise<ServedSessions> }
> = {
  'express-session': {
    isOnServer: true,
    serve: (visit) => express([expressSession()], visit, ofExpressSession),
  },
  'express-session, through a function': {
    isOnServer: true,
    serve: (visit) =>
      express([expressSession()], visit, (req) => ({
        ...ofExpressSession(req),
        session: () => () => req.session,
      })),
  },
  passport: { isOnServer: true, serve: passport },
  'cookie-session': {
    isOnServer: false,
    serve: (visit) =>
      express([load('cookie-session')({ keys: ['k'] })], visit, (req, response) => ({
        session: () => () => req.session,
        options: { response, cookie: {} },
        destroy: () => (req.session = null),
      })),
  },
  'iron-session': {
    isOnServer: false,
    serve: (visit) =>
      serving((req, res) => {
        const options = { password: 'p'.repeat(40), cookieName: 'iron', cookieOptions: { secure: false } };
        void (async () => {
          const session = await load('iron-session').getIronSession(req, res, options);
          const destroy = () => session.destroy();
          res.end(JSON.stringify(await visit({ path: req.url ?? '', session: () => session, destroy })));
        })();
      }),
  },
  '@fastify/secure-session': {
    isOnServer: false,
    serve: async (visit) => {
      const app = load('fastify')();
      app.register(load('@fastify/secure-session'), { key: Buffer.alloc(32, 7), cookie: { path: '/' } });
      app.get('/*', async (req: any, reply: any) => {
        reply.type('application/json');
        const [session, destroy] = [() => req.session, () => req.session.delete()];
        return JSON.stringify(await visit({ path: req.url, session, destroy }));
      });
      await app.listen({ port: 0, host: '127.0.0.1' });
      return { ...(await listen(app.server)), close: () => app.close() };
    },
  },
  '@fastify/session': {
    isOnServer: true,
    isReadOnce: true,
    serve: async (visit) => {
      const app = load('fastify')();
      app.register(load('@fastify/cookie'));
      app.register(load('@fastify/session'), {
        secret: 's'.repeat(40),
        saveUninitialized: false,
        cookie: { secure: false },
      });
      app.get('/*', async (req: any, reply: any) => {
        reply.type('application/json');
        const isAlive = (session: any): Promise<boolean> | boolean =>
          req.cookies['sessionId'] !== session.encryptedSessionId ||
          new Promise((resolve) =>
            req.sessionStore.get(session.sessionId, (_error: unknown, found: unknown) =>
              resolve(Boolean(found)),
            ),
          );
        return JSON.stringify(
          await visit({
            path: req.url,
            session: () => () => req.session,
            options: { isAlive },
            destroy: () => req.session.destroy(),
            regenerate: () => req.session.regenerate(),
          }),
        );
      });
      await app.listen({ port: 0, host: '127.0.0.1' });
      return { ...(await listen(app.server)), close: () => app.close() };
    },
  },
  'koa-session, in a cookie': { isOnServer: false, serve: (visit) => koa({}, visit) },
  'koa-session, with a store': {
    isOnServer: true,
    isReadOnce: true,
    serve: (visit) => {
      const sessions = new Map<string, string>();
      const store = {
        get: (key: string) => Promise.resolve(JSON.parse(sessions.get(key) ?? 'null') as unknown),
        set: (key: string, session: unknown) => Promise.resolve(sessions.set(key, JSON.stringify(session))),
        destroy: (key: string) => Promise.resolve(sessions.delete(key)),
      };
      return koa({ store }, visit, (ctx) => ({
        options: {
          isAlive: async ({ externalKey }: any) =>
            ctx.cookies.get('koa.sess') !== externalKey || Boolean(await store.get(externalKey)),
        },
        regenerate: async () => {
          await ctx.session.regenerate();
          ctx.session = {};
        },
      }));
    },
  },
};

function koa(
  options: object,
  visit: Visit,
  more: (ctx: any) => Partial<SessionVisit> = () => ({}),
): Promise<ServedSessions> {
  const app = new (load('koa'))();
  app.keys = ['k'];
  const library = load('koa-session');
  app.use((library.default ?? library.createSession)(options, app));
  app.use(async (ctx: any) => {
    ctx.body = JSON.stringify(
      await visit({
        path: ctx.path,
        session: () => () => ctx.session,
        destroy: () => (ctx.session = null),
        ...more(ctx),
      }),
    );
  });
  return serving(app.callback());
}

describe.each(Object.entries(libraries))('%s', (_library, options) => {
  for (const { name, run } of sessionConformance(options)) it(name, run);
});

it('a library that drops what is written does not conform', async () => {
  const serve = (visit: Visit) =>
    express([], visit, () => ({ session: () => () => ({}), destroy: () => undefined }));
  const [first] = sessionConformance({ serve });
  await expect(first?.run()).rejects.toThrow(/session_ended/);
});

/** A session library with faults. Its sessions are in a map, and saved when a request ends. */
function faulty({
  isShared = false,
  forgets = false,
  staysAlive = false,
  keepsRemoved = false,
  answersText = false,
}) {
  const sessions = new Map<string, Map<string, unknown>>();
  let count = 0;
  return (visit: Visit): Promise<ServedSessions> =>
    serving((req, res) => {
      const id = isShared ? 'all' : (/sid=(\w+)/.exec(req.headers.cookie ?? '')?.[1] ?? `s${(count += 1)}`);
      const fields = new Map(sessions.get(id));
      let isEnded = false;
      const session = {
        get: (name: string) => fields.get(name),
        set: (name: string, value: unknown) => {
          if (value === undefined) fields.delete(name);
          else fields.set(name, value);
        },
      };
      const destroy = (): void => {
        isEnded = true;
        sessions.delete(id);
      };
      const current = (): object | null => (isEnded && !staysAlive ? null : session);
      void visit({ path: req.url ?? '', session: () => current, destroy }).then((answer) => {
        const isEmpty = fields.size === 0 || Object.keys(fields.get('tokenkeep') ?? {}).length === 0;
        if (!forgets && current() !== null && !(keepsRemoved && isEmpty)) sessions.set(id, fields);
        res.setHeader('set-cookie', `sid=${id}; Path=/`);
        res.end(answersText ? String(answer) : JSON.stringify(answer));
      });
    });
}

it.each([
  ['answers with text', { answersText: true }, 'with the result of `visit` as JSON'],
  ['shares a session', { isShared: true }, 'it could act as that user'],
  ['forgets sessions', { forgets: true }, 'users lose their tokens'],
  ['does not save an empty session', { keepsRemoved: true }, 'still has the tokens of a user who signed out'],
  ['does not end sessions', { staysAlive: true }, 'for whoever knows its cookie'],
])('a library that %s fails with an error that says what to change', async (_what, faults, told) => {
  const messages: string[] = [];
  for (const { run } of sessionConformance({ serve: faulty(faults), isReadOnce: true }))
    await run().catch((error: unknown) => messages.push((error as Error).message));
  expect(messages.join('\n')).toContain(told);
  for (const message of messages) expect(message).toMatch(/Found .+, expected .+\.|`visit`/);
});

it('a session that is refused when the store is made is told with the reason', async () => {
  const serve = (visit: Visit) =>
    express([], visit, () => ({ session: () => ({}), destroy: () => undefined }));
  const [first] = sessionConformance({ serve });
  await expect(first?.run()).rejects.toThrow(
    /invalid_argument.*Pass a function that returns the current one/,
  );
});

/** Sessions of libraries that are not in the list above. */
const UNUSUAL: Record<string, (fields: Map<string, unknown>) => object> = {
  'ignores undefined': (fields) => ({
    get: (name: string) => fields.get(name),
    set: (name: string, value: unknown) => value === undefined || fields.set(name, value),
  }),
  'keeps null for undefined': (fields) => ({
    get: (name: string) => fields.get(name) ?? null,
    set: (name: string, value: unknown) => fields.set(name, value ?? null),
  }),
  'only notes that it is to be saved, as in koa-session 6.3': () => ({
    save() {
      Object.defineProperty(this, '_requireSave', { value: true, configurable: true });
    },
  }),
};

it.each(Object.entries(UNUSUAL))('a session that %s keeps tokens, and removes them', async (_what, make) => {
  const session = make(new Map());
  const partition = caches({ store: sessionStore(() => session), timeout: 60_000 }).partition('a');
  await partition.update((cache) => signIn(cache, 'noor'));
  expect(await partition.read(namesIn)).toEqual(['noor@contoso.example']);
  expect((await partition.signOut('noor.utid')).remaining).toBe(0);
  expect(await partition.read(namesIn)).toEqual([]);
});

it('a save that only calls back is waited for, however its function is written', async () => {
  let isSaved = false;
  const later = (done: () => void): void => {
    setTimeout(() => {
      isSaved = true;
      done();
    }, 20);
  };
  const saves = [(...given: [() => void]) => later(...given), (done = (): void => undefined) => later(done)];
  for (const save of saves) {
    isSaved = false;
    const session = { save };
    const partition = caches({ store: sessionStore(() => session), timeout: 60_000 }).partition('a');
    await partition.update((cache) => signIn(cache, 'noor'));
    expect(isSaved).toBe(true);
  }
});

it('a session whose end cannot be seen is refused when the store is made', () => {
  for (const session of [{}, { get: () => undefined }, Object.freeze({})])
    expect(() => sessionStore(session)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
});

it.each([
  ['a promise of a session', Promise.resolve({})],
  ['@fastify/session without isAlive', { sessionId: 's', encryptedSessionId: 's.x', get: load, set: load }],
  ['koa-session with a store, without isAlive', { externalKey: 'k', save: load }],
])('a function that returns %s is refused, whenever it does so', async (_what, session) => {
  expect(() => sessionStore(() => session)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  let current: object | null = null;
  const store = sessionStore(() => current);
  current = session;
  const entry = { bytes: Buffer.from('x'), version: 'v'.repeat(16) };
  await expect(store.write('k'.repeat(43), entry, { expected: null, ttl: null })).rejects.toMatchObject({
    code: 'invalid_argument',
  });
});
