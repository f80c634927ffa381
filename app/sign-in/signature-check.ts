/**
 * Checks the signature of a token with the public keys of the issuer that it names, once the user has agreed. The token itself
 * is sent nowhere.
 */
import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet } from 'jose';
import { isMicrosoft, plainIssuer } from 'tokenkeep/cache';
import type { Question } from 'tokenkeep/ipc';
import * as v from 'valibot';
import type { Ask } from './consent.ts';
import type { SignatureResult } from './contract.ts';
import { failureOf, isForNow, signInError } from './failures.ts';
import { wholeAnswer } from './provider.ts';
import { payloadOf, protectedHeaderOf } from './received.ts';

export interface SignatureCheckPorts {
  /** Verifies certificates. */
  fetch: typeof fetch;
  ask: Ask;
  /** Seconds since the epoch. */
  now: () => number;
}

/** Milliseconds for each answer. */
const DEADLINE = 20_000;

const metadataSchema = v.object({ issuer: v.string(), jwks_uri: v.string() });
const keysSchema = v.object({ keys: v.array(v.looseObject({ kty: v.string() })) });

/**
 * @returns null if the user declined
 * @throws SignInError if the issuer can't be reached, or does not publish its keys as OpenID Connect Discovery §4 says
 */
export async function checkSignature(
  token: string,
  { fetch, ask, now }: SignatureCheckPorts,
): Promise<SignatureResult | null> {
  const parts = token.split('.').length;
  const header = protectedHeaderOf(token);
  const { alg, kid } = header ?? {};
  if (header === undefined || (parts !== 3 && parts !== 5)) return { result: 'uncheckable', why: 'opaque' };
  if (parts === 5) return { result: 'uncheckable', why: 'encrypted' };
  if (typeof alg !== 'string' || alg.toLowerCase() === 'none')
    return { result: 'uncheckable', why: 'unsigned' };
  // Only a holder of the client secret can check these (RFC 7518 §3.2).
  if (alg.startsWith('HS')) return { result: 'uncheckable', why: 'shared-secret' };
  const issuer = payloadOf(token)?.['iss'];
  const shown = typeof issuer === 'string' ? plainIssuer(issuer) : undefined;
  if (typeof issuer !== 'string' || shown === undefined) return { result: 'uncheckable', why: 'no-issuer' };
  const { host } = new URL(issuer);
  // Graph replaces the nonce by its hash before it checks the signature, so no other check can succeed.
  if (header['nonce'] !== undefined && isMicrosoft(host)) return { result: 'uncheckable', why: 'graph' };

  if ((await ask?.(keysQuestion(shown))) !== true) return null;
  try {
    const get = async <T>(url: string, schema: v.GenericSchema<unknown, T>): Promise<T> => {
      const options = {
        credentials: 'omit',
        redirect: 'error',
        signal: AbortSignal.timeout(DEADLINE),
      } as const;
      const answer = await wholeAnswer(
        await fetch(url, { ...options, headers: { accept: 'application/json' } }),
      );
      if (isForNow(answer.status)) throw signInError('provider_unreachable', { issuer, client_id: '' });
      const body: unknown = answer.ok ? await answer.json().catch(() => undefined) : undefined;
      const read = v.safeParse(schema, body);
      if (!read.success) throw signInError('provider_unsuitable', { issuer, client_id: '' });
      return read.output;
    };
    const metadata = await get(metadataUrl(issuer), metadataSchema);
    const keysUrl = metadata.jwks_uri;
    if (metadata.issuer !== issuer || plainIssuer(keysUrl) === undefined)
      throw signInError('provider_unsuitable', { issuer, client_id: '' });
    const keysHost = new URL(keysUrl).host;
    const known = keysHost === host || (isMicrosoft(host) && isMicrosoft(keysHost));
    if (!known && (await ask?.(otherHostQuestion(shown, keysHost))) !== true) return null;
    const keys = await get(keysUrl, keysSchema);
    const checked = {
      key_id: typeof kid === 'string' ? kid.slice(0, 200) : null,
      algorithm: alg.slice(0, 20),
      keysFrom: keysUrl.slice(0, 500),
      at: now(),
    };
    const result = await verify(token, keys);
    return result === 'uncheckable' ? { result, why: 'algorithm' } : { result, ...checked };
  } catch (error) {
    throw failureOf(error, { issuer, client_id: '' });
  }
}

async function verify(
  token: string,
  keys: JSONWebKeySet,
): Promise<'valid' | 'invalid' | 'key-not-found' | 'uncheckable'> {
  try {
    await compactVerify(token, createLocalJWKSet(keys));
    return 'valid';
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return 'invalid';
    if (error instanceof errors.JWKSNoMatchingKey) return 'key-not-found';
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return 'uncheckable';
    // The token names no key, or several keys have the same name.
    for await (const key of error) {
      const valid = await compactVerify(token, key).then(
        () => true,
        () => false,
      );
      if (valid) return 'valid';
    }
    return 'invalid';
  }
}

/** Asks before a request to the issuer that a token names, because anyone can have made the token. */
function keysQuestion(issuer: string): Question {
  return {
    message: 'Check signature?',
    detail: `Tokenkeep requests the public keys of ${issuer} once. The token isn’t sent.`,
    yes: 'Check',
  };
}

function otherHostQuestion(issuer: string, host: string): Question {
  return {
    message: `Request the keys from ${host}?`,
    detail: `${issuer} publishes its keys there. The token isn’t sent.`,
    yes: 'Request',
  };
}

const metadataUrl = (issuer: string): string =>
  `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
