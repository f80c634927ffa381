/** Redeems a refresh token at the issuer it came from (RFC 6749 §6), as a public client. */
import type { AllowedIssuers } from '../accounts/allowed-issuers.ts';
import { foreignEndpoints } from '../accounts/issuer-hosts.ts';
import { codeThatAsksUser, isTokenRefused, type Redeem, type TokenRequest } from '../cache/acquire.ts';
import { hasDuplicateNames, isRecord } from '../cache/json.ts';
import { isCloudHost, isMicrosoft, plainIssuer } from '../cache/schema/authorities.ts';
import { codeOf } from '../error-code.ts';
import { SignInRequiredError, StorageError, VaultError } from '../errors.ts';
import { printable } from './text.ts';
import { exitCodeOf } from './vault.ts';
import { EXIT, Stop, type World } from './world.ts';

/** Deadline for a provider's response, in milliseconds. */
const DEADLINE = 15_000;
/** Maximum size of a response in bytes. Token responses have a few kilobytes. */
const LONGEST = 1024 * 1024;

/** Thrown instead of a request: the issuer names a token endpoint on a host that the user has not agreed to. */
export class NewHost extends Error {
  constructor(
    readonly issuer: string,
    readonly host: string,
  ) {
    super(`${issuer} names a token endpoint on ${host}.`);
  }
}

/** @param issuer the account's issuer, if known; the token is sent only to the token endpoint that this issuer publishes */
export function redeemAt(
  { fetch: ask }: Pick<World, 'fetch'>,
  issuer: string | undefined,
  allowed: AllowedIssuers,
): Redeem {
  return async (refreshToken, request) => {
    const { token_endpoint } = await endpointOf(ask, request, issuer, allowed);
    const scopes = typeof request.scopes === 'string' ? request.scopes.split(' ') : request.scopes;
    // Others refuse a scope that was not granted (RFC 6749 §6).
    const isEntra = isMicrosoft(request.environment) || /\/v2\.0\/?$/.test(issuer ?? '');
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: refreshToken.secret,
      client_id: request.client_id,
      scope: [...new Set(isEntra ? [...scopes, 'openid', 'profile', 'offline_access'] : scopes)].join(' '),
      ...(isEntra ? { client_info: '1' } : {}),
    });
    const { status, json } = await asked(ask, token_endpoint, { method: 'POST', body });
    if (status >= 200 && status < 300 && json !== null) return { token_endpoint, response: json };
    const code = errorCodeOf(json) ?? `HTTP ${status}`;
    // `acquireTokenSilent` finds invalid_grant in the cause and marks the refresh token as refused.
    const reason = codeThatAsksUser(json);
    if (reason !== undefined) {
      const what = isTokenRefused(json) ? 'refused the refresh token' : 'gives no token without a sign-in';
      throw new SignInRequiredError(
        `${new URL(token_endpoint).host} ${what} (${code}). Sign in again; the cached tokens are kept.`,
        { cause: json, reason },
      );
    }
    throw noToken(token_endpoint, status, json);
  };
}

/**
 * Returns a world in which Ctrl+C does not end the process from the moment when a refresh token is sent: where tokens rotate, an answer that is
 * not saved signs the user out.
 *
 * @returns `done` is to be called once the answer is saved
 */
export function untilKept(world: World): { readonly held: World; readonly done: () => void } {
  let release: (() => void) | undefined;
  const request: typeof fetch = (url, options) => {
    if (options?.method === 'POST') release ??= world.hold?.();
    return world.fetch(url, options);
  };
  return { held: { ...world, fetch: request }, done: () => release?.() };
}

/** Errors that pass by themselves (RFC 6749 §4.1.2.1, RFC 8628 §3.5). */
const PASSING: ReadonlySet<string> = new Set(['temporarily_unavailable', 'server_error', 'slow_down']);

/** Returns the error for a response without tokens that does not ask for a new sign-in. */
export function noToken(
  endpoint: string,
  status: number,
  json: Readonly<Record<string, unknown>> | null,
): Stop {
  const { host } = new URL(endpoint);
  const kept = 'The cached tokens are as they were.';
  const code = errorCodeOf(json);
  if (code === undefined && status >= 200 && status < 300)
    return new Stop(
      EXIT.failed,
      `${host} answered with something other than a token response. ${kept} Report it to the provider.`,
    );
  const isPassing = isForNow(status) || PASSING.has(code?.split(',')[0] ?? '');
  const remedy = isPassing
    ? 'Try again later.'
    : 'Look the error up in the provider’s documentation, or ask whoever registered the app.';
  return new Stop(
    EXIT.failed,
    `${host} did not give a token (${code ?? `HTTP ${status}`}). ${kept} ${remedy}`,
  );
}

/** Whether a provider may answer otherwise later: it has a fault, or was asked too much. */
const isForNow = (status: number): boolean => status >= 500 || [408, 425, 429].includes(status);

/**
 * Returns the provider's error code and Entra ID's own number, as in `invalid_grant, AADSTS50173`; never its description, which may quote
 * anything.
 */
export function errorCodeOf(json: Readonly<Record<string, unknown>> | null): string | undefined {
  const { error, error_description: description } = json ?? {};
  if (typeof error !== 'string') return undefined;
  const known = /^[a-z_]{1,40}$/.test(error) ? error : 'unknown';
  const number = /AADSTS\d{4,7}/.exec(typeof description === 'string' ? description : '')?.[0];
  return number === undefined ? known : `${known}, ${number}`;
}

/** Sends a form to a token endpoint. */
export function askToken(
  ask: typeof fetch,
  endpoint: string,
  body: URLSearchParams,
  headers: Headers,
): Promise<{ status: number; json: Readonly<Record<string, unknown>> | null }> {
  return asked(ask, endpoint, { method: 'POST', body, headers });
}

/** Where tokens are refreshed. */
interface Endpoint {
  readonly token_endpoint: string;
  /** What the issuer publishes (RFC 8414 §2). */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A client secret is sent to Microsoft's clouds as their documentation shows it. */
const CLOUD = { token_endpoint_auth_methods_supported: ['client_secret_post', 'none'] };

/**
 * Returns the token endpoint of Microsoft's cloud, or elsewhere the one that the issuer publishes.
 *
 * @throws NewHost if it is on a host that the user has not agreed to
 */
export async function endpointOf(
  ask: typeof fetch,
  { environment, realm }: Pick<TokenRequest, 'environment' | 'realm'>,
  issuer: string | undefined,
  allowed: AllowedIssuers,
): Promise<Endpoint> {
  if (isCloudHost(environment))
    return {
      token_endpoint: `https://${environment}/${encodeURIComponent(realm ?? 'organizations')}/oauth2/v2.0/token`,
      metadata: CLOUD,
    };
  if (issuer === undefined || issuer === '')
    throw new Stop(
      EXIT.signInRequired,
      `The vault does not say which issuer on ${environment} this account belongs to, so its refresh token was not sent. The cached tokens are as they were. Get the token in the program that signed in, or sign in again in the app.`,
    );
  const known = issuerOrStop(issuer);
  const base = known.replace(/\/$/, '');
  const { origin, pathname } = new URL(base);
  let { status, json } = await asked(ask, `${base}/.well-known/openid-configuration`, {});
  // RFC 8414 §3, for a server without OpenID Connect.
  if (json === null || json['issuer'] === undefined) {
    const path = pathname === '/' ? '' : pathname;
    ({ status, json } = await asked(ask, `${origin}/.well-known/oauth-authorization-server${path}`, {}));
  }
  const metadata = json ?? {};
  const { token_endpoint, issuer: says } = metadata;
  // OpenID Connect Discovery §4.3: the document must name the issuer that was asked.
  const isTheirs = typeof says === 'string' && plainIssuer(says) === known;
  if (!isTheirs || typeof token_endpoint !== 'string' || !token_endpoint.startsWith('https://')) {
    const what = isForNow(status)
      ? `${new URL(known).host} answered with status ${status} when it was asked where to refresh tokens. No token was sent. Try again later.`
      : `${known} publishes no metadata that names this issuer and an https token endpoint. No token was sent. Compare the issuer with the one that the provider gives, and sign in again.`;
    throw new Stop(EXIT.failed, what);
  }
  const [foreign] = foreignEndpoints(known, { token_endpoint }, allowed.hostsOf(known) ?? []);
  if (foreign !== undefined) throw new NewHost(known, foreign.host);
  return { token_endpoint, metadata };
}

/** @throws Stop if the text is not an issuer, or reads like another one; see `plainIssuer` */
export function issuerOrStop(issuer: string): string {
  const known = plainIssuer(issuer);
  if (known !== undefined) return known;
  throw new Stop(
    EXIT.failed,
    printable(`${issuer} is not the address of an issuer. Nothing was sent. Sign in again.`),
  );
}

async function asked(
  ask: typeof fetch,
  url: string,
  request: RequestInit,
): Promise<{ status: number; json: Readonly<Record<string, unknown>> | null }> {
  let text: string;
  let status: number;
  try {
    const response = await ask(url, {
      ...request,
      redirect: 'error', // a token is sent to that address only, never to the target of a redirect
      signal: AbortSignal.timeout(DEADLINE),
      headers: { accept: 'application/json', ...Object.fromEntries(new Headers(request.headers)) },
    });
    status = response.status;
    text = await textOf(response);
  } catch (cause) {
    throw new Stop(EXIT.failed, unreached(new URL(url).host, cause, request.method === 'POST'));
  }
  if (hasDuplicateNames(text))
    throw new Stop(
      EXIT.failed,
      `The answer of ${new URL(url).host} has two fields with the same name, so programs may read it differently. Nothing was taken from it, and the cached tokens are as they were. Report it to the provider.`,
    );
  try {
    const json: unknown = JSON.parse(text);
    return { status, json: isRecord(json) ? json : null };
  } catch {
    return { status, json: null };
  }
}

/** Reads a body of at most `LONGEST` bytes; returns "" if it is longer, and reads no further. */
async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > LONGEST) return '';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Returns the error for a provider's answer that could not be saved, such as on a full disk. Another error, and that of a user who was signed
 * out meanwhile, passes as it is.
 */
export function notKept(error: unknown): unknown {
  if (!(error instanceof StorageError || error instanceof VaultError)) return error;
  return new Stop(
    exitCodeOf(error),
    error.message,
    'The provider had given new tokens, which are lost. Many providers accept a refresh token only once: sign in again if the next refresh is refused.',
  );
}

/** What Node's fetch and Electron's say of a redirect that is not followed. */
const REDIRECTED = /unexpected redirect|redirect policy was 'error'/;
/** Codes for a certificate that is not trusted, has expired, or is for another host. */
const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)|HOSTNAME_MISMATCH/;
/** Codes for a server that wants a certificate of this computer. */
const WANTS_OURS = /ALERT|CLIENT_AUTH/;

/** Codes for a request that was never sent, of Node's fetch and of Electron's. */
const UNSENT =
  /ENOTFOUND|EAI_AGAIN|REFUSED|UNREACH|CONNECT_TIMEOUT|CONNECTION_TIMED_OUT|NAME_NOT_RESOLVED|DISCONNECTED|PROXY|CERT|SSL|TLS/;

/**
 * Says why a request had no response. Nothing was changed here.
 *
 * @param hasToken whether the request has a refresh token, which the provider may have received
 */
export function unreached(host: string, error: unknown, hasToken = false): string {
  const kept = 'The cached tokens are as they were.';
  const chain = error instanceof Error ? [error, error.cause] : [];
  const words = chain.map((link) => `${codeOf(link)} ${link instanceof Error ? link.message : ''}`).join(' ');
  if (REDIRECTED.test(words))
    return `${host} answered with a redirect, which is not followed: tokens are sent only where the provider’s metadata says. ${kept} Compare the issuer with the one that the provider gives, or report it to the provider.`;
  const code = chain.map(codeOf).find((one) => one !== '') ?? /\bnet::ERR_\w+/.exec(words)?.[0];
  if (code !== undefined && UNTRUSTED.test(code) && !WANTS_OURS.test(code))
    return `The certificate of ${host} is not trusted on this computer (${code}). ${kept} If it belongs to your organization, this computer has to trust its certificate authority first.`;
  const isLate = error instanceof Error && error.name === 'TimeoutError';
  const reason = isLate ? `no answer within ${DEADLINE / 1000} s` : (code ?? 'no connection');
  if (hasToken && (isLate || (code !== undefined && !UNSENT.test(code))))
    return `${host} gave no answer (${reason}). ${kept} It may have received the refresh token all the same, and many providers accept one only once. Check that you are online, then try again; sign in again if it is refused.`;
  return `${host} was not reached (${reason}). ${kept} Check that you are online, then try again.`;
}
