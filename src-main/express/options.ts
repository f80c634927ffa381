/** The options of `webSignIn` and what it returns. */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../cache/clock.ts';
import type { AccountSummary } from '../cache/schema/entities.ts';
import { InvalidArgumentError } from '../errors.ts';
import {
  checkOptions,
  FUNCTION,
  type Kind,
  LIST_OF_TEXTS,
  NAME,
  type OptionNames,
  RECORD,
  TEXT,
  TEXT_RECORD,
} from '../options.ts';
import type { Partition, PartitionedCaches } from '../partitions/partitioned-caches.ts';
import type { WebMiddleware, WebRequest } from './http.ts';
import { isTrustworthy } from './provider.ts';

/** The public paths of the routes, as browsers see them. */
export interface WebSignInPaths {
  /** Starts a sign-in. `?returnTo=/a-path` sets the page that follows. Default: `/sign-in`. */
  signIn?: string;
  /** Signs the user out, by POST. Default: `/sign-out`. */
  signOut?: string;
  /** Receives the provider's logout tokens, if the caches have `userIndex: true`. Default: `/back-channel-logout`. */
  backChannelLogout?: string;
}

/** Options of `webSignIn`. */
export interface WebSignInOptions {
  /**
   * Where tokens are kept. For `sessionStore`, a function that makes the caches of a request:
   * `(req) => partitionedCaches({ store: sessionStore(req.session), sealingKeys })`. All `webSignIn` of an app must have the same.
   */
  caches: PartitionedCaches | ((req: WebRequest) => PartitionedCaches);
  /** The provider's issuer, as its discovery document spells it. For Microsoft, `https://login.microsoftonline.com/<tenant>/v2.0`. */
  issuer: string;
  /** The client ID of the app. */
  clientId: string;
  /** The client secret of the app. */
  clientSecret?: string;
  /** Instead of a secret: returns a signed JWT for the audience (RFC 7523 §2.2), for example by a certificate. */
  clientAssertion?: (audience: string) => string | Promise<string>;
  /**
   * The public URL to which the provider returns, as browsers see it. Its origin is taken as the app's, whatever proxies are in between.
   */
  redirectUri: string;
  /** Scopes that every sign-in asks for, beside `openid profile offline_access`. Default: none. */
  scopes?: readonly string[];
  /** Further parameters of the authorization request, such as `{ prompt: 'consent' }`. */
  parameters?: Readonly<Record<string, string>>;
  paths?: WebSignInPaths;
  /** The path of the public URL that a proxy removes before requests get here, for example `/app`. Default: none. */
  basePath?: string;
  /** Keeps data of the app when a sign-in replaces the session, before it is saved. `isSameUser`: the user was signed in before. */
  carryOver?: (before: object, after: object, isSameUser: boolean) => void | Promise<void>;
  /**
   * Called for each account whose tokens were removed: at a sign-out, and when another user signs in. Also for a refresh token that arrived
   * too late to be kept, and for a sign-in that could not be kept. If it throws, the sign-out is completed all the same, and the error is
   * reported as an uncaught exception.
   */
  onSignOut?: (signOut: WebSignOut) => void;
  /** Requests to the provider. Default: the global `fetch`. */
  fetch?: typeof fetch;
  /** Seconds since the epoch. Default: the system clock. */
  now?: Clock;
}

/** What a route requires. */
export interface RequireUserOptions {
  /** The scopes of the access token, of one resource. Default: no access token. */
  scopes?: readonly string[];
}

/** Options of a sign-in. */
export interface SignInOptions {
  /** A path of this app. Default: that of the request. */
  returnTo?: string;
  /** Scopes beside those of the options of `webSignIn`. */
  scopes?: readonly string[];
  /** The claims challenge of an API (step-up). */
  claims?: string;
  /** A user name, so that the provider need not ask for it. */
  loginHint?: string;
}

/**
 * A sign-out from the app, and whether the provider revoked the refresh tokens.
 *
 * @example
 * import type { WebSignOut } from 'tokenkeep/express';
 *
 * const onSignOut = ({ notRevoked, error }: WebSignOut) => {
 *   if (notRevoked > 0) console.warn(`${notRevoked} refresh tokens stay valid at the provider:`, error);
 * };
 */
export interface WebSignOut {
  readonly account: AccountSummary;
  /**
   * - `done`: the provider has revoked them all (RFC 7009).
   * - `unsupported`: its discovery document names no revocation endpoint. They stay valid there until they expire, but no copy is kept.
   * - `failed`: the same for at least one of them, because its request failed; see `error`.
   * - `none`: the provider of this `webSignIn` had issued none to its client.
   */
  readonly revocation: 'done' | 'unsupported' | 'failed' | 'none';
  /** The number of the account's refresh tokens that the provider revoked. */
  readonly revoked: number;
  /** The number of the others. */
  readonly notRevoked: number;
  readonly error?: unknown;
}

/** The signed-in user of a request. */
export interface WebUser {
  /** The account as the cache has it. */
  readonly account: AccountSummary;
  /** The claims of the ID token: `sub`, `name`, and any others that the provider includes. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** The access token for the scopes of `requireUser`; "" without scopes. */
  readonly accessToken: string;
  /** The user's token cache. */
  readonly partition: Partition;
}

/**
 * Sign-in for an app of Express.
 *
 * @example
 * import type { WebSignIn } from 'tokenkeep/express';
 *
 * const greeting = (auth: WebSignIn, req: Parameters<WebSignIn['user']>[0]) => `Hello, ${auth.user(req).account.username}`;
 */
export interface WebSignIn {
  /** The routes: sign-in, callback, sign-out and back-channel logout. Mount it without a path: `app.use(auth.routes)`. */
  readonly routes: WebMiddleware;
  /**
   * Lets only signed-in users pass. Others are sent to the provider and come back to the same page. Requests other than page loads
   * (`fetch`) get 401. With `scopes`, there is also an access token, refreshed once if it is due. The response is marked `no-store`.
   */
  requireUser(options?: RequireUserOptions): WebMiddleware;
  /** The user of a request that passed `requireUser`. @throws NoRequestError if it did not */
  user(req: WebRequest): WebUser;
  /** Looks up the user without requiring one; null if nobody is signed in. */
  findUser(req: WebRequest): Promise<WebUser | null>;
  /** Sends the browser to the provider, for example for a claims challenge of an API. Answers the request. */
  signIn(req: WebRequest, res: ServerResponse, options?: SignInOptions): Promise<void>;
}

const OPTIONS: OptionNames<WebSignInOptions> = {
  caches: true,
  issuer: TEXT,
  clientId: NAME,
  clientSecret: NAME,
  clientAssertion: FUNCTION,
  redirectUri: TEXT,
  scopes: LIST_OF_TEXTS,
  parameters: TEXT_RECORD,
  paths: RECORD,
  basePath: TEXT,
  carryOver: FUNCTION,
  onSignOut: FUNCTION,
  fetch: FUNCTION,
  now: FUNCTION,
};

/** Parameters that protect the sign-in. */
const OWN_PARAMETERS: ReadonlySet<string> = new Set([
  'client_id',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  'redirect_uri',
  'request',
  'request_uri',
  'response_mode',
  'response_type',
  'scope',
  'state',
]);

const ORIGIN = 'https://app.example';

/** The path of a route, as the URL of a request has it: `/sign in` arrives as `/sign%20in`. */
const PATH: Kind = {
  is: (value) => {
    if (!NAME.is(value)) return false;
    const url = `${ORIGIN}${value as string}`;
    return URL.canParse(url) && new URL(url).pathname === value;
  },
  what: 'a path such as "/sign-in", spelt as in the requests of browsers',
};

/** Returns the paths of the routes, as browsers see them. */
export function pathsOf({ redirectUri, paths = {}, basePath = '' }: WebSignInOptions): WebAppPaths {
  const {
    signIn = `${basePath}/sign-in`,
    signOut = `${basePath}/sign-out`,
    backChannelLogout = `${basePath}/back-channel-logout`,
  } = paths;
  return { signIn, signOut, backChannelLogout, callback: new URL(redirectUri).pathname };
}

/** The paths of all routes. */
export type WebAppPaths = Required<WebSignInPaths> & { readonly callback: string };

/** Refuses paths that no request reaches: sign-ins would end at a page that does not exist, and sign-outs do nothing. */
function assertPaths(options: WebSignInOptions): void {
  const { basePath = '' } = options;
  const paths = pathsOf(options);
  const refuse = (name: keyof WebAppPaths, what: string): never => {
    const field = name === 'callback' ? 'redirectUri' : 'paths';
    throw new InvalidArgumentError(`webSignIn: the path ${paths[name]} of "${name}" ${what}`, { field });
  };
  for (const name of ['callback', 'signIn', 'signOut', 'backChannelLogout'] as const)
    if (!paths[name].startsWith(`${basePath}/`))
      refuse(
        name,
        `does not begin with the basePath ${basePath}. Public paths begin with what the proxy removes.`,
      );
  if (paths.signIn === paths.callback)
    refuse('signIn', 'is that of "redirectUri" as well. Each needs its own.');
  if (paths.signOut === paths.backChannelLogout)
    refuse('signOut', 'is that of "backChannelLogout" as well. Each needs its own.');
}

/** @throws InvalidArgumentError with the name of the option in `field` */
export function checkedOptions(options: WebSignInOptions): WebSignInOptions {
  checkOptions('webSignIn', options, OPTIONS);
  checkOptions<WebSignInPaths>('webSignIn, paths', options.paths, {
    signIn: PATH,
    signOut: PATH,
    backChannelLogout: PATH,
  });
  const invalid = (field: keyof WebSignInOptions, what: string): never => {
    throw new InvalidArgumentError(`webSignIn needs "${field}": ${what}`, { field });
  };
  const {
    caches,
    clientId,
    clientSecret,
    clientAssertion,
    redirectUri,
    parameters = {},
    basePath = '',
  } = options;
  const isCaches =
    typeof caches === 'function' ||
    typeof (caches as { partition?: unknown } | undefined)?.partition === 'function';
  if (!isCaches)
    invalid('caches', 'the result of partitionedCaches, or a function that returns it for a request.');
  if (typeof clientId !== 'string' || clientId === '')
    invalid('clientId', 'the ID of the app at the provider.');
  if (clientSecret !== undefined && (typeof clientSecret !== 'string' || clientSecret === ''))
    invalid('clientSecret', 'a string that is not empty. Leave it out for a client without a secret.');
  if (clientAssertion !== undefined && clientSecret !== undefined)
    invalid('clientAssertion', 'it takes the place of "clientSecret"; pass one of them.');
  if (!isTrustworthy(redirectUri))
    invalid('redirectUri', 'the https URL to which the provider returns, or http on this machine.');
  const own = Object.keys(parameters).find((name) => OWN_PARAMETERS.has(name.toLowerCase()));
  if (own !== undefined) invalid('parameters', `without "${own}", which webSignIn sets itself.`);
  if (!/^(\/[^/?#]+)*$/.test(basePath))
    invalid('basePath', 'a path such as "/app", without a slash at its end.');
  assertPaths(options);
  return options;
}
