/** Providers by their issuer: discovered once in a while, asked over the fetch that the app was given. */
import * as oidc from 'openid-client';
import { type Circumstance, failureOf } from './failures.ts';

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
/** Seconds for one answer. */
const PATIENCE = 20;

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
      [oidc.customFetch]: (url, options) => fetchFn(url, { ...options, credentials: 'omit' } as RequestInit),
      timeout: PATIENCE,
    });
    return { issuer, client_id, config, metadata: config.serverMetadata() };
  } catch (error) {
    throw failureOf(error, { issuer, client_id });
  }
}

/** Runs one conversation with a provider; what goes wrong becomes a SignInError. */
export async function ask<T>(about: Circumstance, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw failureOf(error, about);
  }
}
