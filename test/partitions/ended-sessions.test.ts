/** A session that ended in another request: its tokens do not come back, whatever a slow request of the session still does. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import express from 'express';
import session from 'express-session';
import { expect, it } from 'vitest';
import type { TokenCache } from '../../src-main/cache/token-cache.ts';
import type { Partition } from '../../src-main/partitions/index.ts';
import { sessionStore } from '../../src-main/partitions/stores/session-store.ts';
import { caches, signIn } from './people.ts';

declare module 'express-session' {
  interface SessionData {
    seen?: number;
  }
}

interface Meanwhile {
  readonly tab?: (req: express.Request) => Promise<unknown>;
  readonly store?: (store: session.MemoryStore) => unknown;
}

/** How a session ends while another of its requests is slow. */
const ENDS: Record<string, Meanwhile> = {
  'another tab signs out': { tab: (req) => new Promise((resolve) => req.session.destroy(resolve)) },
  'another tab signs in anew': { tab: (req) => new Promise((resolve) => req.session.regenerate(resolve)) },
  'it expires in its store': {
    store: (store) => {
      const sessions = Reflect.get(store, 'sessions') as Record<string, string>;
      for (const [id, text] of Object.entries(sessions)) {
        const { cookie, ...fields } = JSON.parse(text) as { cookie: object };
        sessions[id] = JSON.stringify({ ...fields, cookie: { ...cookie, expires: new Date(0) } });
      }
    },
  },
  'its store loses everything': { store: (store) => store.clear() },
};

const scopesIn = (cache: TokenCache): string[] =>
  cache
    .find('AccessToken')
    .map(({ target }) => target)
    .sort();

/** What the slow request does afterwards with a handle that it opened before. */
const LATER = ['updates', 'reads', 'opens anew', 'uses only its session'] as const;

const cases = Object.keys(ENDS).flatMap((ends) =>
  LATER.flatMap((later) => [false, true].map((resave) => ({ ends, later, resave }))),
);

const opened = (req: express.Request) => caches({ store: sessionStore(req.session) }).partition('a');

/** @returns the scopes that the browser of the slow request has afterwards */
async function scopesAfter(
  { tab, store: inStore }: Meanwhile,
  slow: (req: express.Request, before: Partition) => Promise<void>,
  resave: boolean,
  store = new session.MemoryStore(),
): Promise<unknown> {
  let arrive = (): void => undefined;
  let go = (): void => undefined;
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  const gone = new Promise<void>((resolve) => (go = resolve));
  const app = express();
  app.use(session({ secret: 'x', resave, saveUninitialized: true, store }));
  app.get('/sign-in', async (req, res) => {
    await opened(req).update((cache) => signIn(cache, 'noor'));
    res.json('done');
  });
  app.get('/scopes', async (req, res) => void res.json(await opened(req).read(scopesIn)));
  app.get('/meanwhile', async (req, res) => {
    await opened(req).read(scopesIn);
    await tab?.(req);
    res.json('done');
  });
  app.get('/slow', async (req, res) => {
    const before = opened(req);
    await before.read(scopesIn);
    arrive();
    await gone;
    req.session.seen = 1; // Makes express-session save the session at the end of the request.
    await slow(req, before);
    res.json('done');
  });
  // A failed save after the response is no reason to close the connection.
  app.use(((error, _req, res, next) => {
    if (!res.headersSent) next(error);
  }) as express.ErrorRequestHandler);
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  let cookie = '';
  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { cookie } });
    if (cookie === '') cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    return response.json();
  };
  try {
    await get('/sign-in');
    expect(await get('/scopes')).toEqual(['orders']);
    const ended = get('/slow');
    await arrived;
    if (tab !== undefined) await get('/meanwhile');
    inStore?.(store);
    go();
    expect(await ended).toBe('done');
    return await get('/scopes');
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** Does it in a session that has ended. */
const doing =
  (later: (typeof LATER)[number]) =>
  async (req: express.Request, before: Partition): Promise<void> => {
    if (later === 'updates')
      await expect(before.update((cache) => signIn(cache, 'noor', 'late'))).rejects.toMatchObject({
        code: 'session_ended',
      });
    if (later === 'reads') expect(await before.read(scopesIn)).toEqual([]);
    if (later === 'opens anew') expect(await opened(req).read(scopesIn)).toEqual([]);
  };

it.each(cases)('$ends, and the slow request $later (resave: $resave)', async ({ ends, later, resave }) => {
  expect(await scopesAfter(ENDS[ends]!, doing(later), resave)).toEqual([]);
});

/** Another tab destroys the session after a save was called, and the store carries out the `destroy` first. */
class OvertakingStore extends session.MemoryStore {
  isOvertaken = false;

  override set(id: string, data: session.SessionData, done?: (error?: unknown) => void): void {
    const save = (): void => super.set(id, data, done);
    if (!this.isOvertaken) save();
    else {
      this.isOvertaken = false;
      this.destroy(id, save);
    }
  }
}

it.each([false, true].flatMap((resave) => [false, true].map((updates) => ({ updates, resave }))))(
  'a save that is carried out after the end of the session restores nothing (update: $updates, resave: $resave)',
  async ({ updates, resave }) => {
    const store = new OvertakingStore();
    const slow = async (_req: express.Request, before: Partition): Promise<void> => {
      store.isOvertaken = true;
      if (updates)
        await expect(before.update((cache) => signIn(cache, 'noor', 'late'))).rejects.toMatchObject({
          code: 'session_ended',
        });
    };
    expect(await scopesAfter({}, slow, resave, store)).toEqual([]);
    expect(store.isOvertaken).toBe(false);
  },
);

/** Answers like session-file-store if there is no such session. */
class FileStore extends session.MemoryStore {
  override get(id: string, done: (error: unknown, found?: session.SessionData | null) => void): void {
    super.get(id, (error, found) => {
      if (found === undefined || found === null)
        done(Object.assign(new Error('no such file'), { code: 'ENOENT' }));
      else done(error, found);
    });
  }
}

it.each(LATER)(
  'a store that answers ENOENT for an ended session keeps it ended: the slow request %s',
  async (later) => {
    const end = ENDS['another tab signs out']!;
    expect(await scopesAfter(end, doing(later), false, new FileStore())).toEqual([]);
  },
);

it.each([false, true])(
  'a slow request that saves its session keeps newer tokens (resave: %s)',
  async (resave) => {
    const tab = (req: express.Request) => opened(req).update((cache) => signIn(cache, 'noor', 'newer'));
    expect(await scopesAfter({ tab }, () => Promise.resolve(), resave)).toEqual(['newer', 'orders']);
    const signOut = (req: express.Request) => opened(req).signOut('noor.utid');
    expect(await scopesAfter({ tab: signOut }, () => Promise.resolve(), resave)).toEqual([]);
  },
);

it('a session store that throws loses nothing, and does not end the process', async () => {
  let thrown = 0;
  const store = (of: session.MemoryStore): void => {
    const get = of.get.bind(of);
    of.get = () => {
      thrown += 1;
      of.get = get;
      throw new Error('The store is closed.');
    };
  };
  expect(await scopesAfter({ store }, () => Promise.resolve(), false)).toEqual(['orders']);
  expect(thrown).toBe(1);
});
