/**
 * Plays cases with the real `@azure/msal-node`: `node msal-node.mjs MAJOR < cases.json > documents.json`.
 * In: an array of cases (cases.mjs). Out: { version, documents: { name: text } }.
 */
import { text } from 'node:stream/consumers';
import { msalNode, setClock } from './msal-node-app.mjs';
import { answer } from './network.mjs';

const { version, application } = msalNode(process.argv[2]);

const code = (app, { scopes }) =>
  app.acquireTokenByCode({ code: 'synthetic-code', scopes, redirectUri: 'http://localhost' });

const ROUTES = {
  code,
  /** MSAL Node does not try the family's refresh token for an app that it sees for the first time: the user signs in. */
  family: code,
  device: (app, { scopes }) => app.acquireTokenByDeviceCode({ scopes, deviceCodeCallback() {} }),
  app: (app, { scopes, request }) =>
    app.acquireTokenByClientCredential({ scopes, skipCache: true, ...request }),
  'on-behalf-of': (app, { scopes, assertion }) =>
    app.acquireTokenOnBehalfOf({ scopes, oboAssertion: assertion, skipCache: true }),
  silent: async (app, { scopes, home_account_id, sshKey }, authority) => {
    const accounts = await app.getTokenCache().getAllAccounts();
    const account = accounts.find(({ homeAccountId }) => homeAccountId === home_account_id);
    const bound = sshKey && {
      authenticationScheme: 'ssh-cert',
      sshJwk: JSON.stringify(sshKey),
      sshKid: sshKey.kid,
    };
    return app.acquireTokenSilent({ account, scopes, authority, forceRefresh: true, ...bound });
  },
};

async function play({ name, steps, providers, clouds, document = '' }) {
  for (const step of steps) {
    setClock(step.at);
    let redeemed = 0;
    const request = (url) => {
      const { body, token } = answer(url, { providers, clouds, response: step.response });
      redeemed += token ? 1 : 0;
      return body;
    };
    const app = application(step, providers, request);
    const cache = app.getTokenCache();
    cache.deserialize(document);
    const result = await ROUTES[step.route](app, step, providers[step.provider].authority);
    if (redeemed !== 1 || result.accessToken !== step.response.access_token) {
      throw new Error(`${name}: ${step.route} redeemed ${redeemed} times and did not return the token`);
    }
    document = cache.serialize();
  }
  return document;
}

const documents = {};
for (const one of JSON.parse(await text(process.stdin))) {
  documents[one.name] = await play(one);
}
process.stdout.write(JSON.stringify({ version, documents }));
