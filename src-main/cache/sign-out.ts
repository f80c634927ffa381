/**
 * Verified sign-out. Every entry of the account is removed, matched by its fields and not by its key. (MSAL Python removes by key and
 * leaves entries that MSAL Node wrote.)
 *
 * [Note: what names an account] In data that is not understood, a string or a field's name refers to an account if it is the
 * account's id, or begins with the id and a hyphen, as keys do. Ids inside other text are ignored: the ids of generic providers
 * may be as short as "1". App data is left alone. An entry that names its account belongs only to that account. Ids are compared
 * case-insensitively.
 */
import { AmbiguousAccountError, InvalidArgumentError } from '../errors.ts';
import { checkOptions, HOST, type OptionNames, TEXT } from '../options.ts';
import { foreignRoots, isAppData } from './app-data.ts';
import { countOf, type Identity, identitiesOf, issuerFor, meantBy } from './accounts.ts';
import { Entry, ownerOf } from './entry.ts';
import { folded, isAccessor, isRecord } from './json.ts';
import { sameEnvironment, sameIssuer } from './schema/authorities.ts';
import {
  type AccountReference,
  ENTITY_TYPES,
  type Entity,
  type EntryCount,
  type SignOutReceipt,
} from './schema/entities.ts';
import { GRANT, type Section } from './schema/grants.ts';
import { fieldsMatch } from './schema/match.ts';
import type { Store } from './store.ts';

/** Limits a sign-out. Default: every environment. */
export interface SignOutFilter {
  /** Signs out of this environment only, under all its aliases. Unrecognized entries that name no environment stay. */
  environment?: string;
}

/** Selects tokens of apps. A field that is absent matches any value. */
export interface AppTokenFilter {
  client_id?: string;
  realm?: string;
  environment?: string;
}

/** Number of entries by type. */
export type RemovalCount = EntryCount;

/** A set of account ids, lower-cased, that can be searched for in strings. */
class Ids {
  readonly #ids: ReadonlySet<string>;
  readonly #longest: number;

  constructor(ids: Iterable<string>) {
    this.#ids = new Set(ids);
    this.#longest = Math.max(0, ...[...this.#ids].map(({ length }) => length));
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Returns the id that a string names; see the note above. */
  in(text: string): string | undefined {
    if (text === '') return undefined;
    // Cut before lower-casing, which may change the length of a text: one more for the hyphen.
    const lower = text.slice(0, 2 * this.#longest + 1).toLowerCase();
    if (text.length <= 2 * this.#longest && this.#ids.has(lower)) return lower;
    for (let at = lower.indexOf('-'); at >= 0 && at <= this.#longest; at = lower.indexOf('-', at + 1)) {
      const id = lower.slice(0, at);
      if (this.#ids.has(id)) return id;
    }
    return undefined;
  }
}

/** Returns the first account that a value or its field name refers to. */
function namedIn(value: unknown, ids: Ids, name = ''): string | undefined {
  const owner = ownerOf(value);
  if (owner !== '') return ids.has(owner) ? owner : undefined;
  const byName = ids.in(name);
  if (byName !== undefined) return byName;
  if (typeof value === 'string') return ids.in(value);
  if (Array.isArray(value)) {
    for (const item of value) {
      const named = namedIn(item, ids);
      if (named !== undefined) return named;
    }
  } else if (isRecord(value)) {
    // Without a list of pairs: the roots of a large cache have a hundred thousand fields.
    for (const field of Object.keys(value)) {
      if (field === 'secret' && isAccessor(value, field)) continue; // [Note: secrets stay sealed]
      const named = namedIn(value[field], ids, field);
      if (named !== undefined) return named;
    }
  }
  return undefined;
}

/**
 * Returns the value without the parts that name the accounts: their records, fields named after them, and strings that are their ids.
 *
 * @param spare returns true for values that name an account but stay
 * @returns undefined if nothing remains; the value itself if nothing is removed
 */
function without(value: unknown, ids: Ids, spare: (value: unknown) => boolean, name = ''): unknown {
  if (namedIn(value, ids, name) === undefined) return value;
  if (typeof value === 'string' || ids.in(name) !== undefined || ids.has(ownerOf(value)))
    return spare(value) ? value : undefined;
  if (Array.isArray(value)) {
    const items = value.map((item) => without(item, ids, spare));
    if (items.every((item, index) => item === value[index])) return value;
    return Object.freeze(items.filter((item) => item !== undefined));
  }
  if (!isRecord(value)) return value;
  const fields = Object.keys(value).map((field): [string, unknown] => [
    field,
    without(value[field], ids, spare, field),
  ]);
  if (fields.every(([field, inner]) => inner === value[field])) return value;
  return Object.freeze(Object.fromEntries(fields.filter(([, inner]) => inner !== undefined)));
}

/** The scope of a sign-out. */
interface Removal {
  /** Lower-cased. */
  readonly account: string;
  readonly ids: Ids;
  /** Whether a recognized entity belongs to the account. */
  readonly owns: (entry: Entry<Section>) => boolean;
  /** Whether unrecognized data that names the account stays. */
  readonly spares: (value: unknown) => boolean;
  readonly issuer: string;
}

function accountId(whom: unknown): string {
  const id = isRecord(whom) ? whom['home_account_id'] : whom;
  if (typeof id === 'string' && id !== '') return folded(id);
  throw new InvalidArgumentError('`home_account_id` is not the id of an account. Nothing was removed.', {
    field: 'home_account_id',
  });
}

/** @throws AmbiguousAccountError if several users have the id and the reference does not say which one is meant */
function removalOf(store: Store, whom: string | AccountReference, filter: SignOutFilter): Removal {
  const account = accountId(whom);
  const reference: Partial<AccountReference> = typeof whom === 'string' ? {} : whom;
  for (const field of ['environment', 'issuer'] as const) {
    const value: unknown = reference[field];
    if (value !== undefined && typeof value !== 'string')
      throw new InvalidArgumentError(`\`${field}\` of the account is not text. Nothing was removed.`, {
        field,
      });
  }
  const all = identitiesOf(store, account);
  const wanted = filter.environment ?? reference.environment;
  const meant = meantBy(all, { ...reference, ...(wanted === undefined ? {} : { environment: wanted }) });
  if (meant.length > 1) throw ambiguous(meant);
  const [identity] = meant;
  const isAlone = all.length === meant.length;
  const environment = filter.environment ?? (isAlone ? undefined : (identity?.environment ?? wanted));
  const isElsewhere = (value: unknown): boolean => {
    if (environment === undefined) return false;
    const own = isRecord(value) ? value['environment'] : undefined;
    return typeof own !== 'string' || !sameEnvironment(own, environment);
  };
  return {
    account,
    ids: new Ids([account]),
    owns: (entry) =>
      entry.account === account &&
      (filter.environment === undefined || !isElsewhere(entry.value)) &&
      (isAlone || (identity !== undefined && isOf(store, entry, identity, all))),
    spares: (value) => isElsewhere(value) || (!isAlone && isOfAnotherIssuer(value, identity)),
    issuer: identity?.issuer ?? '',
  };
}

function isOfAnotherIssuer(value: unknown, identity: Identity | undefined): boolean {
  const issuer = isRecord(value) ? value['issuer'] : undefined;
  return typeof issuer === 'string' && !sameIssuer(issuer, identity?.issuer ?? '');
}

/** Whether an entry belongs to the user. If its user is unknown, it is treated as belonging to the one who signs out. */
function isOf(
  store: Store,
  { entity }: Entry<Section>,
  identity: Identity<Entity>,
  all: readonly Identity[],
): boolean {
  const issuer = issuerFor(store, entity ?? {});
  if (issuer !== '' && identity.issuer !== '') return sameIssuer(issuer, identity.issuer);
  if (issuer !== '' && all.some((other) => sameIssuer(other.issuer, issuer))) return false;
  const environment = String(entity?.['environment']);
  return identity.items.some((item) => sameEnvironment(String(item['environment']), environment));
}

function ambiguous(users: readonly Identity<Entity>[]): AmbiguousAccountError {
  const names = users.map(({ issuer, environment }) => issuer || environment);
  return new AmbiguousAccountError(
    `This id is that of ${users.length} accounts: of ${names.join(' and of ')}. Nothing was removed. Pass the account itself, as \`accounts()\` returns it.`,
    users.map(({ issuer, environment, items: [item] }) => ({
      home_account_id: String(item?.['home_account_id']),
      environment,
      ...(issuer === '' ? {} : { issuer }),
    })),
  );
}

/** Returns the entries that a sign-out removes and its preview counts. Scans the account and all malformed entries. */
function belongings(store: Store, { account, ids, owns, spares }: Removal): Entry<Section>[] {
  const own = store.ofAccount(account).filter((entry) => entry.isUnderstood && owns(entry));
  const loose = [...store.malformedInMemory].filter(
    (entry) => namedIn(entry.value, ids, entry.key) !== undefined && !spares(entry.value),
  );
  return [...own, ...loose];
}

/**
 * Counts the account's remaining entries with a full scan that does not rely on the index. Deferred accounts are skipped: each
 * is another account, and all of its entries name it.
 */
function remaining(store: Store, { ids, owns, spares }: Removal): number {
  let left = 0;
  for (const type of [...ENTITY_TYPES, GRANT] as const) {
    for (const entry of store.entriesInMemory<Section>(type)) {
      const isTheirs = entry.isUnderstood
        ? owns(entry)
        : namedIn(entry.value, ids, entry.key) !== undefined && !spares(entry.value);
      if (isTheirs) left += 1;
    }
  }
  for (const { section, value } of foreignRoots(store))
    if (value !== without(value, ids, spares, section)) left += 1;
  return left;
}

function removeFromRoots(store: Store, ids: Ids, spares: (value: unknown) => boolean): void {
  for (const root of foreignRoots(store)) {
    const rest = without(root.value, ids, spares, root.section);
    if (rest === root.value) continue;
    if (rest === undefined) store.drop(root);
    else store.put(Entry.of(root.section, null, rest));
  }
}

/** Implements TokenCache.signOut. Must run in a transaction. */
export function signOut(
  store: Store,
  whom: string | AccountReference,
  filter: SignOutFilter = {},
  at: number,
): SignOutReceipt {
  checkOptions('signOut', filter, { environment: HOST }, 'Nothing was removed.');
  const removal = removalOf(store, whom, filter);
  const entries = belongings(store, removal);
  for (const entry of entries) store.drop(entry);
  removeFromRoots(store, removal.ids, removal.spares);
  return {
    home_account_id: typeof whom === 'string' ? whom : whom.home_account_id,
    ...(removal.issuer === '' ? {} : { issuer: removal.issuer }),
    at,
    removed: countOf(entries),
    remaining: remaining(store, removal),
  };
}

/**
 * Signs out every user of an id, for callers that know only the id and want none of its users to stay signed in.
 * Must run in a transaction.
 */
export function signOutId(store: Store, id: string, filter: SignOutFilter, at: number): SignOutReceipt[] {
  try {
    return [signOut(store, id, filter, at)];
  } catch (error) {
    if (!(error instanceof AmbiguousAccountError)) throw error;
    return error.accounts.map((account) => signOut(store, account, filter, at));
  }
}

/** Counts the entries that `signOut` would remove. */
export function countBelongings(
  store: Store,
  whom: string | AccountReference,
  filter: SignOutFilter = {},
): RemovalCount {
  checkOptions('removalCount', filter, { environment: HOST });
  return countOf(belongings(store, removalOf(store, whom, filter)));
}

/**
 * Implements TokenCache.signOutAll: signs out all users and apps. Must run in a transaction. Scans the cache twice, whatever the number
 * of accounts.
 */
export function signOutAll(store: Store, at: number): SignOutReceipt[] {
  const ids = new Ids(store.accounts);
  const removed = allBelongings(store, ids);
  const names = new Map<string, { home_account_id: string; issuer: string }>();
  for (const account of store.accounts) {
    const users = identitiesOf(store, account);
    const [only] = users.length === 1 ? users : [];
    names.set(account, { home_account_id: spelled(store, account), issuer: only?.issuer ?? '' });
  }
  for (const entries of removed.values()) for (const entry of entries) store.drop(entry);
  removeFromRoots(store, ids, () => false);
  const left = new Map<string, number>();
  for (const { section, key, value, account, isUnderstood } of store.all()) {
    if (isAppData(section)) continue;
    const named = isUnderstood ? account : namedIn(value, ids, key ?? section);
    if (named !== undefined && named !== '') left.set(named, (left.get(named) ?? 0) + 1);
  }
  const receipts = [...removed].map(([account, entries]): SignOutReceipt => {
    const { home_account_id = account, issuer = '' } = names.get(account) ?? {};
    const about = { home_account_id, ...(issuer === '' ? {} : { issuer }), at };
    return { ...about, removed: countOf(entries), remaining: left.get(account) ?? 0 };
  });
  const apps = removeAppTokens(store, {}, at);
  return apps.removed.AccessToken > 0 ? [...receipts, apps] : receipts;
}

/** Returns the entries of each account. */
function allBelongings(store: Store, ids: Ids): Map<string, Entry<Section>[]> {
  const own = store.accounts.map((account): [string, Entry<Section>[]] => [
    account,
    store.ofAccount(account).filter((entry) => entry.isUnderstood),
  ]);
  const all = new Map(own);
  for (const entry of store.malformed) {
    const account = namedIn(entry.value, ids, entry.key);
    if (account !== undefined) all.get(account)?.push(entry);
  }
  return all;
}

/** Counts the entries that `signOutAll` would remove. */
export function countAll(store: Store): RemovalCount {
  const users = [...allBelongings(store, new Ids(store.accounts)).values()].flat();
  return countOf([...users, ...appTokens(store, {})]);
}

/** Returns an account's id with the case used in its entities. */
function spelled(store: Store, account: string): string {
  for (const { entity } of store.ofAccount(account)) {
    const id = entity?.['home_account_id'];
    if (typeof id === 'string' && id !== '') return id;
  }
  return account;
}

const APP_TOKEN_FILTER: OptionNames<AppTokenFilter> = { client_id: TEXT, realm: TEXT, environment: HOST };

function appTokens(store: Store, filter: AppTokenFilter): Entry<Section>[] {
  checkOptions('removeAppTokens', filter, APP_TOKEN_FILTER, 'Nothing was removed.');
  const query = { home_account_id: null, ...filter };
  return store
    .candidates('AccessToken', query)
    .filter(({ entity }) => entity !== null && fieldsMatch(entity, query));
}

/** Implements TokenCache.removeAppTokens. Must run in a transaction. */
export function removeAppTokens(store: Store, filter: AppTokenFilter = {}, at: number): SignOutReceipt {
  const entries = appTokens(store, filter);
  for (const entry of entries) store.drop(entry);
  const left = [...store.entriesInMemory('AccessToken')].filter(
    ({ entity }) => entity !== null && fieldsMatch(entity, { home_account_id: null, ...filter }),
  );
  return { home_account_id: '', at, removed: countOf(entries), remaining: left.length };
}

/** Counts the entries that `removeAppTokens` would remove. */
export function countAppTokens(store: Store, filter: AppTokenFilter = {}): RemovalCount {
  return countOf(appTokens(store, filter));
}
