/**
 * Has the real `@azure/msal-node` use documents: `node judge-node.mjs MAJOR < trials.json > verdicts.json`.
 * For each trial (see judges.ts): lists the accounts, asks for the token, asks for a new one.
 */
import { text } from 'node:stream/consumers';
import { msalNode, setClock } from '../vectors/make/msal-node-app.mjs';
import { answer } from '../vectors/make/network.mjs';

const { application } = msalNode(process.argv[2]);

/** Fills in the verdict step by step, so that what came before an error is in it. */
async function judge(trial, verdict) {
  const { document, at, scopes, home_account_id, providers, clouds, response } = trial;
  setClock(at);
  const sent = [];
  const app = application(trial, providers, (url, { body } = {}) => {
    const found = answer(url, { providers, clouds, response });
    if (found.token) sent.push(new URLSearchParams(body).get('refresh_token'));
    return found.body;
  });
  const cache = app.getTokenCache();
  cache.deserialize(document);
  const accounts = await cache.getAllAccounts();
  verdict.accounts = accounts.map(({ homeAccountId }) => homeAccountId);
  const account = accounts.find(({ homeAccountId }) => homeAccountId === home_account_id);
  verdict.tenant = account?.tenantId ?? null;
  const ask = async (fresh) => {
    const { accessToken } = await (home_account_id === null
      ? app.acquireTokenByClientCredential({ scopes, skipCache: fresh })
      : app.acquireTokenSilent({ account, scopes, forceRefresh: fresh }));
    return accessToken;
  };
  verdict.cached = await ask(false);
  const asked = sent.length;
  verdict.asked = asked;
  verdict.refreshed = await ask(true);
  verdict.redeemed = sent[asked] ?? null;
  verdict.document = cache.serialize();
}

const verdicts = [];
for (const trial of JSON.parse(await text(process.stdin))) {
  const verdict = {};
  verdicts.push(verdict);
  try {
    await judge(trial, verdict);
  } catch (error) {
    verdict.error = String(error);
  }
}
process.stdout.write(JSON.stringify(verdicts));
