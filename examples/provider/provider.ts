/** A real OpenID Connect provider on this machine, for tests and trials: oidc-provider with made-up users. */
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type ClientMetadata, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { atproto } from './atproto.ts';
import { type Identity, makeIdentity } from './certificate.ts';
import { CLIENTS } from './clients.ts';
import { configuration } from './configuration.ts';
import { clientInfo, googleRevocation, msalDeviceGrant } from './dialects.ts';
import { type Events, record } from './events.ts';
import { interactions } from './interactions.ts';
import { page } from './pages.ts';
import { type User, USERS } from './users.ts';

export interface ProviderOptions {
  /** A port of the loopback interface. Default: any free port. */
  port?: number;
  /** In seconds. Defaults: 3600, 86400, 3600 and 600. */
  accessTokenTtl?: number;
  refreshTokenTtl?: number;
  idTokenTtl?: number;
  deviceCodeTtl?: number;
  /** Seconds between two polls of a device. Default: 5, as in RFC 8628 §3.2. */
  deviceInterval?: number;
  /** Clients to register besides CLIENTS. */
  clients?: readonly ClientMetadata[];
  /** Clients may register themselves (RFC 7591). */
  registration?: boolean;
  /** Adds Entra's `client_info` to token responses, so that accounts are named `oid.tid`. */
  entra?: boolean;
  /** Whether access tokens are for an API, so that the provider's user info endpoint refuses them. Default: true. */
  api?: boolean;
  /** Serves atproto's clients: DIDs, pushed requests, DPoP nonces. Over HTTP, because they don't accept HTTPS on loopback. */
  atproto?: boolean;
  /** The certificate of an earlier provider, so that clients that trust that one trust this one. */
  identity?: Identity;
}

/** A path of the provider, for `outages`. */
export type Endpoint =
  | '/token'
  | '/token/revocation'
  | '/devicecode'
  | '/auth'
  | '/jwks'
  | '/.well-known/openid-configuration';

export interface RunningProvider {
  /** `https://localhost:<port>` */
  issuer: string;
  /** PEM of the authority that signed its certificate. */
  ca: string;
  identity: Identity;
  clients: readonly ClientMetadata[];
  users: readonly User[];
  events: Events;
  /** Endpoints that answer 503 while they are in this set. */
  outages: Set<Endpoint>;
  /** Posts a logout token for the user to the `backchannel_logout_uri` of a client. Rejects unless it is accepted. */
  backChannelLogout(clientId: string, user: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startProvider(options: ProviderOptions = {}): Promise<RunningProvider> {
  const identity = options.identity ?? (await makeIdentity());
  const clients = [...CLIENTS, ...(options.clients ?? [])];
  const outages = new Set<Endpoint>();

  const isHttp = options.atproto === true;
  const server = isHttp ? createHttpServer() : createServer({ cert: identity.cert, key: identity.key });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  // The issuer contains the port, which is only known now.
  const issuer = `${isHttp ? 'http' : 'https'}://localhost:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(
    issuer,
    configuration(
      clients,
      USERS,
      {
        accessToken: options.accessTokenTtl ?? 3600,
        refreshToken: options.refreshTokenTtl ?? 86_400,
        idToken: options.idTokenTtl ?? 3600,
        deviceCode: options.deviceCodeTtl ?? 600,
      },
      {
        registers: options.registration === true,
        atproto: options.atproto === true,
        api: options.api ?? true,
      },
    ),
  );
  provider.use(unavailable(outages));
  provider.use(greeting);
  const events = record(provider);
  provider.use(interactions(provider, USERS));
  provider.use(msalDeviceGrant);
  provider.use(googleRevocation);
  provider.use(deviceInterval(options.deviceInterval ?? 5));
  if (options.entra === true) provider.use(clientInfo(USERS));
  if (options.atproto === true) provider.use(atproto(issuer, USERS));
  const answer = provider.callback();
  server.on('request', (request, response) => void answer(request, response));

  return {
    issuer,
    ca: identity.ca,
    identity,
    clients,
    users: USERS,
    events,
    outages,
    backChannelLogout: async (clientId, user) => {
      // The types of oidc-provider don't have this method.
      const client = (await provider.Client.find(clientId)) as
        | { backchannelLogout(sub: string): Promise<void> }
        | undefined;
      await client?.backchannelLogout(user);
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Middleware = (ctx: KoaContextWithOIDC, next: () => Promise<void>) => Promise<void>;

function unavailable(outages: ReadonlySet<string>): Middleware {
  return async (ctx, next) => {
    if (!outages.has(ctx.path)) return next();
    ctx.status = 503;
    ctx.body = { error: 'temporarily_unavailable' };
  };
}

const greeting: Middleware = async (ctx, next) => {
  if (ctx.path !== '/') return next();
  ctx.type = 'html';
  ctx.body = page('An identity provider', '<p>Apps send you here to sign in.</p>');
};

/** RFC 8628 §3.2: how often a device may poll. oidc-provider omits it, which means the default. */
function deviceInterval(seconds: number): Middleware {
  return async (ctx, next) => {
    await next();
    if (ctx.path === '/devicecode' && ctx.status === 200)
      Object.assign(ctx.body as object, { interval: seconds });
  };
}
