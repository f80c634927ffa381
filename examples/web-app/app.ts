/** The web app: signs users in, shows who they are, and calls an API for them. */
import express from 'express';
import { webSignIn } from 'tokenkeep/express';
import { ApiFailure, failureOf, notReached } from './failures.ts';
import { answerPage, messagePage, userPage, welcomePage } from './pages.ts';
import type { Settings } from './settings.ts';
import type { Stores } from './stores.ts';

export function appWith(settings: Settings, { caches, sessions }: Stores): express.Express {
  const { issuer, clientId, clientSecret, redirectUri, parameters, apiUrl, scopes } = settings;
  const about = { provider: new URL(issuer).host, apiUrl };
  const ask = settings.fetch ?? fetch;
  const provider = { issuer, clientId, clientSecret, redirectUri, parameters };
  const auth = webSignIn({ caches, scopes, fetch: ask, ...provider });
  const app = express().disable('x-powered-by').set('trust proxy', settings.proxies);
  app.use(sessions, auth.routes);

  app.get('/', async (req, res) => {
    const user = await auth.findUser(req);
    res.set('cache-control', 'no-store').send(user === null ? welcomePage(about) : userPage(user, about));
  });

  app.get('/call-api', auth.requireUser({ scopes }), async (req, res) => {
    const headers = { authorization: `Bearer ${auth.user(req).accessToken}` };
    const answer = await ask(apiUrl, { headers, signal: AbortSignal.timeout(10_000) }).catch(notReached);
    if (!answer.ok) throw new ApiFailure(answer.status);
    res.send(answerPage(await answer.json(), about));
  });

  app.use(((error, req, res, _next) => {
    console.error(error); // Messages of Tokenkeep never contain a token.
    const { status, ...message } = failureOf(error, req.method === 'GET' ? req.path : '/');
    res.status(status).send(messagePage(message));
  }) satisfies express.ErrorRequestHandler);
  return app;
}
