import { readToken } from './schema/claims.ts';
import type { Entity, EntityType } from './schema/entities.ts';
import { secondsOf } from './schema/expiry.ts';
import { folded } from './schema/match.ts';
import type { Store } from './store.ts';

function writtenAt(entity: Entity): number {
  const cached = secondsOf(entity['cached_at']);
  return Number.isNaN(cached) ? secondsOf(entity['last_modification_time']) : cached;
}

/**
 * When a credential was written, in seconds; NaN where nothing tells. An ID token says so itself. A refresh token of MSAL
 * Node does not, but it came with an access token, most likely with the newest one that is beside it.
 */
export function ageIn(store: Store, type: EntityType, entity: Entity): number {
  const written = writtenAt(entity);
  if (!Number.isNaN(written)) return written;
  if (type === 'IdToken') {
    const read = readToken(String(entity['secret']));
    const issued = read?.format === 'jwt' ? read.payload['iat'] : undefined;
    return typeof issued === 'number' ? issued : NaN;
  }
  if (type !== 'RefreshToken') return NaN;
  const beside = store
    .candidates('AccessToken', { home_account_id: String(entity['home_account_id']) })
    .map((entry) => entry.entity)
    .filter((token) => token !== null)
    .filter((token) => folded(token.client_id) === folded(entity['client_id']))
    .map(writtenAt);
  return beside.length === 0 ? NaN : Math.max(...beside);
}
