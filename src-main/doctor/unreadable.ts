/** Finds entities that make a library throw or that no library finds. Tokenkeep keeps them unchanged and never matches them. */
import type { Entity, EntityType } from '../cache/schema/entities.ts';
import { copyWith, freezeJson, isAccessor, isRecord } from '../cache/json.ts';
import { faultsOf, isUnderstood } from '../cache/schema/fields.ts';
import type { Entry } from '../cache/entry.ts';
import { GRANT, type Section } from '../cache/schema/grants.ts';
import type { Store } from '../cache/store.ts';
import { sameEntries } from '../cache/place.ts';
import { expiryOf } from '../cache/schema/expiry.ts';
import { joinedProfiles } from '../cache/schema/tenant-profiles.ts';
import { change, type Cause, type Diagnosis, diagnosis } from './finding.ts';

/** The credential types known in each root. Other types belong to newer libraries and are left alone. */
const KINDS: Readonly<Record<EntityType, readonly unknown[]>> = {
  AccessToken: ['AccessToken', 'AccessToken_With_AuthScheme', 'atext'],
  RefreshToken: ['RefreshToken'],
  IdToken: ['IdToken'],
  Account: [undefined],
  AppMetadata: [undefined],
};

/** @param home an account id, or "" for entries without an account */
export function unreadable(store: Store, home: string): Diagnosis[] {
  const found: Diagnosis[] = [];
  for (const entry of store.ofAccount(home)) {
    if (entry.isUnderstood || !isOfEntities(entry)) continue;
    const mended = mend(entry);
    const changes = mended !== null ? [change(entry, mended)] : isWorthless(entry) ? [change(entry)] : [];
    found.push(diagnosis('unreadable', saysOf(entry), causesOf(entry), [entry], changes));
  }
  for (const entry of store.candidates('AccessToken', { home_account_id: home === '' ? null : home })) {
    const token = entry.entity;
    if (token === null || !isWithoutScopes(token)) continue;
    const says = 'An access token has no scopes.';
    const causes: Cause[] = [{ library: 'MSAL Node', says: 'It throws when this account asks for a token.' }];
    const same = sameEntries(store, 'AccessToken', token).filter(
      ({ entity }) => entity && isWithoutScopes(entity),
    );
    const longest = same.reduce(
      (a, b) => (expiryOf(b.entity ?? {}) > expiryOf(a.entity ?? {}) ? b : a),
      entry,
    );
    // OpenID scopes are ignored when matching, so the token matches the same requests as before. One of several is enough.
    const mended = entry === longest ? copyWith(token, { target: 'openid' }) : undefined;
    found.push(diagnosis('unreadable', says, causes, [entry], [change(entry, mended)]));
  }
  for (const entry of store.candidates('Account', { home_account_id: home })) {
    const account = entry.entity;
    if (account === null || readsTenants(account['tenantProfiles'])) continue;
    const mended = frozen(copyWith(account, { tenantProfiles: joinedProfiles([account]) }));
    const causes: Cause[] = [
      {
        library: 'MSAL Node',
        says: 'It can’t open a cache that contains this account, so no user is signed in.',
      },
    ];
    const says = 'The tenant list of an account is not in the format of MSAL Node.';
    found.push(diagnosis('unreadable', says, causes, [entry], [change(entry, mended)]));
  }
  return found;
}

/** MSAL libraries ignore the root of the grants. */
function isOfEntities(entry: Entry<Section>): entry is Entry<EntityType> {
  return entry.section !== GRANT;
}

/**
 * Whether a token has no scopes. Tokens added by Tokenkeep carry `requested_scopes` and are converted for each library, so they are fine.
 */
export function isWithoutScopes(token: Entity): boolean {
  return token['target'] === '' && token['requested_scopes'] === undefined;
}

function readsTenants(list: unknown): boolean {
  if (list === undefined || list === null) return true;
  if (!Array.isArray(list)) return false;
  return list.every((item) => {
    if (typeof item !== 'string') return false;
    try {
      return isRecord(JSON.parse(item));
    } catch {
      return false;
    }
  });
}

function frozen(entity: Entity): Entity {
  freezeJson(entity);
  return entity;
}

/** Converts numbers, such as times and lifetimes, to strings. Returns null if that does not make the entity valid. */
function mend({ section, value }: Entry<EntityType>): Entity | null {
  if (!isRecord(value)) return null;
  const numbers = Object.keys(value).filter(
    (name) => !isAccessor(value, name) && typeof value[name] === 'number' && Number.isInteger(value[name]),
  );
  if (numbers.length === 0) return null;
  const mended = copyWith(value, Object.fromEntries(numbers.map((name) => [name, String(value[name])])));
  return isUnderstood(section, mended) ? frozen(mended) : null;
}

/** Whether no library can use the entry. Entries of unknown types may be of use to newer libraries. */
function isWorthless({ section, value }: Entry<EntityType>): boolean {
  if (!isRecord(value)) return true;
  if (!KINDS[section].includes(value['credential_type'])) return false;
  return faultsOf(section, value).some(
    ({ field }) => ESSENTIAL.has(field) || (field === 'home_account_id' && section !== 'AccessToken'),
  );
}

/** Fields that every library needs; others, such as `cached_at`, only Tokenkeep requires. */
const ESSENTIAL: ReadonlySet<string> = new Set([
  'secret',
  'client_id',
  'environment',
  'target',
  'expires_on',
]);

function saysOf({ section, value }: Entry<EntityType>): string {
  if (!isRecord(value)) return `Invalid entry: expected ${NAMES[section]}.`;
  const problems = faultsOf(section, value).map(({ message }) => message);
  return `Invalid entry: expected ${NAMES[section]}, but ${problems.join(', and ')}.`;
}

const NAMES: Readonly<Record<EntityType, string>> = {
  AccessToken: 'an access token',
  RefreshToken: 'a refresh token',
  IdToken: 'an ID token',
  Account: 'an account',
  AppMetadata: 'an app’s metadata',
};

function causesOf({ section, value }: Entry<EntityType>): Cause[] {
  if (!isRecord(value)) {
    return [
      {
        library: 'MSAL Node',
        says: 'It can’t open a cache that contains this entry, so no user is signed in.',
      },
      { library: 'MSAL Python', says: 'It throws when it looks for a token or an account.' },
    ];
  }
  const causes: Cause[] = [{ library: 'Tokenkeep', says: 'It keeps the entry unchanged and never uses it.' }];
  if (section === 'AccessToken' && typeof value['target'] !== 'string') {
    causes.push({ library: 'MSAL Python', says: 'It throws when this account asks for a token.' });
    causes.push({ library: 'MSAL Node', says: 'It throws when this account asks for a token.' });
  } else if (section === 'AccessToken' && typeof value['expires_on'] !== 'string') {
    causes.push({ library: 'MSAL Python', says: 'It throws when this account asks for a token.' });
  } else if (section === 'AccessToken' && value['target'] === '') {
    causes.push({ library: 'MSAL Node', says: 'It throws when this account asks for a token.' });
  }
  return causes;
}
