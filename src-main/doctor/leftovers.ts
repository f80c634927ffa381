/** Finds tokens without an account, accounts without usable tokens, and access tokens that expired over a month ago. */
import { type Change, Entry } from '../cache/entry.ts';
import { folded, isRecord } from '../cache/json.ts';
import { entitiesOf, nodeAccount } from '../cache/response.ts';
import {
  canonicalEnvironment,
  canonicalIssuer,
  isMicrosoft,
  issuerIn,
  issuerSaidBy,
} from '../cache/schema/authorities.ts';
import { encodeObject, readToken } from '../cache/schema/claims.ts';
import { isNode, keyOf } from '../cache/schema/dialects.ts';
import type { EntityType } from '../cache/schema/entities.ts';
import { isExpired, isExpiryUnknown, secondsOf } from '../cache/schema/expiry.ts';
import { isUnderstood } from '../cache/schema/fields.ts';
import { GRANT, type Section } from '../cache/schema/grants.ts';
import { homeTenantOf } from '../cache/schema/tenant-profiles.ts';
import { dialectOf, type Store } from '../cache/store.ts';
import { change, type Diagnosis, diagnosis } from './finding.ts';
import { issuerCollisions } from './issuers.ts';

/** Seconds. */
const MONTH = 30 * 24 * 3600;

/** The entries of one user, under all environment aliases. */
type Belongings = Record<'Account' | 'AccessToken' | 'RefreshToken' | 'IdToken', Entry<EntityType>[]>;

function isOfUser(entry: Entry<Section>): entry is Entry<keyof Belongings> {
  return entry.section !== 'AppMetadata' && entry.section !== GRANT && entry.isUnderstood;
}

function byUser(store: Store, home: string): Map<string, Belongings> {
  const users = new Map<string, Belongings>();
  const isShared = issuerCollisions(store, home).length > 0;
  for (const entry of store.ofAccount(home)) {
    if (!isOfUser(entry)) continue;
    const issuer = isShared ? canonicalIssuer(issuerIn(entry.entity)) : '';
    // It is unknown which issuer's user the entry belongs to.
    if (isShared && issuerIn(entry.entity) === '') continue;
    const user = `${canonicalEnvironment(String(entry.entity?.environment))} ${issuer}`;
    const own = users.get(user) ?? { Account: [], AccessToken: [], RefreshToken: [], IdToken: [] };
    if (!users.has(user)) users.set(user, own);
    own[entry.section].push(entry);
  }
  return users;
}

/** @param home an account id, or "" for the entries of apps */
export function leftovers(store: Store, home: string, now: number): Diagnosis[] {
  const found: Diagnosis[] = [];
  const isKept = hasOtherTokens(store, home, now);
  for (const own of home === '' ? [] : byUser(store, home).values()) {
    const isEnded = !isKept && isOver(own, now);
    if (own.Account.length === 0) found.push(withoutAccount(store, own, isEnded, now));
    else if (isEnded) found.push(withoutTokens(own));
  }
  found.push(...deadWeight(store, home, now));
  return found;
}

/**
 * Whether an account has tokens beside those of `byUser`: a grant, a token that another repair may mend, or one of which it is unknown whose
 * it is. Then nothing of the account is over.
 */
function hasOtherTokens(store: Store, home: string, now: number): boolean {
  const isShared = issuerCollisions(store, home).length > 0;
  return store.ofAccount(home).some((entry) => {
    const { section, entity, isUnderstood: isClear } = entry;
    if (section === GRANT) return true;
    const isToken = section === 'RefreshToken' || (section === 'AccessToken' && !hasEnded(entry, now));
    return isToken && (!isClear || (isShared && issuerIn(entity) === ''));
  });
}

/** Whether an access token has expired, as far as its times can be read. */
function hasEnded({ value }: Entry<Section>, now: number): boolean {
  if (!isRecord(value) || isExpiryUnknown(value)) return false;
  const ends = [value['expires_on'], value['extended_expires_on']].map(secondsOf);
  return ends.some((end) => end < now) && !ends.some((end) => end >= now);
}

/** Whether the user has no refresh token, and no access token that could be used, not even during an outage of the provider. */
function isOver({ RefreshToken, AccessToken }: Belongings, now: number): boolean {
  return RefreshToken.length === 0 && AccessToken.every((entry) => expiredFor(entry, now) > 0);
}

/** Returns the seconds since the token expired, including its extended lifetime for outages (`extended_expires_on`). */
function expiredFor({ entity }: Entry, now: number): number {
  if (entity !== null && isExpiryUnknown(entity)) return -Infinity;
  const ends = [entity?.['expires_on'], entity?.['extended_expires_on']].map(secondsOf);
  return now - Math.max(...ends.filter((end) => !Number.isNaN(end)));
}

function withoutAccount(store: Store, own: Belongings, isEnded: boolean, now: number): Diagnosis {
  const tokens = [...own.RefreshToken, ...own.AccessToken, ...own.IdToken];
  const says = 'The cache has tokens of a user but no account for them.';
  const causes = (['MSAL Python', 'MSAL Node', 'MSAL.NET'] as const).map((library) => ({
    library,
    says: 'It does not list the user, so the tokens can be neither used nor signed out.',
  }));
  const account = accountFrom(store, own.IdToken, now);
  const changes = account !== undefined ? [account] : isEnded ? tokens.map((entry) => change(entry)) : [];
  return diagnosis('token-without-account', says, causes, tokens, changes);
}

/** Recreates the account entity from an ID token, as a new sign-in would. */
function accountFrom(store: Store, idTokens: readonly Entry<EntityType>[], now: number): Change | undefined {
  const dialect = dialectOf(store);
  for (const { entity } of idTokens) {
    if (entity === null || !isUnderstood('IdToken', entity)) continue;
    const { home_account_id, environment, realm, client_id, secret } = entity;
    if (readToken(secret)?.format !== 'jwt') continue;
    const issuer = issuerIn(entity);
    // A subject may contain a dot as well. Only where MSAL's rules identify the user, it is followed by a tenant.
    const isMsal = issuer === '' && (isMicrosoft(environment) || issuerSaidBy(entity) === '');
    const tenant = isMsal ? homeTenantOf(home_account_id) : undefined;
    const uid = home_account_id.slice(0, -1 - (tenant?.length ?? -1));
    const response = {
      id_token: secret,
      ...(tenant === undefined ? {} : { client_info: encodeObject({ uid, utid: tenant }) }),
    };
    const token_endpoint = `https://${environment}/`;
    const event = {
      client_id,
      scope: [],
      token_endpoint,
      environment,
      realm: realm ?? '',
      home_account_id,
      response,
      ...(issuer === '' ? {} : { issuer }),
      ...(tenant === undefined ? {} : { authority_type: 'MSSTS' }),
    };
    const { Account: found, uid: homeId } = entitiesOf(event, now, dialect);
    const account = found && isNode(dialect) ? nodeAccount(found, homeId, []) : found;
    if (account === undefined || folded(account.home_account_id) !== folded(home_account_id)) continue;
    const key = keyOf('Account', account, dialect);
    const after: Entry = Entry.of('Account', key, account);
    if (after.isUnderstood && store.entry('Account', key) === undefined) return { after };
  }
  return undefined;
}

function withoutTokens(own: Belongings): Diagnosis {
  const all = [...own.Account, ...own.AccessToken, ...own.IdToken];
  const says = 'An account has no refresh token and no valid access token. The user has to sign in again.';
  const causes = (['MSAL Python', 'MSAL Node', 'MSAL.NET'] as const).map((library) => ({
    library,
    says: 'It lists the user but cannot get a token.',
  }));
  return diagnosis(
    'account-without-tokens',
    says,
    causes,
    all,
    all.map((entry) => change(entry)),
  );
}

/** Finds long-expired access tokens only: refresh tokens have no known expiry, and ID tokens identify the user. */
function deadWeight(store: Store, home: string, now: number): Diagnosis[] {
  const found: Diagnosis[] = [];
  const own = store
    .candidates('AccessToken', { home_account_id: home })
    .filter(
      (entry) => entry.entity !== null && isExpired(entry.entity, now) && expiredFor(entry, now) >= MONTH,
    );
  if (own.length === 0) return found;
  const says = 'Access tokens expired over a month ago and were not renewed.';
  const causes = (['MSAL Python', 'MSAL Node', 'MSAL.NET', 'Tokenkeep'] as const).map((library) => ({
    library,
    says: 'It reads and writes them every time, although they are useless.',
  }));
  found.push(
    diagnosis(
      'dead-weight',
      says,
      causes,
      own,
      own.map((entry) => change(entry)),
    ),
  );
  return found;
}
