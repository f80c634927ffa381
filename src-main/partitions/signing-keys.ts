/** The keys with which a provider signs tokens (RFC 7517), and the signatures of its tokens (RFC 7515). */
import { createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto';
import { isRecord } from '../cache/json.ts';
import type { Claims } from '../cache/schema/claims.ts';
import { abandonable } from '../waiting.ts';

/** A provider's JSON Web Key Set (RFC 7517 §5). */
export interface ProviderKeys {
  /** Public keys. Keys that can't verify a logout token are ignored. */
  readonly keys: readonly JsonWebKey[];
}

/** Seconds between two requests for keys. */
const REFETCH_AFTER = 30;

/** Milliseconds: all tokens wait for one request, so one that never ends would hold up the later ones, too. */
const LONGEST_FETCH = 15_000;

interface Algorithm {
  readonly type: 'rsa' | 'rsa-pss' | 'ec' | 'ed25519';
  readonly hash: string | null;
  readonly curve?: string;
}

const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ['RS256', { type: 'rsa', hash: 'sha256' }],
  ['RS384', { type: 'rsa', hash: 'sha384' }],
  ['RS512', { type: 'rsa', hash: 'sha512' }],
  ['PS256', { type: 'rsa-pss', hash: 'sha256' }],
  ['PS384', { type: 'rsa-pss', hash: 'sha384' }],
  ['PS512', { type: 'rsa-pss', hash: 'sha512' }],
  ['ES256', { type: 'ec', hash: 'sha256', curve: 'prime256v1' }],
  ['ES384', { type: 'ec', hash: 'sha384', curve: 'secp384r1' }],
  ['ES512', { type: 'ec', hash: 'sha512', curve: 'secp521r1' }],
  ['EdDSA', { type: 'ed25519', hash: null }],
  ['Ed25519', { type: 'ed25519', hash: null }],
]);

interface VerificationKey {
  readonly key: KeyObject;
  readonly kid: unknown;
  readonly alg: unknown;
}

/** A provider's keys: fetched for the first token, and again, at most twice a minute, for a token that none of them has signed. */
export class SigningKeys {
  readonly #keys: ProviderKeys | (() => Promise<ProviderKeys>);
  readonly #now: () => number;
  readonly #unavailable: (cause: unknown) => never;
  #known: Promise<readonly VerificationKey[]> | undefined;
  #fetched = -Infinity;

  /** @param unavailable throws the error for keys that could not be fetched, or are none */
  constructor(
    keys: ProviderKeys | (() => Promise<ProviderKeys>),
    now: () => number,
    unavailable: (cause: unknown) => never,
  ) {
    this.#keys = keys;
    this.#now = now;
    this.#unavailable = unavailable;
  }

  /**
   * Returns why a token is not signed by the provider, as the end of a sentence; undefined if it is signed. @throws what `unavailable`
   * throws
   */
  async refusal(token: string, { alg, kid }: Claims): Promise<string | undefined> {
    const algorithm = typeof alg === 'string' ? ALGORITHMS.get(alg) : undefined;
    if (algorithm === undefined) return 'has an unsupported signature algorithm in its header';
    const isSigned = (keys: readonly VerificationKey[]): boolean =>
      keys
        .filter((one) => kid === undefined || one.kid === undefined || kid === one.kid)
        .filter((one) => one.alg === undefined || one.alg === alg)
        .some(({ key }) => isSignature(algorithm, key, token));
    const had = this.#known !== undefined;
    if (isSigned(await (this.#known ?? this.#fetch()))) return undefined;
    const mayFetch = had && typeof this.#keys === 'function' && this.#now() - this.#fetched >= REFETCH_AFTER;
    if (mayFetch && isSigned(await this.#fetch())) return undefined;
    return 'is not signed with a key of the provider';
  }

  #fetch(): Promise<readonly VerificationKey[]> {
    const before = this.#known;
    this.#fetched = this.#now();
    const known = abandonable(AbortSignal.timeout(LONGEST_FETCH), async () =>
      publicKeys(typeof this.#keys === 'function' ? await this.#keys() : this.#keys),
    ).catch(this.#unavailable);
    this.#known = known;
    known.catch(() => (this.#known = before)); // Tokens signed with the previous keys are still accepted.
    return known;
  }
}

/** Returns the keys that verify signatures. A symmetric key never does: anyone with the client secret could sign. */
function publicKeys(set: unknown): VerificationKey[] {
  if (!isRecord(set) || !Array.isArray(set['keys'])) throw new TypeError('There is no JSON Web Key Set.');
  return set['keys'].flatMap((jwk: unknown) => {
    if (!isRecord(jwk) || jwk['kty'] === 'oct' || !mayVerify(jwk)) return [];
    try {
      const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
      return [{ key, kid: jwk['kid'], alg: jwk['alg'] }];
    } catch {
      return []; // of a kind that Node does not know
    }
  });
}

/** RFC 7517 §4.2 and §4.3: a key may say what it is for. */
function mayVerify({ use, key_ops }: Readonly<Record<string, unknown>>): boolean {
  const isForSignatures = use === undefined || use === 'sig';
  return isForSignatures && (!Array.isArray(key_ops) || key_ops.includes('verify'));
}

function isSignature({ type, hash, curve }: Algorithm, key: KeyObject, token: string): boolean {
  const end = token.lastIndexOf('.');
  const data = Buffer.from(token.slice(0, end), 'ascii');
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  try {
    switch (type) {
      case 'rsa':
        return key.asymmetricKeyType === 'rsa' && modulusLength >= 2048 && verify(hash, data, key, signature);
      case 'rsa-pss': {
        const isRsa = key.asymmetricKeyType === 'rsa' && modulusLength >= 2048;
        // 6: RSA_PKCS1_PSS_PADDING, -1: RSA_PSS_SALTLEN_DIGEST
        return isRsa && verify(hash, data, { key, padding: 6, saltLength: -1 }, signature);
      }
      case 'ec': {
        const isCurve = key.asymmetricKeyType === 'ec' && namedCurve === curve;
        return isCurve && verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, signature);
      }
      case 'ed25519':
        return key.asymmetricKeyType === 'ed25519' && verify(hash, data, key, signature);
    }
  } catch {
    return false; // a signature of another length
  }
}
