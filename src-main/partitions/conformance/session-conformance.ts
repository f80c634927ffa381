/**
 * A conformance suite for session libraries under `sessionStore`: request by request, as a browser sends them.
 *
 *     for (const { name, run } of sessionConformance({ serve })) test(name, run);
 */
import { fail } from 'node:assert/strict';
import { carryOver, sessionStore, type SessionStoreOptions } from '../stores/session-store.ts';
import type { SessionSource } from '../stores/session-access.ts';
import type { Partition } from '../partitioned-caches.ts';
import { scopesIn, sealed, sign } from './cache-cases.ts';
import { check as same, codeAndMessage, codeOf, handled } from './check.ts';

/**
 * One request, with its session.
 *
 * @example
 * import type { SessionVisit } from 'tokenkeep/partitions/conformance';
 *
 * const visitOf = (req: { url: string; session: object }): SessionVisit => ({
 *   path: new URL(req.url, 'http://localhost').pathname,
 *   session: () => req.session,
 *   destroy: () => Reflect.deleteProperty(req, 'session'),
 * });
 */
export interface SessionVisit {
  /** The path of the URL, without the query. */
  readonly path: string;
  /** What the app passes to `sessionStore` for this request. Called again after `regenerate`. */
  readonly session: () => SessionSource;
  /** Options that the app passes to `sessionStore`. */
  readonly options?: SessionStoreOptions;
  /** Ends the session, as the app does when a user signs out. */
  readonly destroy: () => unknown;
  /** Gives the user a new session, as the app does at a sign-in; absent where the library has no such thing. */
  readonly regenerate?: () => unknown;
}

/**
 * A running app.
 *
 * @example
 * import type { Server } from 'node:http';
 * import type { ServedSessions } from 'tokenkeep/partitions/conformance';
 *
 * const served = (server: Server, port: number): ServedSessions => ({
 *   url: `http://127.0.0.1:${port}`,
 *   close: () => server.close(),
 * });
 */
export interface ServedSessions {
  /** Without a slash at its end. */
  readonly url: string;
  /** Stops it. */
  readonly close: () => unknown;
}

/** Options of `sessionConformance`. */
export interface SessionConformanceOptions {
  /**
   * Starts an app with the session library. For each request it awaits `visit` and responds with its result as JSON. A request
   * with another path than `/end` must not end the session.
   */
  readonly serve: (visit: (request: SessionVisit) => Promise<unknown>) => Promise<ServedSessions>;
  /** false: the session is kept in its cookie, so requests at the same time don't see each other's changes. Default: true. */
  readonly isOnServer?: boolean;
  /** true: each request has the session as it was when it began, so two at the same time may lose tokens. Default: false. */
  readonly isReadOnce?: boolean;
}

/**
 * One test, for any runner.
 *
 * @example
 * import { test } from 'node:test';
 * import type { SessionConformanceCase } from 'tokenkeep/partitions/conformance';
 *
 * const register = ({ name, run }: SessionConformanceCase) => test(name, run);
 */
export interface SessionConformanceCase {
  readonly name: string;
  /**
   * Rejects with an AssertionError if tokens would be lost, kept too long, or given to someone else. Its message says what the session did,
   * what that means, and what to change.
   */
  readonly run: () => Promise<void>;
}

/** The app's partition id. */
const ID = 'the same in each request';

/** A browser, reduced to the handling of cookies that the suite needs. */
class Browser {
  readonly cookies: Map<string, string>;
  readonly #url: string;

  constructor(url: string, cookies: ReadonlyMap<string, string> = new Map()) {
    this.#url = url;
    this.cookies = new Map(cookies);
  }

  async get(path: string): Promise<unknown> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(this.#url + path, { headers: { cookie } });
    const text = await response.text();
    if (!response.ok)
      fail(
        `The app answered ${path} with ${response.status} (${text.slice(0, 500)}), so the case could not go on. \`serve\` must await \`visit\` for each path. If \`visit\` rejected, its error is in the log of the app.`,
      );
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
      if (/;\s*max-age=0\b|;\s*expires=thu, 01 jan 1970/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return fail(
        `The app answered ${path} with “${text.slice(0, 500)}”. \`serve\` must answer with the result of \`visit\` as JSON, also if it is null.`,
      );
    }
  }
}

/** Gates at which the suite holds up requests, by name. */
class Gates {
  readonly #gates = new Map<string, { open: () => void; opened: Promise<void> }>();

  of(name: string): { open: () => void; opened: Promise<void> } {
    const known = this.#gates.get(name);
    if (known !== undefined) return known;
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    this.#gates.set(name, { open, opened });
    return { open, opened };
  }
}

type Script = (
  browser: Browser,
  served: { url: string; gates: Gates; regenerates: () => boolean },
) => Promise<void>;

/** What a failed case says. [Note: told failures] */
const TOLD = {
  firstUpdate:
    'The first update of a session was not made, so nobody can sign in. `session` must return the session of the request, or a function that does, and it must keep fields of any name.',
  kept: 'The next request of the browser does not find what an update stored, so users lose their tokens. The library must save the session when a field of it changes, and `serve` must send its cookie with the answer.',
  foreign:
    'A browser that sent no cookie found the tokens of another one: it could act as that user. `session` must return the session of its own request, never one that requests share.',
  sameRequest:
    'The request that made an update does not find it, so it would ask the provider again. Each call of `session` in a request must return the same session.',
  signOut:
    'A sign-out was not carried out, or left tokens. The session must be able to drop or empty a field.',
  signedOut:
    'The next request still has the tokens of a user who signed out. The library must also save a session of which a field was removed or emptied.',
  signedOutAgain: 'After a sign-out, the user cannot sign in again in the same session, or finds old tokens.',
  otherUser:
    'The tokens of another user were not refused with `partition_other_user`, so one person could get the tokens of another. The session returned something other than was written to it.',
  unchanged:
    'An update that was rejected changed the session, so a failed update signs the user out, or brings tokens of someone else. A field that is set back must be saved as it was.',
  ended:
    'An update after `destroy` was not refused with `session_ended`: the session comes back for whoever knows its cookie. After its end, let `session` return a function whose result is null, or pass `isAlive` in `options`, which asks the store of the library.',
  gone: 'The browser still has tokens after `destroy`, so a user who signed out is still signed in. `destroy` must end the session as the app does, and `serve` must send the cookie that says so.',
  anew: 'After the end of a session, the browser cannot sign in again, or finds tokens of the ended session. A new session must begin with the next request.',
  revived:
    'A copy of the cookie from before the end finds what was stored afterwards: the ended session was saved again. Pass `isAlive` in `options`, or keep tokens in Redis or PostgreSQL.',
  revivedMeanwhile:
    'A slow request stored tokens in a session that another request had ended meanwhile. Pass `isAlive` in `options`: it must ask the store of the library, not the request. If sessions are kept in cookies, pass `isOnServer: false`.',
  restored:
    'A slow request that changed another field brought back tokens of a session that another request had ended. The library saves a whole session as it was when the request began. Pass `isReadOnce: true`, and keep tokens in Redis or PostgreSQL if two requests of a user may run at once.',
  lost: 'Of two requests at once, one lost the tokens of the other: the user has to sign in again. If each request has the session as it was at its beginning, pass `isReadOnce: true`, and use Redis or PostgreSQL for more than one request at once.',
  regenerated:
    'A handle from before `regenerate` wrote into the old session, or `carryOver` did not move the tokens. `regenerate` must replace the session of the request: afterwards, `session` returns the new one, and the old one no longer exists.',
  planted:
    'The cookie from before `regenerate` still finds tokens: whoever planted it in the browser acts as the user who signed in. `regenerate` must end the old session in its store, and send a new cookie.',
} as const;

const check = (told: keyof typeof TOLD, found: unknown, wanted: unknown): void =>
  same(TOLD[told], found, wanted);

const SCRIPTS: Record<string, { script: Script; onServer?: true; shared?: true }> = {
  'keeps tokens for the next request of the same browser only': {
    script: async (browser, { url }) => {
      check('firstUpdate', await browser.get('/add/first'), 'done');
      check('kept', await browser.get('/scopes'), ['first']);
      check('kept', await browser.get('/add/second'), 'done');
      check('kept', await browser.get('/scopes'), ['first', 'second']);
      check('foreign', await new Browser(url).get('/scopes'), []);
    },
  },

  'shows an update within the same request': {
    script: async (browser) => {
      check('sameRequest', await browser.get('/add-and-read/first'), ['first']);
    },
  },

  'leaves nothing after a sign-out, and reports that': {
    script: async (browser) => {
      await browser.get('/add/first');
      check('signOut', await browser.get('/sign-out'), 0);
      check('signedOut', await browser.get('/scopes'), []);
      check('signedOutAgain', await browser.get('/add/again'), 'done');
      check('signedOutAgain', await browser.get('/scopes'), ['again']);
    },
  },

  'leaves the session unchanged if an update is rejected': {
    script: async (browser) => {
      await browser.get('/add/first');
      check('otherUser', await browser.get('/add-someone-else/second'), 'partition_other_user');
      check('unchanged', await browser.get('/scopes'), ['first']);
    },
  },

  'does not revive a session that has ended by an update': {
    script: async (browser, { url }) => {
      await browser.get('/add/first');
      const before = new Browser(url, browser.cookies);
      check('ended', await browser.get('/end'), 'session_ended');
      check('gone', await browser.get('/scopes'), []);
      check('anew', await browser.get('/add/new'), 'done');
      check('anew', await browser.get('/scopes'), ['new']);
      check('revived', await before.get('/has/late'), false);
    },
  },

  'does not revive a session that another request ends meanwhile': {
    onServer: true,
    script: async (browser, { url, gates }) => {
      await browser.get('/add/first');
      const same = new Browser(url, browser.cookies);
      const slow = handled(new Browser(url, browser.cookies).get('/slow/late'));
      await Promise.race([gates.of('arrived').opened, slow]);
      await browser.get('/end');
      gates.of('go').open();
      check('revivedMeanwhile', await slow, 'session_ended');
      check('revivedMeanwhile', await same.get('/scopes'), []);
    },
  },

  'restores no tokens if a slow request saves another field': {
    onServer: true,
    shared: true,
    script: async (browser, { url, gates }) => {
      await browser.get('/add/first');
      const same = new Browser(url, browser.cookies);
      const slow = handled(new Browser(url, browser.cookies).get('/slow-field/late'));
      await Promise.race([gates.of('arrived').opened, slow]);
      await browser.get('/end');
      gates.of('go').open();
      check('restored', await slow, 'done');
      check('restored', await same.get('/scopes'), []);
    },
  },

  'keeps the tokens of simultaneous requests': {
    onServer: true,
    shared: true,
    script: async (browser, { url, gates }) => {
      await browser.get('/add/first');
      const slow = handled(new Browser(url, browser.cookies).get('/slow/slow'));
      await Promise.race([gates.of('arrived').opened, slow]);
      check('lost', await new Browser(url, browser.cookies).get('/add/quick'), 'done');
      gates.of('go').open();
      check('lost', await slow, 'done');
      check('lost', await browser.get('/scopes'), ['first', 'quick', 'slow']);
    },
  },

  'makes a planted cookie worthless after regenerate, also if an old handle writes; carryOver moves the tokens':
    {
      script: async (browser, { url, regenerates }) => {
        await browser.get('/add/first');
        const planted = new Browser(url, browser.cookies);
        const outcome = await browser.get('/regenerate/late');
        if (!regenerates()) return;
        // A handle may follow its request into the new session. It must not write into the old one.
        const kept = Array.isArray(outcome) && outcome[0] === 'done' ? 'late' : 'first';
        check('regenerated', outcome, [kept === 'late' ? 'done' : 'session_ended', [kept]]);
        check('regenerated', await browser.get('/scopes'), [kept]);
        check('planted', await planted.get('/scopes'), []);
      },
    },
};

/**
 * Returns the conformance cases of a session library. Each rejects if the library does not do what `sessionStore` needs.
 *
 * @example
 * import { test } from 'node:test';
 * import { sessionConformance, type SessionConformanceOptions } from 'tokenkeep/partitions/conformance';
 *
 * function register(serve: SessionConformanceOptions['serve']): void {
 *   for (const { name, run } of sessionConformance({ serve })) void test(name, run);
 * }
 */
export function sessionConformance({
  serve,
  isOnServer = true,
  isReadOnce = false,
}: SessionConformanceOptions): SessionConformanceCase[] {
  return Object.entries(SCRIPTS)
    .filter(([, { onServer }]) => isOnServer || onServer !== true)
    .filter(([, { shared }]) => !isReadOnce || shared !== true)
    .map(([name, { script }]) => ({
      name,
      run: async () => {
        const gates = new Gates();
        let canRegenerate = false;
        const { url, close } = await serve(async (visit) => {
          canRegenerate = visit.regenerate !== undefined;
          return answerTo(visit, gates).catch(codeAndMessage);
        });
        try {
          await script(new Browser(url), { url, gates, regenerates: () => canRegenerate });
        } finally {
          gates.of('go').open(); // If the case failed, a request may still wait, and `close` for that request.
          await close();
        }
      },
    }));
}

function open({ session, options }: SessionVisit): Partition {
  return sealed(sessionStore(session(), options), { timeout: 5000 }).partition(ID);
}

async function answerTo(visit: SessionVisit, gates: Gates): Promise<unknown> {
  const [, what = '', scope = ''] = visit.path.split('/');
  const partition = open(visit);
  const add = (uid?: string): Promise<string> => codeOf(partition.update((cache) => sign(cache, scope, uid)));
  if (what === 'add') return add();
  if (what === 'add-someone-else') return add('someone-else');
  if (what === 'scopes') return partition.read(scopesIn);
  if (what === 'has') return (await partition.read(scopesIn)).includes(scope);
  if (what === 'sign-out') return (await partition.signOut('uid.utid')).remaining;
  if (what === 'add-and-read') {
    await add();
    return open(visit).read(scopesIn);
  }
  if (what === 'slow') {
    await partition.read(scopesIn);
    gates.of('arrived').open();
    await gates.of('go').opened;
    return add();
  }
  if (what === 'slow-field') {
    await partition.read(scopesIn);
    gates.of('arrived').open();
    await gates.of('go').opened;
    const source = visit.session();
    Reflect.set(
      typeof source === 'function' ? ((source as () => unknown)() as object) : source,
      scope,
      'set',
    );
    return 'done';
  }
  if (what === 'end') {
    await partition.read(scopesIn);
    await visit.destroy();
    return codeOf(partition.update((cache) => sign(cache, 'late')));
  }
  if (what === 'regenerate' && visit.regenerate !== undefined) {
    const source = visit.session();
    const before: unknown = typeof source === 'function' ? (source as () => unknown)() : source;
    await visit.regenerate();
    const outcome = await add();
    await carryOver(before as object, visit.session(), visit.options);
    return [outcome, await open(visit).read(scopesIn)];
  }
  return null;
}
