/** Providers by their issuer: discovered once in a while, asked over the fetch that the app was given. */
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

/** Milliseconds that metadata are good for, so that a provider's new endpoints and keys are seen the same day. */
const GOOD_FOR = 10 * 60_000;
/** Seconds for one answer, and the most bytes that it may have. Metadata, keys and tokens have some thousands. */
const PATIENCE = 20;
const MOST_BYTES = 1024 * 1024;

/** @param fetchFn verifies certificates. @param now milliseconds */
export function discovered(fetchFn: typeof fetch, now: () => number): FindProvider {
  const known = new Map<string, { at: number; found: Promise<Provider> }>();
  return async (issuer, client_id) => {
    const name = `${issuer} ${client_id}`;
    const before = known.get(name);
    if (before !== undefined && now() - before.at < GOOD_FOR) return before.found;
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
      timeout: PATIENCE,
    });
    const metadata = config.serverMetadata();
    const { authorization_endpoint, end_session_endpoint } = metadata;
    // These two go to the system's browser, which opens programs and files as well.
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

/** What a browser is opened with, or a QR code is made of: nothing else may come in that way. */
export function isWebPage(url: string): boolean {
  return URL.canParse(url) && new URL(url).protocol === 'https:';
}

/** The answer once all of it is here, so that one that never ends takes no memory without bound. */
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

/** Runs one conversation with a provider; what goes wrong becomes a SignInError. */
export async function ask<T>(about: Circumstance, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw failureOf(error, about);
  }
}
