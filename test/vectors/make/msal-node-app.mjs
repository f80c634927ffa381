/**
 * The real `@azure/msal-node` of one major version, with a clock that is set and a network that is passed in.
 * Import it in a process of its own: the clock is everybody's.
 */
import { createRequire } from 'node:module';

let now = 0;
const RealDate = Date;

/** The library reads the clock through `Date`, as a function and as a class; it must not notice the difference. */
globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [now * 1000] : args));
  }
  static now() {
    return now * 1000;
  }
};

/** @param {number} seconds since the epoch; the clock stands still there */
export function setClock(seconds) {
  now = seconds;
}

/**
 * @param {string} major
 * @returns {{ version: string, application(step: object, providers: object, request: Function): object }} where
 * `request(url, { body })` answers every request with a JSON value
 */
export function msalNode(major) {
  const msal = createRequire(import.meta.url)(`msal-node-${major}`);

  function application({ app, provider: name }, providers, request) {
    const provider = providers[name];
    const respond = async (url, options) => ({ headers: {}, status: 200, body: request(url, options) });
    // Up to version 3 the protocol mode belongs to `auth`, from 5 to `system`.
    const mode = provider.generic ? { protocolMode: 'OIDC' } : {};
    const configuration = {
      auth: {
        clientId: app.client_id,
        authority: provider.authority,
        knownAuthorities: provider.known ? [new URL(provider.authority).host] : [],
        ...(app.secret ? { clientSecret: app.secret } : {}),
        ...(Number(major) < 5 ? mode : {}),
      },
      system: {
        networkClient: { sendGetRequestAsync: respond, sendPostRequestAsync: respond },
        loggerOptions: { loggerCallback() {} },
        ...(Number(major) < 5 ? {} : mode),
      },
    };
    return app.secret
      ? new msal.ConfidentialClientApplication(configuration)
      : new msal.PublicClientApplication(configuration);
  }

  return { version: msal.version, application };
}
