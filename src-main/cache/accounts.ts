/** The accounts of a cache as people know them: one per user. */
import type { Account, AccountSummary } from './schema/entities.ts';
import { canonicalEnvironment, sameEnvironment } from './schema/environments.ts';
import { folded } from './schema/match.ts';
import type { Store } from './store.ts';
import { isHomeTenant, realmOf, tenantsOf } from './schema/tenant-profiles.ts';

/** Which users. Without a field: whatever it is. */
export interface AccountFilter {
  /** In any case, as providers give user names back as they were typed. */
  username?: string;
  home_account_id?: string;
  /** Under any alias. */
  environment?: string;
}

/** In the order in which the users' first entities are stored. */
export function summaries(store: Store, filter: AccountFilter = {}): AccountSummary[] {
  const query = filter.home_account_id === undefined ? {} : { home_account_id: filter.home_account_id };
  const users = new Map<string, Account[]>();
  for (const { entity } of store.candidates('Account', query)) {
    if (entity === null) continue;
    if (filter.environment !== undefined && !sameEnvironment(entity.environment, filter.environment))
      continue;
    // The same subject at two providers is two users.
    const user = `${folded(entity.home_account_id)} ${canonicalEnvironment(entity.environment)}`;
    const entities = users.get(user);
    if (entities === undefined) users.set(user, [entity]);
    else entities.push(entity);
  }
  const found: AccountSummary[] = [];
  for (const entities of users.values()) {
    const summary = summaryOf(entities);
    if (summary !== undefined && named(summary, filter.username)) found.push(summary);
  }
  return found;
}

function named(summary: AccountSummary, username: string | undefined): boolean {
  if (username === undefined) return true;
  return [summary, ...summary.tenants].some((profile) => folded(profile.username) === folded(username));
}

function filled(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What the home tenant's entity says; what it leaves open, the others or the tenants. */
function summaryOf(entities: readonly Account[]): AccountSummary | undefined {
  const main = entities.find((entity) => isHomeTenant(entity, realmOf(entity))) ?? entities[0];
  if (main === undefined) return undefined;
  const tenants = tenantsOf(entities);
  const said = (field: 'username' | 'name' | 'local_account_id'): string | undefined => {
    const own = filled(main[field]);
    if (own !== undefined) return own;
    const other =
      entities.find((entity) => filled(entity[field])) ?? tenants.find((tenant) => filled(tenant[field]));
    return filled(other?.[field]);
  };
  const name = said('name');
  return {
    home_account_id: main.home_account_id,
    environment: main.environment,
    username: said('username') ?? '',
    ...(name === undefined ? {} : { name }),
    local_account_id: said('local_account_id') ?? '',
    authority_type: main.authority_type,
    tenants,
  };
}
