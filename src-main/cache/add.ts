import type { Account } from './schema/entities.ts';
import { copyWith } from './json.ts';
import { place, profileOf, sameEntries, supersededEntries, usersAccounts } from './place.ts';
import { isNode } from './schema/dialects.ts';
import { entitiesOf, type NewEntities, type TokenResponseEvent } from './response.ts';
import { isUnderstood } from './schema/fields.ts';
import type { Store } from './store.ts';
import { joinedProfiles } from './schema/tenant-profiles.ts';

/** @param now seconds since the epoch */
export function addResponse(store: Store, event: TokenResponseEvent, now: number): void {
  const entities = entitiesOf(event, now, profileOf(store));
  for (const type of ['AccessToken', 'IdToken', 'RefreshToken'] as const) {
    const entity = entities[type];
    // A token without any scope would make other libraries throw and never be found: it is not kept.
    if (entity === undefined || !isUnderstood(type, entity)) continue;
    place(store, type, entity, supersededEntries(store, type, entity));
  }
  if (entities.Account !== undefined) addAccount(store, entities.Account);
  addAppMetadata(store, entities);
}

/** What is known of the account and not told anew (how it was signed in, other tenants) stays. */
function addAccount(store: Store, fresh: Account): void {
  const oneForAll = isNode(profileOf(store));
  const known = oneForAll ? usersAccounts(store, fresh) : sameEntries(store, 'Account', fresh);
  const entities = known.flatMap(({ entity }) => (entity === null ? [] : [entity]));
  const tenants = oneForAll ? { tenantProfiles: joinedProfiles([...entities, fresh]) } : {};
  const told = Object.fromEntries(
    Object.entries(fresh).filter(([, value]) => value !== '' && value !== null),
  );
  const account = copyWith(entities[0] ?? fresh, { ...told, ...tenants });
  if (isUnderstood('Account', account)) place(store, 'Account', account, known, known[0]?.key);
}

/**
 * MSAL Node throws where it finds an app's metadata twice under aliases, and writes none but for apps of a family.
 */
function addAppMetadata(store: Store, { AppMetadata: fresh, RefreshToken }: NewEntities): void {
  const known = sameEntries(store, 'AppMetadata', fresh);
  if (known.length === 0 && fresh.family_id === undefined && isNode(profileOf(store))) return;
  // A later response that names no family does not put the app out of it: MSAL Node asks for it at every refresh.
  const family = fresh.family_id ?? RefreshToken?.family_id;
  const app = copyWith(known[0]?.entity ?? fresh, family === undefined ? {} : { family_id: family });
  if (isUnderstood('AppMetadata', app)) place(store, 'AppMetadata', app, known, known[0]?.key);
}
