/** A token taken apart for a window. [Note: no secret in a window]: never the signature, never an opaque token. */
import type { Claims } from '../cache/schema/claims.ts';
import type { Claim, DecodedToken } from './contract.ts';
import type { Token } from './holdings.ts';
import { reading } from './reading.ts';

export function decoded(token: Token): DecodedToken {
  const found = reading(token);
  if (found === null) return { format: 'opaque', length: lengthOf(token) };
  const header = claims(found.header);
  return found.format === 'jwe'
    ? { format: 'jwe', header }
    : { format: 'jwt', header, payload: claims(found.payload) };
}

/** In the order in which the token has them. */
function claims(object: Claims): Claim[] {
  return Object.entries(object).map(([name, value]) => ({ name, json: JSON.stringify(value) }));
}

function lengthOf(token: Token): number {
  try {
    return token.secret.length;
  } catch {
    return 0; // see reading.ts
  }
}
