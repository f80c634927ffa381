/**
 * What can be read in a token, kept per entity. Reading opens the secret, which in a vault is sealed by itself, so it
 * is done once, when someone asks, and only the claims stay. Entities are frozen, so what was read stays true.
 */
import { type Claims, type ReadToken, readToken } from '../cache/schema/claims.ts';
import type { Token } from './holdings.ts';

const OPAQUE = null;
const read = new WeakMap<Token, ReadToken | typeof OPAQUE>();

/** null for an opaque token, and for one whose secret can't be opened any more. */
export function reading(token: Token): ReadToken | null {
  const before = read.get(token);
  if (before !== undefined) return before;
  const fresh = readNow(token);
  read.set(token, fresh);
  return fresh;
}

function readNow(token: Token): ReadToken | null {
  try {
    return readToken(token.secret) ?? OPAQUE;
  } catch {
    return OPAQUE; // a damaged seal: the vault's report says so; the rest of the entity is still good to show
  }
}

/** The payload of a JWT; empty for anything else. */
export function claimsOf(token: Token): Claims {
  const found = reading(token);
  return found?.format === 'jwt' ? found.payload : {};
}
