/** Requests to the OpenID Connect provider: its metadata (Discovery §4), tokens (RFC 6749 §3.2), and keys. */

import { hasDuplicateNames, isRecord } from '../cache/json.ts';
import { isMicrosoft } from '../cache/schema/authorities.ts';
import { InvalidArgumentError, WebSignInError } from '../errors.ts';
import { type ProviderKeys, SigningKeys } from '../partitions/signing-keys.ts';
import { abandonable } from '../waiting.ts';

/** How the app authenticates at the token endpoint. */
export interface ClientAuthentication {
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly clientAssertion?: (audience: string) => string | Promise<string>;
}

/** A provider's metadata, reduced to what is used. */
export interface Metadata {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly jwks_uri: string;
  readonly end_session_endpoint?: string;
  /** RFC 7009 */
  readonly revocation_endpoint?: string;
  /** Whether authorization responses name the issuer (RFC 9207). */
  readonly namesIssuer: boolean;
  /** Whether the token endpoint accepts the client secret in the body. */
  readonly takesPost: boolean;
}

/** A response of the token endpoint: tokens, or the error of RFC 6749 §5.2. */
export interface TokenResponse {
  readonly token_endpoint: string;
  readonly response: Readonly<Record<string, unknown>>;
}

/** Milliseconds after which a request to the provider times out. */
const TIMEOUT = 10_000;
/** The same at a sign-out, which has been completed here and keeps the browser waiting. */
const SIGN_OUT_TIMEOUT = 3000;
/** Seconds after which metadata is fetched again. */
const A_DAY = 86_400;
/** Seconds until the next attempt, after one that failed. */
const A_MINUTE = 60;
const ENDPOINTS = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const;

export class Provider {
  readonly #issuer: string;
  readonly #client: ClientAuthentication;
  readonly #fetch: typeof fetch;
  readonly #now: () => number;
  #metadata: { readonly value: Promise<Metadata>; until: number } | undefined;
  #keys: { readonly uri: string; readonly keys: SigningKeys } | undefined;

  constructor(issuer: string, client: ClientAuthentication, fetchFn: typeof fetch, now: () => number) {
    if (!isTrustworthy(issuer))
      throw new InvalidArgumentError(
        'webSignIn needs "issuer": the https URL of the provider, as its discovery document spells it.',
        { field: 'issuer' },
      );
    this.#issuer = issuer.replace(/\/+$/, '');
    this.#client = client;
    this.#fetch = fetchFn;
    this.#now = now;
  }

  /**
   * Returns the metadata, fetched once a day for all requests. It is used until there is newer metadata: where only the discovery document
   * can't be fetched, tokens can still be refreshed.
   *
   * @throws WebSignInError `provider_unreachable`
   */
  async metadata(): Promise<Metadata> {
    const known = this.#metadata;
    const now = this.#now();
    if (known !== undefined && now < known.until) return known.value;
    const value = this.#discover();
    const fetched = { value, until: now + A_DAY };
    if (known === undefined) {
      this.#metadata = fetched;
      value.catch(() => (this.#metadata = undefined)); // The next request asks again.
      return value;
    }
    known.until = now + A_MINUTE;
    value.then(
      () => (this.#metadata = fetched),
      () => undefined,
    );
    return known.value;
  }

  /** Where a sign-out continues at the provider; undefined if there is no such page, or it can't be found out in 3 s. */
  async signOutPage(): Promise<string | undefined> {
    const signal = AbortSignal.timeout(SIGN_OUT_TIMEOUT);
    const metadata = await abandonable(signal, () => this.metadata()).catch(() => undefined);
    return metadata?.end_session_endpoint;
  }

  async keys(): Promise<SigningKeys> {
    const { jwks_uri: uri } = await this.metadata();
    if (this.#keys?.uri !== uri)
      this.#keys = { uri, keys: new SigningKeys(() => this.jwks(uri), this.#now, noKeys) };
    return this.#keys.keys;
  }

  async jwks(uri: string): Promise<ProviderKeys> {
    return (await this.#json(uri)).body as unknown as ProviderKeys; // SigningKeys validates it.
  }

  /** @throws WebSignInError `provider_unreachable`; the provider's error responses are returned */
  async tokens(parameters: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<TokenResponse> {
    const { token_endpoint } = await this.metadata();
    const { status, body: response } = await this.#json(token_endpoint, {
      ...(await this.#form(parameters, AbortSignal.timeout(TIMEOUT))),
      ...(signal === undefined ? {} : { signal }),
    });
    if (status >= 500 || (status !== 200 && typeof response['error'] !== 'string'))
      unreachable(`Its token endpoint answered with status ${status}.`);
    return { token_endpoint, response };
  }

  /**
   * Revokes refresh tokens, and the access tokens that came from them (RFC 7009).
   *
   * @returns undefined if the provider has no revocation endpoint; `failure` if it did not revoke all of them
   */
  async revoke(
    refreshTokens: readonly string[],
  ): Promise<{ revoked: number; failure?: WebSignInError } | undefined> {
    const signal = AbortSignal.timeout(SIGN_OUT_TIMEOUT);
    const outcomes = await Promise.allSettled(refreshTokens.map((token) => this.#revokeOne(token, signal)));
    const causes = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    const isUnsupported = outcomes.some((one) => one.status === 'fulfilled' && !one.value);
    if (isUnsupported) return undefined;
    const all = refreshTokens.length;
    const revoked = all - causes.length;
    if (revoked === all) return { revoked };
    const failure = new WebSignInError(
      'provider_unreachable',
      `The identity provider revoked ${revoked} of ${all} refresh tokens. The user is signed out here, and all tokens were removed. The others stay valid at the provider until they expire.`,
      { cause: causes[0] },
    );
    return { revoked, failure };
  }

  /** @returns false if the provider has no revocation endpoint */
  async #revokeOne(token: string, signal: AbortSignal): Promise<boolean> {
    const { revocation_endpoint } = await abandonable(signal, () => this.metadata());
    if (revocation_endpoint === undefined) return false;
    const form = await this.#form({ token, token_type_hint: 'refresh_token' }, signal);
    const { status } = await this.#ask(revocation_endpoint, { ...form, signal });
    if (status !== 200) unreachable(`Its revocation endpoint answered with status ${status}.`);
    return true;
  }

  /** Returns a form that includes the client's authentication. */
  async #form(parameters: Readonly<Record<string, string>>, signal: AbortSignal): Promise<RequestInit> {
    const { token_endpoint, takesPost } = await this.metadata();
    const { clientId, clientSecret, clientAssertion } = this.#client;
    const body = new URLSearchParams({ ...parameters, client_id: clientId });
    const headers: Record<string, string> = { accept: 'application/json' };
    if (clientAssertion !== undefined) {
      body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
      const assertion = abandonable(signal, async () => clientAssertion(token_endpoint));
      body.set('client_assertion', await assertion.catch((cause: unknown) => noAssertion(signal, cause)));
    } else if (clientSecret !== undefined && takesPost) body.set('client_secret', clientSecret);
    else if (clientSecret !== undefined) headers['authorization'] = basic(clientId, clientSecret);
    return { method: 'POST', body, headers };
  }

  async #discover(): Promise<Metadata> {
    const { status, body } = await this.#json(`${this.#issuer}/.well-known/openid-configuration`);
    if (status !== 200) unreachable(`Its discovery document answered with status ${status}.`);
    const { issuer, end_session_endpoint: end, revocation_endpoint: revocation } = body;
    const methods = body['token_endpoint_auth_methods_supported'];
    if (typeof issuer !== 'string' || !this.#isOwn(issuer))
      unreachable(
        'Its discovery document names another issuer.',
        undefined,
        'Set "issuer" to the one that it names.',
      );
    for (const name of ENDPOINTS)
      if (!isTrustworthy(body[name]))
        unreachable(`Its discovery document has no usable "${name}".`, undefined, 'Check "issuer".');
    const { authorization_endpoint, token_endpoint, jwks_uri } = body as unknown as Metadata;
    return {
      ...{ issuer, authorization_endpoint, token_endpoint, jwks_uri },
      ...(isTrustworthy(end) ? { end_session_endpoint: end } : {}),
      ...(isTrustworthy(revocation) ? { revocation_endpoint: revocation } : {}),
      namesIssuer: body['authorization_response_iss_parameter_supported'] === true,
      takesPost: Array.isArray(methods) && methods.includes('client_secret_post'),
    };
  }

  /** Microsoft's metadata names the tenant by its id, whatever the authority calls it. Other providers must name the issuer exactly. */
  #isOwn(issuer: string): boolean {
    if (issuer.replace(/\/+$/, '') === this.#issuer) return true;
    const [own, named] = [new URL(this.#issuer), URL.canParse(issuer) ? new URL(issuer) : undefined];
    return isMicrosoft(own.host) && named?.protocol === 'https:' && isMicrosoft(named.host);
  }

  async #json(
    url: string,
    init: RequestInit = {},
  ): Promise<{ status: number; body: Readonly<Record<string, unknown>> }> {
    const { status, text } = await this.#ask(url, init);
    let body: unknown;
    try {
      if (!hasDuplicateNames(text)) body = JSON.parse(text);
    } catch {
      // Without the cause, which quotes the answer: tokens may be in it.
    }
    return isRecord(body) ? { status, body } : unreachable('Its answer is not a JSON object.');
  }

  async #ask(url: string, { signal, ...init }: RequestInit): Promise<{ status: number; text: string }> {
    const timeout = AbortSignal.timeout(TIMEOUT);
    const ended = signal ? AbortSignal.any([signal, timeout]) : timeout;
    try {
      // The `fetch` of an app may ignore the signal.
      return await abandonable(ended, async () => {
        const answer = await this.#fetch(url, {
          ...init,
          redirect: 'error', // Keeps the client secret from being sent to another address.
          signal: ended,
        });
        return { status: answer.status, text: await textOf(answer) };
      });
    } catch (cause) {
      if (cause instanceof WebSignInError) throw cause;
      return unreachable('', cause);
    }
  }
}

/** Bytes. Without a limit, an answer without an end would fill the memory. */
const LONGEST_ANSWER = 4 * 1024 * 1024;

/** @throws WebSignInError if it is too long; the connection is then closed */
async function textOf(answer: Response): Promise<string> {
  if (!answer.body) return answer.text();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body) {
    length += chunk.length;
    if (length > LONGEST_ANSWER) unreachable('Its answer is longer than 4 MiB.');
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** An error of the app's function is passed on as it is. */
function noAssertion(signal: AbortSignal, cause: unknown): never {
  if (!signal.aborted) throw cause;
  unreachable(
    'The function "clientAssertion" did not return in time, so the app could not authenticate.',
    cause,
  );
}

/** RFC 6749 §2.3.1: both are form-encoded first. */
function basic(id: string, secret: string): string {
  const encoded = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);
  return `Basic ${Buffer.from(`${encoded(id)}:${encoded(secret)}`).toString('base64')}`;
}

/** Whether a secret may be sent there: https, or http on this machine. */
export function isTrustworthy(url: unknown): url is string {
  if (typeof url !== 'string' || !URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return (
    protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname))
  );
}

function noKeys(cause: unknown): never {
  if (cause instanceof WebSignInError) throw cause;
  unreachable('Its answer has no keys that verify its tokens.', cause);
}

function unreachable(why: string, cause?: unknown, remedy = 'Try again later.'): never {
  throw new WebSignInError(
    'provider_unreachable',
    `The identity provider could not be asked. ${why === '' ? '' : `${why} `}Nobody was signed in or out. ${remedy}`,
    cause === undefined ? {} : { cause },
  );
}
