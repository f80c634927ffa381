/** Redeems a refresh token at the issuer it came from (RFC 6749 §6), as a public client. */
import { codeOf } from '../error-code.ts';
import { codeThatAsksUser, type Redeem, type TokenRequest } from '../cache/acquire.ts';
import type { AllowedIssuers } from '../accounts/allowed-issuers.ts';
import { foreignEndpoints } from '../accounts/issuer-hosts.ts';
import { hasDuplicateNames, isRecord } from '../cache/json.ts';
import { isMicrosoft, plainIssuer } from '../cache/schema/authorities.ts';
import { SignInRequiredError } from '../errors.ts';
import { printable } from './text.ts';
import { EXIT, Stop, type World } from './world.ts';

/** Deadline for a provider's response, in milliseconds. */
const DEADLINE = 15_000;
/** Maximum size of a response in bytes. Token responses have a few kilobytes. */
const LONGEST = 1024 * 1024;

/** Thrown instead of a request: another program uses the refresh token as well, and the user was not asked. */
export class Unasked extends Error {}

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
    const token_endpoint = await endpointOf(ask, request, issuer, allowed);
    const scopes = typeof request.scopes === 'string' ? request.scopes.split(' ') : request.scopes;
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: refreshToken.secret,
      client_id: request.client_id,
      scope: [...new Set([...scopes, 'openid', 'profile', 'offline_access'])].join(' '),
      client_info: '1',
    });
    const { status, json } = await asked(ask, token_endpoint, { method: 'POST', body });
    if (status >= 200 && status < 300 && json !== null) return { token_endpoint, response: json };
    const code = errorCodeOf(json) ?? `HTTP ${status}`;
    // `acquireTokenSilent` finds invalid_grant in the cause and marks the refresh token as refused.
    const reason = codeThatAsksUser(json);
    if (reason !== undefined) {
      const what =
        reason === 'invalid_grant' ? 'refused the refresh token' : 'gives no token without a sign-in';
      throw new SignInRequiredError(
        `${new URL(token_endpoint).host} ${what} (${code}). Sign in again; the cached tokens are kept.`,
        { cause: json, reason },
      );
    }
    throw new Stop(
      EXIT.failed,
      `${new URL(token_endpoint).host} did not give a token (${code}). The cached tokens are as they were.`,
    );
  };
}

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
  form: Readonly<Record<string, string>>,
): Promise<{ status: number; json: Readonly<Record<string, unknown>> | null }> {
  return asked(ask, endpoint, { method: 'POST', body: new URLSearchParams(form) });
}

/**
 * @returns the token endpoint that an issuer publishes; that of Microsoft's cloud if no issuer is known
 * @throws NewHost if it is on a host that the user has not agreed to
 */
export async function endpointOf(
  ask: typeof fetch,
  { environment, realm }: Pick<TokenRequest, 'environment' | 'realm'>,
  issuer: string | undefined,
  allowed: AllowedIssuers,
): Promise<string> {
  if (issuer === undefined || issuer === '') {
    if (!isMicrosoft(environment))
      throw new Stop(
        EXIT.signInRequired,
        `The vault does not say which issuer on ${environment} this account belongs to, so its refresh token is sent nowhere. Sign in again.`,
      );
    return `https://${environment}/${encodeURIComponent(realm ?? 'organizations')}/oauth2/v2.0/token`;
  }
  const known = issuerOrStop(issuer);
  const base = known.replace(/\/$/, '');
  const { origin, pathname } = new URL(base);
  let { json } = await asked(ask, `${base}/.well-known/openid-configuration`, {});
  // RFC 8414 §3, for a server without OpenID Connect.
  if (json === null || json['issuer'] === undefined) {
    const path = pathname === '/' ? '' : pathname;
    ({ json } = await asked(ask, `${origin}/.well-known/oauth-authorization-server${path}`, {}));
  }
  const { token_endpoint: endpoint, issuer: says } = json ?? {};
  // OpenID Connect Discovery §4.3: the document must name the issuer that was asked.
  const isTheirs = typeof says === 'string' && plainIssuer(says) === known;
  if (!isTheirs || typeof endpoint !== 'string' || !endpoint.startsWith('https://'))
    throw new Stop(EXIT.failed, `${known} does not say where tokens are refreshed. Nothing was sent.`);
  const hosts = allowed.hostsOf(known) ?? [];
  const [foreign] = foreignEndpoints(known, { token_endpoint: endpoint }, hosts);
  if (foreign !== undefined) throw new NewHost(known, foreign.host);
  return endpoint;
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
      headers: { accept: 'application/json' },
    });
    status = response.status;
    text = await textOf(response);
  } catch (cause) {
    throw new Stop(
      EXIT.failed,
      `${new URL(url).host} was not reached (${reasonOf(cause)}). The cached tokens are as they were. Try again.`,
    );
  }
  if (hasDuplicateNames(text))
    throw new Stop(
      EXIT.failed,
      `The answer of ${new URL(url).host} has two fields of one name, so it can be read in two ways. Nothing was taken from it, and the cached tokens are as they were. Report it to the provider.`,
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

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown reason';
  const cause = codeOf(error.cause);
  return cause === '' ? error.message : cause;
}
