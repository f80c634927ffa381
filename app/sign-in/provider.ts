/** OpenID Connect providers by issuer: their metadata, fetched now and then, and conversations with them. */
import * as oidc from 'openid-client';
import { type Circumstance, failureOf, signInError } from './failures.ts';

export interface Provider {
  issuer: string;
  client_id: string;
  /** openid-client's, which validates every answer. */
  config: oidc.Configuration;
  metadata: Readonly<oidc.ServerMetadata>;
}

/** Rejects with a SignInError. */
export type FindProvider = (issuer: string, client_id: string) => Promise<Provider>;

/** Milliseconds for which metadata is kept. */
const KEPT = 10 * 60_000;
/** The deadline for one answer in seconds, and its largest size in bytes. */
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
    if (before !== undefined && now() - before.at < KEPT) return before.found;
    const found = discover(fetchFn, issuer, client_id);
    known.set(name, { at: now(), found });
    found.catch(() => {
      if (known.get(name)?.found === found) known.delete(name); // the next one asks again
    });
    return found;
  };
}

async function discover(fetchFn: typeof fetch, issuer: string, client_id: string): Promise<Provider> {
  try {
    const config = await oidc.discovery(new URL(issuer), client_id, undefined, oidc.None(), {
      // Without cookies: who asks is the app, not a browser. openid-client's own type has a narrower body.
      [oidc.customFetch]: async (url, options) =>
        whole(await fetchFn(url, { ...options, credentials: 'omit' } as RequestInit)),
      timeout: DEADLINE,
    });
    // ID tokens are verified against the provider's keys, also where TLS alone would do (OpenID Connect Core §3.1.3.7).
    oidc.enableNonRepudiationChecks(config);
    const metadata = config.serverMetadata();
    const { authorization_endpoint, end_session_endpoint } = metadata;
    // These two are opened in the system's browser, which opens programs and files as well.
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

/** Whether a browser may be opened with it, or a QR code made of it. */
export function isWebPage(url: string): boolean {
  return URL.canParse(url) && new URL(url).protocol === 'https:';
}

/** Reads the whole answer, up to a limit: one that never ends must not take all memory. */
async function whole(answer: Response): Promise<Response> {
  if (answer.body === null) return answer;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`The answer has more than ${MOST_BYTES} bytes.`);
  }
  return new Response(Buffer.concat(chunks), answer);
}

/** Runs one conversation with a provider; a failure becomes a SignInError. */
export async function ask<T>(about: Circumstance, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw failureOf(error, about);
  }
}
