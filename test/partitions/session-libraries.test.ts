/** Partitions in the sessions of real libraries, request by request, as a browser has them. */
import { createRequire } from 'node:module';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { expect, it } from 'vitest';
import {
  carryOver,
  type SessionSource,
  sessionStore,
  type SessionStoreOptions,
} from '../../src-main/partitions/stores/session-store.ts';
import { caches, namesIn, signIn } from './people.ts';

// The libraries bring types of different ages, or none: a test of shapes does without.
/* eslint-disable @typescript-eslint/no-explicit-any */
const load = createRequire(import.meta.url) as (name: string) => any;

interface Visit {
  source: SessionSource;
  options?: SessionStoreOptions;
  destroy: () => unknown;
  regenerate?: () => Promise<unknown>;
  current: () => any;
}

type Handler = (path: string, visit: Visit) => Promise<unknown>;

const libraries: Record<string, (handle: Handler) => Promise<Server> | Server> = {
  'express-session': (handle) => {
    const app = load('express')();
    app.use(load('express-session')({ secret: 'x', resave: false, saveUninitialized: true }));
    app.use(async (req: any, res: any) => {
      const { session } = req;
      const destroy = () => new Promise((resolve) => session.destroy(resolve));
      const regenerate = () => new Promise((resolve) => session.regenerate(resolve));
      res.json(await handle(req.path, { source: session, destroy, regenerate, current: () => req.session }));
    });
    return createServer(app);
  },
  'cookie-session': (handle) => {
    const app = load('express')();
    app.use(load('cookie-session')({ keys: ['k'] }));
    app.use(async (req: any, res: any) => {
      const source = () => req.session as object;
      const options = { response: res, cookie: {} };
      res.json(
        await handle(req.path, { source, options, destroy: () => (req.session = null), current: source }),
      );
    });
    return createServer(app);
  },
  'iron-session': (handle) =>
    createServer(async (req, res) => {
      const options = { password: 'p'.repeat(40), cookieName: 'iron', cookieOptions: { secure: false } };
      const session = await load('iron-session').getIronSession(req, res, options);
      const body = await handle(req.url ?? '', {
        source: session,
        destroy: () => session.destroy(),
        current: () => session,
      });
      res.end(JSON.stringify(body));
    }),
  '@fastify/secure-session': async (handle) => {
    const app = load('fastify')();
    app.register(load('@fastify/secure-session'), { key: Buffer.alloc(32, 7), cookie: { path: '/' } });
    app.get('/*', async (req: any, reply: any) => {
      const { session } = req;
      reply.type('application/json');
      return JSON.stringify(
        await handle(req.url, { source: session, destroy: () => session.delete(), current: () => session }),
      );
    });
    await app.ready();
    return app.server as Server;
  },
  'koa-session': (handle) => {
    const app = new (load('koa'))();
    app.keys = ['k'];
    const library = load('koa-session');
    app.use((library.default ?? library.createSession)({}, app));
    app.use(async (ctx: any) => {
      const source = () => ctx.session as object;
      ctx.body = JSON.stringify(
        await handle(ctx.path, { source, destroy: () => (ctx.session = null), current: source }),
      );
    });
    return createServer(app.callback());
  },
};

it.each(Object.keys(libraries))(
  '%s: kept for the next request, gone after the sign-out, not revived',
  async (name) => {
    const open = ({ source, options }: Pick<Visit, 'source' | 'options'>) =>
      caches({ store: sessionStore(source, options), timeout: 3000 }).partition('a');
    const server = await libraries[name]!(async (path, visit) => {
      const partition = open(visit);
      if (path === '/in') {
        await partition.update((cache) => signIn(cache, 'noor'));
        return { ok: true };
      }
      if (path === '/out') return (await partition.signOut('noor.utid')).remaining;
      if (path === '/read') return partition.read(namesIn);
      const before = visit.current();
      await (path === '/regenerate' ? visit.regenerate!() : visit.destroy());
      const code = await partition
        .update((cache) => signIn(cache, 'noor'))
        .then(
          () => 'written',
          (error: unknown) => (error as { code?: string }).code,
        );
      if (path !== '/regenerate') return code;
      await carryOver(before, visit.current());
      return [code, await open({ source: visit.current() }).read(namesIn)];
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    let jar = new Map<string, string>();
    const get = async (path: string): Promise<unknown> => {
      const cookie = [...jar].map(([key, value]) => `${key}=${value}`).join('; ');
      const port = typeof address === 'object' ? address?.port : 0;
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { cookie } });
      for (const set of response.headers.getSetCookie()) {
        const [, key = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
        jar.set(key, value);
      }
      return response.json();
    };
    const person = ['noor@contoso.example'];
    await get('/in');
    expect(await get('/read')).toEqual(person);
    expect(await get('/out')).toBe(0);
    expect(await get('/read')).toEqual([]);
    await get('/in');
    expect(await get('/destroy')).toBe('session_ended');
    expect(await get('/read')).toEqual([]);
    if (name === 'express-session') {
      await get('/in');
      const planted = new Map(jar);
      expect(await get('/regenerate')).toEqual(['session_ended', person]);
      expect(await get('/read')).toEqual(person);
      jar = planted;
      expect(await get('/read')).toEqual([]);
    }
    server.close();
    server.closeAllConnections();
  },
);

it('a session whose end cannot be seen is refused when the store is made', () => {
  for (const session of [{}, { get: () => undefined }, Object.freeze({})])
    expect(() => sessionStore(session)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
});
