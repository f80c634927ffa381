/**
 * The accounts of a cache as a window lists them: each user and each app with its tokens. One user under several aliases
 * of a cloud, in several tenants and with several apps is one account. An app's own tokens are one account for each
 * client, tenant and cloud.
 */
import { hash } from 'node:crypto';
import type { Entry } from '../cache/entry.ts';
import { folded } from '../cache/json.ts';
import { canonicalIssuer, cloudOf, issuerIn, sameIssuer } from '../cache/schema/authorities.ts';
import type {
  AccessToken,
  AccountOutline,
  AccountSummary,
  EntityOf,
  EntityType,
  IdToken,
  RefreshToken,
} from '../cache/schema/entities.ts';
import { GRANT, type GrantItem, type Section } from '../cache/schema/grants.ts';
import type { DeferredAccount, Store } from '../cache/store.ts';
import { foreignRoots } from '../cache/app-data.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import { InvalidArgumentError } from '../errors.ts';
import { type GrantTokens, tokensOfGrant } from '../oauth/grant-tokens.ts';

/**
 * Identifies an account to a window: a hash of its identifying fields. It stays the same when a token is renewed and after
 * a restart, and reveals nothing.
 */
export type AccountId = string;

/**
 * A user, or an app without a user, with all its entities. In a vault, the tokens of an account are read from the file when one of these
 * lists is accessed.
 */
export interface CachedAccount {
  readonly id: AccountId;
  readonly kind: 'user' | 'app' | 'orphan';
  /** null for an app. */
  readonly home_account_id: string | null;
  /** The environment in the first of its entities. */
  readonly environment: string;
  /** "" if MSAL's rules identify the user without it, or if it is unknown. */
  readonly issuer: string;
  /** Only for a user whose account entity is in the cache. */
  readonly summary: AccountSummary | null;
  readonly accessTokens: readonly AccessToken[];
  readonly refreshTokens: readonly RefreshToken[];
  readonly idTokens: readonly IdToken[];
  /** The tokens of its grants (`tokenkeep/oauth`). The window does not refresh them. */
  readonly grants: readonly GrantTokens[];
}

/** A credential with its secret. */
export type Token = AccessToken | RefreshToken | IdToken;

/** All accounts in a cache. */
export interface CachedAccounts {
  /** Users in the order of the cache, then apps and tokens without an account entity. */
  readonly byId: ReadonlyMap<AccountId, CachedAccount>;
  /** The number of entries that are kept although this version does not understand them. */
  readonly notUnderstood: number;
}

const known = new WeakMap<TokenCache, { version: number; accounts: CachedAccounts }>();

/**
 * Returns the accounts, memoized until the cache changes, even within an update.
 *
 * @example
 * import { cachedAccounts } from 'tokenkeep/ipc';
 *
 * const users = await vault.read((cache) =>
 *   [...cachedAccounts(cache).byId.values()].filter(({ kind }) => kind === 'user'),
 * );
 */
export function cachedAccounts(cache: TokenCache): CachedAccounts {
  const { version } = storeOf(cache);
  const before = known.get(cache);
  if (before?.version === version) return before.accounts;
  const accounts = group(cache);
  known.set(cache, { version, accounts });
  return accounts;
}

/**
 * @throws InvalidArgumentError if no account has this id any more
 *
 * @example
 * import { type AccountId, findAccount } from 'tokenkeep/ipc';
 *
 * async function refreshTokensOf(id: AccountId): Promise<number> {
 *   return vault.read((cache) => findAccount(cache, id).refreshTokens.length);
 * }
 */
export function findAccount(cache: TokenCache, id: AccountId): CachedAccount {
  return cachedAccounts(cache).byId.get(id) ?? notFound();
}

/** @throws InvalidArgumentError always */
export function notFound(): never {
  throw new InvalidArgumentError('This account is no longer in the cache. Nothing was done.');
}

/** The tokens of an account: access tokens first, then refresh and ID tokens. */
export function tokensOf(account: CachedAccount): Token[] {
  const { accessTokens, refreshTokens, idTokens } = allTokensOf(account);
  return [...accessTokens, ...refreshTokens, ...idTokens];
}

/** The tokens of an account by type, those of its grants included. */
export function allTokensOf({ accessTokens, refreshTokens, idTokens, grants }: CachedAccount): GrantTokens {
  if (grants.length === 0) return { accessTokens, refreshTokens, idTokens };
  return {
    accessTokens: [...accessTokens, ...grants.flatMap((grant) => grant.accessTokens)],
    refreshTokens: [...refreshTokens, ...grants.flatMap((grant) => grant.refreshTokens)],
    idTokens: [...idTokens, ...grants.flatMap((grant) => grant.idTokens)],
  };
}

/** Returns a short hash of a list of parts, encoded as JSON so that different lists never collide as text. */
export function idOf(...parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url').slice(0, 22);
}

/**
 * Groups the tokens by account. Reads no account of a vault if its index has everything that a list
 * shows, unless another program has changed the account since.
 */
function group(cache: TokenCache): CachedAccounts {
  const store = storeOf(cache);
  for (const { account, outline } of [...store.deferred.values()])
    if (outline === null) store.ofAccount(account);
  const groups = new Groups(store);
  for (const summary of cache.accounts()) {
    // An account without tenants has no account entity; only its refresh tokens show that it is signed in.
    const listed = summary.tenants.length > 0 || summary.authority_type === 'OAuth' ? summary : null;
    groups.user(summary.home_account_id, summary.environment, summary.issuer ?? '', listed);
  }
  for (const { entity: token } of ofType(store, 'AccessToken'))
    groups.of(token, token.realm ?? '').tokens.accessTokens.push(token);
  for (const { entity: token } of ofType(store, 'RefreshToken'))
    groups.of(token, '').tokens.refreshTokens.push(token);
  for (const { entity: token } of ofType(store, 'IdToken'))
    groups.of(token, token.realm ?? '').tokens.idTokens.push(token);
  for (const { entity } of store.entriesInMemory(GRANT)) {
    if (entity === null) continue;
    const grant = entity as GrantItem;
    const account = groups.user(grant.home_account_id, grant.environment, issuerIn(grant), null);
    account.tokens.grants.push(tokensOfGrant(grant));
  }
  return {
    byId: new Map(groups.accounts.map((account) => [account.id, account])),
    notUnderstood: store.notUnderstood + foreignRoots(store).length,
  };
}

function ofType<T extends EntityType>(store: Store, type: T): { entity: EntityOf[T] }[] {
  return [...store.entriesInMemory(type)].filter(
    (entry): entry is Entry<T> & { entity: EntityOf[T] } => entry.entity !== null,
  );
}

interface Tokens {
  accessTokens: AccessToken[];
  refreshTokens: RefreshToken[];
  idTokens: IdToken[];
  grants: GrantTokens[];
}

type Identified = Pick<
  CachedAccount,
  'id' | 'kind' | 'home_account_id' | 'environment' | 'issuer' | 'summary'
>;

/** An account whose tokens are in memory, or in a frame of a vault that has not been read yet. */
class FoundAccount implements CachedAccount {
  readonly id: AccountId;
  readonly kind: CachedAccount['kind'];
  readonly home_account_id: string | null;
  readonly environment: string;
  readonly issuer: string;
  readonly summary: AccountSummary | null;
  readonly #store: Store;
  readonly #deferred: DeferredAccount | undefined;
  #tokens: Tokens | undefined;

  constructor(fields: Identified, store: Store, deferred: DeferredAccount | undefined) {
    this.id = fields.id;
    this.kind = fields.kind;
    this.home_account_id = fields.home_account_id;
    this.environment = fields.environment;
    this.issuer = fields.issuer;
    this.summary = fields.summary;
    this.#store = store;
    this.#deferred = deferred;
  }

  get tokens(): Tokens {
    return (this.#tokens ??= this.#read());
  }

  get accessTokens(): AccessToken[] {
    return this.tokens.accessTokens;
  }

  get refreshTokens(): RefreshToken[] {
    return this.tokens.refreshTokens;
  }

  get idTokens(): IdToken[] {
    return this.tokens.idTokens;
  }

  get grants(): GrantTokens[] {
    return this.tokens.grants;
  }

  /** The outline in the vault's index; null if the tokens are in memory. */
  get outline(): AccountOutline | null {
    return this.#tokens === undefined ? (this.#deferred?.outline ?? null) : null;
  }

  #read(): Tokens {
    const tokens: Tokens = { accessTokens: [], refreshTokens: [], idTokens: [], grants: [] };
    const deferred = this.#deferred;
    if (deferred === undefined) return tokens;
    const { account } = deferred;
    // The cache may have changed since: return the account as it was when it was listed.
    const isUnread = this.#store.unread(account) === deferred;
    const entries: readonly Entry[] = isUnread ? this.#store.ofAccount(account) : deferred.read();
    for (const { section, entity } of entries as readonly Entry<Section>[]) {
      if (entity === null) continue;
      if (section === 'AccessToken') tokens.accessTokens.push(entity as AccessToken);
      else if (section === 'RefreshToken') tokens.refreshTokens.push(entity as RefreshToken);
      else if (section === 'IdToken') tokens.idTokens.push(entity as IdToken);
      else if (section === GRANT) tokens.grants.push(tokensOfGrant(entity as GrantItem));
    }
    return tokens;
  }
}

/** Returns the outline of an account in the vault's index; null if the account's tokens are in memory. */
export function indexedOutline(account: CachedAccount): AccountOutline | null {
  return account instanceof FoundAccount ? account.outline : null;
}

interface Cloud {
  name: string;
  /** The users of an account id: several if their issuers differ. */
  users: Map<string, FoundAccount[]>;
  apps: Map<string, FoundAccount>;
}

/** Assigns tokens to accounts. Uses nested maps instead of joined keys, because there may be 50,000 tokens. */
class Groups {
  readonly accounts: FoundAccount[] = [];
  readonly #clouds = new Map<string, Cloud>();
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  user(
    home_account_id: string,
    environment: string,
    issuer: string,
    summary: AccountSummary | null,
  ): FoundAccount {
    const { name, users } = this.#cloud(environment);
    const home = home_account_id.toLowerCase();
    const known = users.get(home) ?? [];
    const there = userOf(known, issuer);
    if (there !== undefined && (summary === null || there.issuer === issuer)) return there;
    const id = issuer === '' ? idOf('user', home, name) : idOf('user', home, name, canonicalIssuer(issuer));
    const kind = summary === null ? 'orphan' : 'user';
    const deferred = summary === null ? undefined : this.#store.unread(folded(home_account_id));
    const fresh = this.#add({ id, kind, home_account_id, environment, issuer, summary }, deferred);
    users.set(home, [...known, fresh]);
    return fresh;
  }

  of(token: Token, realm: string): FoundAccount {
    const home = token.home_account_id ?? '';
    if (home !== '') return this.user(home, token.environment, issuerIn(token), null);
    const { name, apps } = this.#cloud(token.environment);
    const id = idOf('app', token.client_id.toLowerCase(), realm.toLowerCase(), name);
    const there = apps.get(id);
    if (there !== undefined) return there;
    const fresh = this.#add({
      id,
      kind: 'app',
      home_account_id: null,
      environment: token.environment,
      issuer: issuerIn(token),
      summary: null,
    });
    apps.set(id, fresh);
    return fresh;
  }

  #add(fields: Identified, deferred?: DeferredAccount): FoundAccount {
    const fresh = new FoundAccount(fields, this.#store, deferred);
    this.accounts.push(fresh);
    return fresh;
  }

  #cloud(environment: string): Cloud {
    const there = this.#clouds.get(environment);
    if (there !== undefined) return there;
    const name = cloudOf(environment);
    const cloud = this.#clouds.get(name) ?? { name, users: new Map(), apps: new Map() };
    this.#clouds.set(name, cloud).set(environment, cloud);
    return cloud;
  }
}

/** Returns the user with this issuer. Entries without an issuer belong to the only user, if there is just one. */
function userOf(users: readonly FoundAccount[], issuer: string): FoundAccount | undefined {
  const same = users.find((user) => user.issuer !== '' && issuer !== '' && sameIssuer(user.issuer, issuer));
  if (same !== undefined) return same;
  if (issuer === '') return users.length === 1 ? users[0] : users.find((user) => user.issuer === '');
  return users.find((user) => user.issuer === '');
}

/** Milliseconds of work before yielding to other requests; too short for a user to notice. */
const TURN_MS = 25;

/** Calls `work` for each account and yields from time to time. */
export async function forEachAccount(
  accounts: CachedAccounts['byId'],
  work: (account: CachedAccount) => void,
): Promise<void> {
  let end = performance.now() + TURN_MS;
  for (const account of accounts.values()) {
    work(account);
    if (performance.now() < end) continue;
    await new Promise((resolve) => setImmediate(resolve));
    end = performance.now() + TURN_MS;
  }
}
