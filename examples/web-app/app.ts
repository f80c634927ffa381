/** The web app: signs people in, shows who they are, calls an API for them. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { InteractionRequiredAuthError, ServerError } from '@azure/msal-node';
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { createClient } from 'redis';
import { acquireToken } from 'tokenkeep/msal';
import { TokenkeepError } from 'tokenkeep/partitions';
import { type Caches, openCaches } from './caches.ts';
import { ApiFailure, failureOf, SessionsUnavailable } from './failures.ts';
import { msalPerRequest } from './msal.ts';
import { answerPage, messagePage, userPage, welcomePage } from './pages.ts';
import type { Settings } from './settings.ts';
import { signIn } from './sign-in.ts';

export interface RunningApp {
  close(): Promise<void>;
}

const EIGHT_HOURS = 8 * 3600 * 1000;

export async function startApp(settings: Settings): Promise<RunningApp> {
  const redis = await connected(settings.redisUrl);
  const caches = await openCaches(settings, redis);
  const app = appWith(settings, new RedisStore({ client: redis, prefix: 'session:' }), caches);
  const server = createServer(app).listen(settings.port, '127.0.0.1');
  await once(server, 'listening');
  return {
    close: async () => {
      await closed(server);
      await caches.close();
      await redis.close();
    },
  };
}

/** A request waits for a Redis that is down or hangs no longer than this, in milliseconds. */
const PATIENCE = 4000;

async function connected(url: string) {
  const client = createClient({
    url,
    disableOfflineQueue: true, // Requests are told at once, and do not wait for it to come back.
    pingInterval: PATIENCE / 2,
    socket: {
      connectTimeout: PATIENCE,
      socketTimeout: PATIENCE,
      // Its default gives up for good after such a timeout.
      reconnectStrategy: (retries) => Math.min(retries * 100, 2000),
    },
  });
  client.on('error', (error: Error) => console.error(`Redis: ${error.message}`));
  await client.connect();
  return client;
}

function appWith(settings: Settings, store: session.Store, caches: Caches): express.Express {
  const app = express();
  app.disable('x-powered-by');
  const about = { provider: new URL(settings.authority).host, apiUrl: settings.apiUrl };
  const sessions = session({
    name: 'session',
    secret: settings.sessionSecret,
    store,
    resave: false,
    saveUninitialized: false,
    cookie: {
      httpOnly: true,
      sameSite: 'lax',
      secure: settings.url.startsWith('https:'),
      maxAge: EIGHT_HOURS,
    },
  });
  app.use((req, res, next) =>
    sessions(req, res, (cause?: unknown) =>
      next(
        cause === undefined ? undefined : new SessionsUnavailable('The sessions can’t be read', { cause }),
      ),
    ),
  );
  const msal = msalPerRequest(settings);

  app.get('/', (req, res) => {
    const { user } = req.session;
    res.send(user === undefined ? welcomePage(about) : userPage(user, about));
  });
  app.use(signIn({ settings, msal, caches }));

  app.get('/call-api', async (req, res) => {
    const { cacheId } = req.session;
    const token =
      cacheId === undefined
        ? undefined
        : await msal.run(caches.of(req.session, cacheId), () => accessToken(msal, settings));
    if (token === undefined && req.query['signed-in'] === undefined) {
      res.redirect('/sign-in?then=call-api');
      return;
    }
    if (token === undefined) throw new Error('The sign-in brought no token for the API.'); // Not round and round.
    res.send(answerPage(await askApi(settings, token), about));
  });

  app.use(((error, req, res, _next) => {
    console.error(error); // No token is ever in a message of Tokenkeep; of MSAL's, not at its default level.
    const { status, ...message } = failureOf(error, req.method === 'GET' ? req.path : '/');
    res.status(status).send(messagePage(message));
  }) satisfies express.ErrorRequestHandler);
  return app;
}

/** From the cache, or refreshed by one request at a time in all servers; undefined where the user has to sign in. */
async function accessToken(
  msal: ReturnType<typeof msalPerRequest>,
  { clientId, scopes }: Settings,
): Promise<string | undefined> {
  try {
    return (await acquireToken(msal.partition, () => msal.client, clientId, { scopes })).accessToken;
  } catch (error) {
    if (error instanceof InteractionRequiredAuthError) return undefined;
    if (error instanceof ServerError && error.errorCode === 'invalid_grant') return undefined; // Revoked, or too old.
    if (error instanceof TokenkeepError && error.code === 'sign_in_required') return undefined;
    throw error;
  }
}

async function askApi({ apiUrl, fetch: own }: Settings, token: string): Promise<unknown> {
  try {
    const answer = await (own ?? fetch)(apiUrl, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new ApiFailure(answer.status);
    return await answer.json();
  } catch (cause) {
    throw cause instanceof ApiFailure ? cause : new ApiFailure(undefined, { cause });
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
