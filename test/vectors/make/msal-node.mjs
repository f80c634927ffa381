/**
 * Plays cases with the real `@azure/msal-node`: `node msal-node.mjs MAJOR < cases.json > documents.json`.
 * In: an array of cases (cases.mjs). Out: { version, documents: { name: text } }.
 */
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import { answer } from './network.mjs';

/** The library reads the clock through `Date`, as a function and as a class; it must not notice the difference. */
let now = 0;
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [now * 1000] : args));
  }
  static now() {
    return now * 1000;
  }
};

const [major] = process.argv.slice(2);
const msal = createRequire(import.meta.url)(`msal-node-${major}`);

function application(step, providers, network) {
  const provider = providers[step.provider];
  const configuration = {
    auth: {
      clientId: step.app.client_id,
      authority: provider.authority,
      ...(provider.known ? { knownAuthorities: [new URL(provider.authority).host] } : {}),
      ...(step.app.secret ? { clientSecret: step.app.secret } : {}),
      ...(provider.generic && Number(major) < 5 ? { protocolMode: 'OIDC' } : {}),
    },
    system: {
      networkClient: network,
      ...(provider.generic ? { protocolMode: 'OIDC' } : {}),
      loggerOptions: { loggerCallback() {} },
    },
  };
  return step.app.secret
    ? new msal.ConfidentialClientApplication(configuration)
    : new msal.PublicClientApplication(configuration);
}

const code = (app, step) =>
  app.acquireTokenByCode({ code: 'synthetic-code', scopes: step.scopes, redirectUri: 'http://localhost' });

const ROUTES = {
  code,
  /** MSAL Node does not try the family's refresh token for an app that it sees for the first time: the user signs in. */
  family: code,
  device: (app, step) => app.acquireTokenByDeviceCode({ scopes: step.scopes, deviceCodeCallback() {} }),
  app: (app, step) =>
    app.acquireTokenByClientCredential({ scopes: step.scopes, skipCache: true, ...step.request }),
  'on-behalf-of': (app, step) =>
    app.acquireTokenOnBehalfOf({ scopes: step.scopes, oboAssertion: step.assertion, skipCache: true }),
  silent: async (app, step, authority) => {
    const accounts = await app.getTokenCache().getAllAccounts();
    const account = accounts.find(({ homeAccountId }) => homeAccountId === step.home_account_id);
    const bound = step.sshKey && {
      authenticationScheme: 'ssh-cert',
      sshJwk: JSON.stringify(step.sshKey),
      sshKid: step.sshKey.kid,
    };
    return app.acquireTokenSilent({ account, scopes: step.scopes, authority, forceRefresh: true, ...bound });
  },
};

async function play({ name, steps, providers, clouds, document = '' }) {
  for (const step of steps) {
    now = step.at;
    let redeemed = 0;
    const respond = (url) => {
      const { body, token } = answer(url, { providers, clouds, response: step.response });
      redeemed += token ? 1 : 0;
      return Promise.resolve({ headers: {}, status: 200, body });
    };
    const app = application(step, providers, { sendGetRequestAsync: respond, sendPostRequestAsync: respond });
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
process.stdout.write(JSON.stringify({ version: msal.version, documents }));
