/** The accounts of a cache: one per user, distinguished by issuer if the issuer is part of the identity. */
import { checkOptions, HOST, TEXT } from '../options.ts';
import type { Entry } from './entry.ts';
import { filled, folded, textOf } from './json.ts';
import {
  canonicalEnvironment,
  canonicalIssuer,
  cloudOf,
  isMsals,
  issuerIn,
  issuerSaidBy,
  sameEnvironment,
  sameIssuer,
} from './schema/authorities.ts';
import { type Claims, claimsIn as claimsOfToken, stringClaim } from './schema/claims.ts';
import type {
  AccessToken,
  Account,
  AccountOutline,
  AccountReference,
  AccountSummary,
  CredentialType,
  Entity,
  EntryCount,
  IdToken,
  RefreshToken,
  TokenOutline,
} from './schema/entities.ts';
import { expiryOf, isRefusedForGood, refusalsOf, secondsOf } from './schema/expiry.ts';
import { GRANT, type GrantItem, grantFields, type Section } from './schema/grants.ts';
import { isHomeTenant, realmOf, tenantsOf } from './schema/tenant-profiles.ts';
import type { Store } from './store.ts';

/** Selects accounts. A field that is absent matches any value. */
export interface AccountFilter {
  /** Compared case-insensitively, as providers return user names as typed. */
  username?: string;
  home_account_id?: string;
  /** Matches under any alias of its cloud. */
  environment?: string;
  issuer?: string;
}

/** One user among those that have the same account id. */
export interface Identity<Item = unknown> {
  /** The issuer; "" if MSAL's rules identify the user, or if the issuer is unknown. */
  readonly issuer: string;
  /** The environment of the first item. */
  readonly environment: string;
  readonly items: Item[];
}

/**
 * Returns the normalized issuer of an entity; "" if it has none or it is unknown. MSAL libraries don't store issuers, so the
 * issuer of a token is taken from the ID tokens of the same account and app. Reads the secrets of these ID tokens.
 */
export function issuerFor(store: Store, entity: Entity): string {
  const own = issuerIn(entity);
  if (own !== '') return canonicalIssuer(own);
  const environment = textOf(entity['environment']);
  const account = textOf(entity['home_account_id']);
  if (account === '' || isMsals(entity)) return '';
  return issuerBeside(store, account, environment, entity['client_id']);
}

/** Memoizes `issuerBeside` per store version, because it is called for every token of an account. */
const found = new WeakMap<Store, { version: number; issuers: Map<string, string> }>();

/** Returns the issuer that the ID tokens of an account on a host name; "" if they disagree. */
function issuerBeside(store: Store, account: string, environment: string, client: unknown): string {
  let known = found.get(store);
  if (known?.version !== store.version)
    found.set(store, (known = { version: store.version, issuers: new Map() }));
  const name = JSON.stringify([folded(account), environment, client === undefined ? null : folded(client)]);
  let issuer = known.issuers.get(name);
  if (issuer === undefined)
    known.issuers.set(name, (issuer = saidBeside(store, account, environment, client)));
  return issuer;
}

function saidBeside(store: Store, account: string, environment: string, client: unknown): string {
  const issuers = new Set<string>();
  for (const { entity: idToken } of store.candidates('IdToken', { home_account_id: account })) {
    if (idToken === null || issuerIn(idToken) !== '') continue;
    if (client !== undefined && folded(idToken.client_id) !== folded(client)) continue;
    if (!sameEnvironment(idToken.environment, environment)) continue;
    const said = issuerSaidBy(idToken);
    if (said !== '') issuers.add(canonicalIssuer(said));
  }
  const [issuer = '', ...others] = issuers;
  return others.length === 0 ? issuer : '';
}

/**
 * Groups the entities of one account ID by user. Entities without an issuer belong to the user on their host if there is
 * only one.
 */
function identities<T extends Entity>(store: Store, entities: readonly T[]): Identity<T>[] {
  const found = new Map<string, Identity<T>>();
  for (const entity of entities) {
    const issuer = issuerFor(store, entity);
    const environment = textOf(entity['environment']);
    const key = issuer === '' ? canonicalEnvironment(environment) : `issuer ${issuer}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, { issuer, environment, items: [entity] });
    else known.items.push(entity);
  }
  if (found.size === 1) return [...found.values()];
  const onHost = new Map<string, Set<Identity<T>>>();
  for (const identity of found.values()) {
    for (const item of identity.items) {
      const host = cloudOf(item['environment']);
      onHost.set(host, (onHost.get(host) ?? new Set()).add(identity));
    }
  }
  for (const [key, loose] of found) {
    if (loose.issuer !== '') continue;
    const near = onHost.get(cloudOf(loose.environment)) ?? [];
    const others = [...near].filter(
      (other) =>
        other !== loose &&
        found.has(other.issuer === '' ? canonicalEnvironment(other.environment) : `issuer ${other.issuer}`) &&
        other.items.some((item) => sameEnvironment(textOf(item['environment']), loose.environment)),
    );
    const [only] = others;
    if (only === undefined || others.length > 1) continue;
    only.items.push(...loose.items);
    found.delete(key);
  }
  return [...found.values()];
}

/** Returns the users of one account id, derived from all recognized entities. */
export function identitiesOf(store: Store, home_account_id: string): Identity<Entity>[] {
  const entities = store
    .ofAccount(home_account_id)
    .flatMap(({ section, entity }) => (entity === null || section === 'AppMetadata' ? [] : [entity]));
  return identities(store, entities);
}

/**
 * Returns the issuers that a token may be of: its own, or if it is not known, those of the users that have its account ID on
 * its host. None if MSAL's rules identify its user, or if nothing names an issuer.
 */
export function issuersFor(store: Store, token: Entity): string[] {
  const own = issuerFor(store, token);
  if (own !== '') return [own];
  if (isMsals(token)) return [];
  const environment = textOf(token['environment']);
  return identitiesOf(store, textOf(token['home_account_id']))
    .filter(({ items }) => items.some((item) => sameEnvironment(textOf(item['environment']), environment)))
    .flatMap(({ issuer }) => (issuer === '' ? [] : [issuer]));
}

/** Returns the users that a reference selects: without an issuer, every user on the host. */
export function meantBy<T extends Identity>(all: readonly T[], reference: Partial<AccountReference>): T[] {
  const meant = all.filter((identity) => isMeant(identity, reference));
  const exactly = meant.filter(({ issuer }) => issuer !== '' && sameIssuer(issuer, reference.issuer ?? ''));
  // If no user has the issuer, a user of unknown issuer may be the one.
  return exactly.length > 0 ? exactly : meant;
}

function isMeant(identity: Identity, { issuer, environment }: Partial<AccountReference>): boolean {
  if (issuer !== undefined && issuer !== '' && identity.issuer !== '')
    return sameIssuer(issuer, identity.issuer);
  return environment === undefined || sameEnvironment(environment, identity.environment);
}

/**
 * Returns account summaries in the order in which the accounts were stored. Users with refresh tokens only come after them, and users with
 * grants only come last.
 */
export function summaries(store: Store, filter: AccountFilter = {}): AccountSummary[] {
  // Callers may pass an account from this list as the filter; its other fields are ignored.
  checkOptions<AccountFilter & AccountSummary>('accounts', filter as AccountFilter & AccountSummary, {
    username: TEXT,
    home_account_id: TEXT,
    environment: HOST,
    issuer: TEXT,
    name: TEXT,
    local_account_id: TEXT,
    authority_type: TEXT,
    tenants: true,
  });
  const { home_account_id: home, environment, issuer } = filter;
  const wanted = (summary: AccountSummary): boolean =>
    named(summary, filter.username) &&
    (environment === undefined || sameEnvironment(summary.environment, environment)) &&
    (issuer === undefined || sameIssuer(summary.issuer ?? '', issuer));
  const all = home === undefined ? everyUser(store) : usersOf(store, folded(home));
  return all.filter(wanted);
}

/** All users, or those of one account id, which is not deferred. */
function inMemory(store: Store, home: string | undefined): AccountSummary[] {
  const ids = new Map<string, Account[]>();
  for (const { entity } of store.candidates('Account', home === undefined ? {} : { home_account_id: home })) {
    if (entity === null) continue;
    const id = folded(entity.home_account_id);
    const entities = ids.get(id);
    if (entities === undefined) ids.set(id, [entity]);
    else entities.push(entity);
  }
  const found: AccountSummary[] = [];
  const take = (summary: AccountSummary | undefined): void => {
    if (summary !== undefined) found.push(summary);
  };
  for (const entities of ids.values()) {
    const users = entities.length === 1 ? [entities] : identities(store, entities).map(({ items }) => items);
    for (const user of users) take(summaryOf(user));
  }
  for (const account of home === undefined ? store.accounts : [folded(home)])
    if (!ids.has(account)) for (const summary of unlisted(store, account)) take(summary);
  for (const user of grantUsers(store, home)) if (!isListed(store, user, ids)) take(summaryOfGrants(user));
  return found;
}

/** Returns the users of one account id, lower-cased. */
export function usersOf(store: Store, account: string): AccountSummary[] {
  const deferred = store.unread(account);
  // Copies: callers may change what they get.
  if (deferred !== undefined)
    return deferred.users.map((user) => ({
      ...user,
      tenants: user.tenants.map((tenant) => ({ ...tenant })),
    }));
  return inMemory(store, account);
}

/** Returns all users. Reads no deferred account, unless another program has changed it since. */
function everyUser(store: Store): AccountSummary[] {
  if (store.deferred.size === 0) return inMemory(store, undefined);
  const all = store.accounts.flatMap((account) => usersOf(store, account));
  return all.toSorted((a, b) => rankOf(a) - rankOf(b));
}

/** As `inMemory` orders them: account entities, refresh tokens only, grants only. */
function rankOf({ tenants, authority_type }: AccountSummary): number {
  if (tenants.length > 0) return 0;
  return authority_type === '' ? 1 : 2;
}

/** Returns the users without an account entity whose refresh tokens can still be used, and signed out. */
function unlisted(store: Store, account: string): AccountSummary[] {
  const tokens = store
    .ofAccount(account)
    .filter((entry): entry is Entry<'RefreshToken'> => entry.section === 'RefreshToken')
    .flatMap(({ entity }) => (entity === null ? [] : [entity]));
  return identities(store, tokens).flatMap(({ issuer, environment, items: [token] }) =>
    token === undefined
      ? []
      : [
          {
            home_account_id: token.home_account_id,
            environment,
            ...(issuer === '' ? {} : { issuer }),
            username: '',
            local_account_id: '',
            authority_type: '',
            tenants: [],
          },
        ],
  );
}

/** Groups the grants by user. */
function grantUsers(store: Store, home: string | undefined): Identity<GrantItem>[] {
  const byId = new Map<string, GrantItem[]>();
  const all = home === undefined ? store.entries(GRANT) : store.ofAccount(home);
  for (const { section, entity } of all) {
    if (section !== GRANT) continue;
    const id = folded(entity?.['home_account_id']);
    if (entity === null || (home !== undefined && id !== folded(home))) continue;
    const grants = byId.get(id);
    if (grants === undefined) byId.set(id, [entity as GrantItem]);
    else grants.push(entity as GrantItem);
  }
  return [...byId.values()].flatMap((grants) => identities(store, grants));
}

/** Returns whether the user of these grants is in the list already, because of an account entity or a refresh token. */
function isListed(store: Store, user: Identity<GrantItem>, ids: ReadonlyMap<string, Account[]>): boolean {
  const id = folded(user.items[0]?.home_account_id);
  const others: readonly Entity[] =
    ids.get(id) ??
    store.candidates('RefreshToken', { home_account_id: id }).flatMap(({ entity }) => entity ?? []);
  return meantBy(identities(store, others), user).length > 0;
}

function summaryOfGrants({ issuer, environment, items }: Identity<GrantItem>): AccountSummary | undefined {
  const [first] = items;
  if (first === undefined) return undefined;
  const said = (field: 'username' | 'name'): string | undefined =>
    items.flatMap((grant) => filled(grant[field]) ?? [])[0];
  const name = said('name');
  return {
    home_account_id: first.home_account_id,
    environment,
    ...(issuer === '' ? {} : { issuer }),
    username: said('username') ?? first.label,
    ...(name === undefined ? {} : { name }),
    local_account_id: '',
    authority_type: 'OAuth',
    tenants: [],
  };
}

function named(summary: AccountSummary, username: string | undefined): boolean {
  if (username === undefined) return true;
  return [summary, ...summary.tenants].some((profile) => folded(profile.username) === folded(username));
}

/** Builds a summary from the home tenant's entity, completed by the other entities and the tenants. */
function summaryOf(entities: readonly Account[]): AccountSummary | undefined {
  const main = entities.find((entity) => isHomeTenant(entity, realmOf(entity))) ?? entities[0];
  if (main === undefined) return undefined;
  const tenants = tenantsOf(entities);
  const said = (field: 'username' | 'name' | 'local_account_id'): string | undefined => {
    const texts = [main, ...entities, ...tenants].flatMap((source) => filled(source[field]) ?? []);
    // Use a guest's name (`ada_contoso.example#EXT#@…`) only if there is no other.
    return texts.find((text) => field !== 'username' || !text.toLowerCase().includes('#ext#')) ?? texts[0];
  };
  const name = said('name');
  const issuer = entities.map(issuerIn).find((text) => text !== '');
  const type = main.authority_type ?? '';
  return {
    home_account_id: main.home_account_id,
    environment: main.environment,
    ...(issuer === undefined ? {} : { issuer }),
    username: said('username') ?? '',
    ...(name === undefined ? {} : { name }),
    local_account_id: said('local_account_id') ?? '',
    // MSAL Python lists generic accounts only if their authority type is MSSTS.
    authority_type: issuer !== undefined && type === 'MSSTS' ? 'Generic' : type,
    tenants,
  };
}

/** Counts entries by type. */
export function countOf(entries: readonly Entry<Section>[]): EntryCount {
  const count: EntryCount = { AccessToken: 0, RefreshToken: 0, IdToken: 0, Account: 0, AppMetadata: 0 };
  for (const { section } of entries) {
    if (section === GRANT) count.grants = (count.grants ?? 0) + 1;
    else count[section] += 1;
  }
  return count;
}

// A summary of an account's tokens for lists. A vault keeps it in its index, so that a list need not open the account.
/** The tokens of an account by type. */
export interface TokensByType {
  readonly accessTokens: readonly AccessToken[];
  readonly refreshTokens: readonly RefreshToken[];
  readonly idTokens: readonly IdToken[];
}

/**
 * Returns the outline of an account. Opens the secrets of ID tokens only if the user's name or the issuer is in no field.
 *
 * @param tokens all of its tokens, those of grants included
 * @param idTokens the ID tokens whose claims may name the user
 */
export function accountOutline(
  summary: AccountSummary | null,
  tokens: TokensByType,
  idTokens: readonly IdToken[],
  claimsOf: (token: IdToken) => Claims = claimsIn,
): AccountOutline {
  const all = [...tokens.accessTokens, ...tokens.refreshTokens, ...tokens.idTokens];
  const stored = distinct([summary, ...all].map((entity) => issuerIn(entity as Entity | null)));
  const issuers =
    stored.length > 0 ? stored : distinct(idTokens.map((token) => stringClaim(claimsOf(token), 'iss') ?? ''));
  const said = (...claims: string[]): string | undefined =>
    idTokens
      .flatMap((token) => claims.map((claim) => stringClaim(claimsOf(token), claim)))
      .find((text) => text !== undefined);
  const username = summary?.username ?? '';
  return {
    issuer: issuers.length === 1 ? (issuers[0] ?? null) : null,
    username: username === '' ? (said('preferred_username', 'upn', 'email') ?? '') : username,
    name: summary?.name ?? said('name') ?? null,
    clients: [...new Set(all.map(({ client_id }) => client_id))],
    tokens: tokenOutlines(tokens),
  };
}

/** Returns the outlines of tokens: access tokens first, then refresh and ID tokens. */
export function tokenOutlines({ accessTokens, refreshTokens, idTokens }: TokensByType): TokenOutline[] {
  return [
    ...accessTokens.map((token) => tokenOutline('AccessToken', token, expiryOf(token))),
    ...refreshTokens.map((token) => ({
      ...tokenOutline('RefreshToken', token, secondsOf(token['expires_on'])),
      isRefused: isRefusedForGood(token),
      ...refusedAt(token),
    })),
    ...idTokens.map((token) => tokenOutline('IdToken', token, NaN)),
  ];
}

function refusedAt(token: RefreshToken): Pick<TokenOutline, 'refusedAt'> {
  const times = refusalsOf(token).flatMap(({ at }) => (Number.isFinite(at) ? Number(at) : []));
  return times.length === 0 ? {} : { refusedAt: Math.max(...times) };
}

function tokenOutline(type: CredentialType, token: Entity, expiry: number): TokenOutline {
  return {
    type,
    cachedAt: timeOf(secondsOf(token['cached_at'])),
    modifiedAt: timeOf(secondsOf(token['last_modification_time'])),
    expiresAt: timeOf(expiry),
    isRefused: false,
  };
}

/**
 * Returns the outline of an account for a vault's index; null if a list has to read its entries: several users have the
 * id, the account entity is missing, tokens are of another cloud or issuer, or a grant was refused.
 *
 * @param users those of `usersOf`
 */
export function outlineForIndex(
  store: Store,
  account: string,
  [user, ...others]: readonly AccountSummary[],
): AccountOutline | null {
  if (user === undefined || others.length > 0) return null;
  if (user.tenants.length === 0 && user.authority_type !== 'OAuth') return null;
  const own: { [Type in CredentialType]: Entity[] } = { AccessToken: [], RefreshToken: [], IdToken: [] };
  const granted: typeof own = { AccessToken: [], RefreshToken: [], IdToken: [] };
  for (const { section, entity } of store.ofAccount(account)) {
    if (entity === null || section === 'Account' || section === 'AppMetadata') continue;
    if (!isOfUser(entity, user)) return null;
    if (section !== GRANT) own[section].push(entity);
    else {
      const item = entity as GrantItem;
      if ((item.refused_at ?? null) !== null) return null; // Only the grant itself shows whether the refusal still applies.
      for (const [type, fields] of grantFields(item)) granted[type].push(fields);
    }
  }
  const all = {
    accessTokens: [...own.AccessToken, ...granted.AccessToken] as unknown as AccessToken[],
    refreshTokens: [...own.RefreshToken, ...granted.RefreshToken] as unknown as RefreshToken[],
    idTokens: [...own.IdToken, ...granted.IdToken] as unknown as IdToken[],
  };
  return accountOutline(user, all, own.IdToken as unknown as IdToken[]);
}

function isOfUser(entity: Entity, user: AccountSummary): boolean {
  const issuer = issuerIn(entity);
  const own = user.issuer ?? '';
  return (
    cloudOf(entity['environment']) === cloudOf(user.environment) &&
    (issuer === '' || own === '' || sameIssuer(issuer, own))
  );
}

function claimsIn(token: IdToken): Claims {
  try {
    return claimsOfToken(token.secret) ?? {};
  } catch {
    return {}; // The secret can't be decrypted; the vault reports that itself.
  }
}

function timeOf(seconds: number): number | null {
  return Number.isFinite(seconds) ? seconds : null;
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts.filter((text) => text !== ''))];
}
