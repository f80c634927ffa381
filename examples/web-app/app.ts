/** The web app: signs people in, shows who they are, calls an API for them. */
import { createServer, type Server } from 'node:http';
import { InteractionRequiredAuthError } from '@azure/msal-node';
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { createClient } from 'redis';
import { type Caches, openCaches } from './caches.ts';
import { msalPerRequest } from './msal.ts';
import { answerPage, indexPage, messagePage } from './pages.ts';
import type { Settings } from './settings.ts';
import { signIn } from './sign-in.ts';

export interface RunningApp {
  close(): Promise<void>;
}

const EIGHT_HOURS = 8 * 3600 * 1000;

export async function startApp(settings: Settings): Promise<RunningApp> {
  const redis = createClient({ url: settings.redisUrl });
  redis.on('error', (error: Error) => console.error(`Redis: ${error.message}`));
  await redis.connect();
  const caches = await openCaches(settings, redis);
  const app = appWith(
    settings,
    new RedisStore({ client: redis, prefix: 'session:' }),
    caches,
    await endSessionEndpoint(settings),
  );
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(settings.port, '127.0.0.1', resolve));
  return {
    close: async () => {
      await closed(server);
      await caches.close();
      await redis.close();
    },
  };
}

function appWith(
  settings: Settings,
  store: session.Store,
  caches: Caches,
  endSession: string | undefined,
): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(
    session({
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
    }),
  );
  const msal = msalPerRequest(settings);

  app.get('/', (req, res) => {
    res.send(indexPage(req.session.user));
  });
  app.use(signIn({ settings, msal, caches, endSession }));

  app.get('/call-api', async (req, res) => {
    const { cacheId } = req.session;
    const token =
      cacheId === undefined
        ? undefined
        : await msal.run(caches.of(req.session, cacheId), () => accessToken(msal, settings.scopes));
    if (token === undefined) {
      res.redirect('/sign-in');
      return;
    }
    const answer = await (settings.fetch ?? fetch)(settings.apiUrl, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (!answer.ok) {
      res.status(502).send(messagePage('The API refused', `It answered ${answer.status}.`));
      return;
    }
    res.send(answerPage(await answer.json()));
  });

  app.use(((error, _req, res, _next) => {
    console.error(error); // No token is ever in a message of Tokenkeep; of MSAL's, not at its default level.
    res.status(500).send(messagePage('Something went wrong', 'Please try again.'));
  }) satisfies express.ErrorRequestHandler);
  return app;
}

/** From the cache, or refreshed; undefined where the user has to sign in. */
async function accessToken(
  msal: ReturnType<typeof msalPerRequest>,
  scopes: string[],
): Promise<string | undefined> {
  // A provider that gives each refresh token once must not be asked twice at the same time.
  return msal.partition.exclusively('refresh', async () => {
    const [account] = await msal.client.getTokenCache().getAllAccounts();
    if (account === undefined) return undefined;
    try {
      return (await msal.client.acquireTokenSilent({ account, scopes })).accessToken;
    } catch (error) {
      if (error instanceof InteractionRequiredAuthError) return undefined;
      throw error;
    }
  });
}

/** Where the provider says that people sign out of it. */
async function endSessionEndpoint({
  authority,
  provider,
  fetch: own,
}: Settings): Promise<string | undefined> {
  const base = provider === 'entra' ? `${authority}/v2.0` : authority;
  const answer = await (own ?? fetch)(`${base}/.well-known/openid-configuration`);
  const metadata = (await answer.json()) as { end_session_endpoint?: string };
  return metadata.end_session_endpoint;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
