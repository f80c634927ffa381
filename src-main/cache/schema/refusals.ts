/** [Note: refused once] Refusals of a refresh token, which are recorded in the token itself, so that no process sends it again. */
import { isRecord } from '../json.ts';
import type { RefreshToken } from './entities.ts';
import { folded, hashText } from './match.ts';

/** For which app the provider refused it, and for which scopes unless for all. */
export interface Refusal {
  readonly client_id: string;
  /** The hash of the refused secret: if another library replaces the token but keeps this field, the refusal no longer applies. */
  readonly secret: string;
  readonly scopes?: string;
}

/** Returns the refusals that are recorded in a refresh token. */
export function refusalsOf(token: RefreshToken): Refusal[] {
  const list: unknown = token['refusals'];
  return Array.isArray(list) ? list.filter(isRefusal) : [];
}

function isRefusal(value: unknown): value is Refusal {
  if (!isRecord(value)) return false;
  const { client_id, secret, scopes = '' } = value;
  return [client_id, secret, scopes].every((field) => typeof field === 'string');
}

/** Whether the provider refused this refresh token to its own app, for any scopes. */
export function isRefusedForGood(token: RefreshToken): boolean {
  const refusals = refusalsOf(token).filter(
    ({ client_id, scopes }) => scopes === undefined && folded(client_id) === folded(token.client_id),
  );
  if (refusals.length === 0) return false;
  try {
    const secret = hashText(token.secret);
    return refusals.some((refusal) => refusal.secret === secret);
  } catch {
    return false; // The secret can't be decrypted, so it can't be compared.
  }
}
