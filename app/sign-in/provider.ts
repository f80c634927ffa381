/** OpenID Connect providers by issuer: cached metadata and requests. */
import * as oidc from 'openid-client';
import { hasDuplicateNames } from 'tokenkeep/cache';
import { type Circumstance, failureOf, signInError } from './failures.ts';

export interface Provider {
  issuer: string;
  client_id: string;
  /** The configuration of openid-client, which validates every response. */
  config: oidc.Configuration;
  metadata: Readonly<oidc.ServerMetadata>;
}

/** Rejects with a SignInError. */
export type FindProvider = (issuer: string, client_id: string) => Promise<Provider>;

/** Milliseconds for which metadata is cached. */
const KEPT = 10 * 60_000;
/** The deadline of a response in seconds, and its maximum size in bytes. */
const DEADLINE = 20;
const MOST_BYTES = 1024 * 1024;

/**
 * @param fetchFn verifies certificates
 * @param now milliseconds since the epoch
 */
export function discovered(fetchFn: typeof fetch, now: () => number): FindProvider {
  const known = new Map<string, { at: number; found: Promise<Provider> }>();
  return async (issuer, client_id) => {
    const name = `${issuer} ${client_id}`;
    const before = known.get(name);
    // A clock that was set back would keep it until it has caught up.
    if (before !== undefined && Math.abs(now() - before.at) < KEPT) return before.found;
    const found = discover(fetchFn, issuer, client_id);
    known.set(name, { at: now(), found });
    found.catch(() => {
      if (known.get(name)?.found === found) known.delete(name); // the next caller fetches it again
    });
    return found;
  };
}

async function discover(fetchFn: typeof fetch, issuer: string, client_id: string): Promise<Provider> {
  try {
    const config = await oidc.discovery(new URL(issuer), client_id, undefined, oidc.None(), {
      // Without cookies: the app is not a browser. openid-client's own type has a narrower body.
      [oidc.customFetch]: async (url, options) =>
        wholeAnswer(await fetchFn(url, { ...options, credentials: 'omit' } as RequestInit)),
      timeout: DEADLINE,
    });
    // ID tokens are verified against the provider's keys, even if TLS would suffice (OpenID Connect Core §3.1.3.7).
    oidc.enableNonRepudiationChecks(config);
    const metadata = config.serverMetadata();
    const { authorization_endpoint, end_session_endpoint } = metadata;
    // These two are passed to the system's browser, which could also open programs and files.
    for (const page of [authorization_endpoint, end_session_endpoint]) {
      if (page !== undefined && !isWebPage(page)) {
        throw signInError('provider_unsuitable', { issuer, client_id });
      }
    }
    return { issuer, client_id, config, metadata };
  } catch (error) {
    throw failureOf(error, { issuer, client_id });
  }
}

/** Whether the URL may be opened in a browser or shown as a QR code. */
export function isWebPage(url: unknown): url is string {
  return typeof url === 'string' && URL.canParse(url) && new URL(url).protocol === 'https:';
}

/**
 * Reads the whole response up to a limit, so that an endless one can't exhaust the memory.
 *
 * @throws if it is too long, or JSON that two parsers may read differently
 */
export async function wholeAnswer(answer: Response): Promise<Response> {
  if (answer.body === null) return answer;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`The answer has more than ${MOST_BYTES} bytes.`);
  }
  const body = Buffer.concat(chunks);
  if (hasDuplicateNames(body.toString())) throw new Error('The answer has two fields of one name.');
  return new Response(body, answer);
}

/** Runs requests to a provider; failures become SignInErrors. */
export async function ask<T>(about: Circumstance, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw failureOf(error, about);
  }
}
