/**
 * The index of all partitions of a user, for "sign out everywhere" and for back-channel logout. Reads and updates of a partition use
 * it within their own deadline.
 *
 * For each account of a partition there are up to three index entries, named after its subject, its provider's session and
 * its home account id. Each lists the keys of partitions. They are sealed like partitions and live in the same
 * store. An index entry is written before its partition, so that every partition can be found.
 */
import { createHash, hash } from 'node:crypto';
import { folded } from '../cache/json.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { readToken, stringClaim, subjectOf } from '../cache/schema/claims.ts';
import { sameIssuer } from '../cache/schema/authorities.ts';
import { InvalidArgumentError, PartitionError, PartitionStoreError } from '../errors.ts';
import { KeyedQueue } from '../waiting.ts';
import { Deadline, ListingCall } from './deadline.ts';
import { type EntryMetadata, readEntry, writeEntry } from './entry.ts';
import { isUser, type NamedUser, namedUser, usersIn } from './partition-contents.ts';
import { type PartitionName, partitionName } from './partition-name.ts';
import type { Settings } from './settings.ts';
import { newVersion } from './random.ts';
import { wereKeptSince } from './tombstones.ts';

/**
 * The user to sign out everywhere. A string is an OpenID Connect `sub` or a `home_account_id`, of any issuer. The object
 * form has the claims of a logout token: `sub`, `sid` or both, and the issuer.
 */
export type PartitionUserReference =
  | string
  | { readonly issuer?: string; readonly sub: string; readonly sid?: string }
  | { readonly issuer?: string; readonly sub?: string; readonly sid: string }
  | { readonly home_account_id: string };

/** One partition, as an index entry lists it. */
export interface IndexRecord {
  /** The partition's key in the store. */
  readonly key: string;
  /** The account in it, as `namedUser` spells it. */
  readonly account: string;
  /** The issuer, if it is part of the user's identity. */
  readonly of?: string;
  /** From the ID token; absent if there was none. */
  readonly issuer?: string;
  readonly sub?: string;
  readonly sid?: string;
  /** Seconds since the epoch, by which the partition may have expired; null: never. */
  readonly expires: number | null;
  /** `EntryMetadata.born` of the partition, which tells it from an earlier one under the same key. */
  readonly born?: number;
  /** `EntryMetadata.epoch` when it was listed, which tells a sign-in from one that was signed out of the same partition before. */
  readonly epoch?: number;
}

/** Index entries live 25% longer than their partitions, so that not every update of a partition updates its index. */
export const HEADROOM = 1.25;

/** Milliseconds for which an update waits for an entry of the index that lists the partition already. */
const LOOKING = 1000;

/** How many partitions of a user are listed. One more drops the one that expires first, which is listed again when it is next used. */
const MOST_RECORDS = 1000;

/** How many sessions of its users a partition is listed for, beside those that its ID tokens name. */
const MOST_SIDS = 8;

/** How many expired records one write checks. The others wait for later writes, so that no sign-in exceeds its deadline. */
const MOST_CHECKS = 50;

/** Milliseconds between attempts: increasing and random, so that two writers don't stay in step. */
const PAUSES = { first: 2, longest: 100 };

interface User extends NamedUser {
  readonly issuer?: string;
  readonly sub?: string;
  readonly sid?: string;
}

/** What the index is to say of a user. */
interface Wanted {
  readonly name: PartitionName;
  readonly user: User;
  readonly mark: string;
}

/** Where a partition is listed: the key of the index entry, and a hash of what it says there. */
type Listing = readonly [key: string, mark: string];

interface OpenedEntry {
  readonly records: readonly IndexRecord[];
  readonly version: string | null;
  /** `EntryMetadata.dropped`, as long as it is not over. */
  readonly dropped?: number | null;
  /** Why the entry can't be opened. */
  readonly fault?: PartitionError;
}

type Change = (records: readonly IndexRecord[]) => readonly IndexRecord[] | Promise<readonly IndexRecord[]>;

export class UserIndex {
  readonly #settings: Settings;
  readonly #queue = new KeyedQueue();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /**
   * Lists a partition that is about to be written in the index entries of its users.
   *
   * @param metadata its `index` says where the partition is listed already
   * @returns what is listed now, and the sessions that it is listed for
   */
  async note(
    { key }: PartitionName,
    cache: TokenCache,
    metadata: EntryMetadata,
    ttl: number | null,
    deadline: Deadline,
  ): Promise<Pick<EntryMetadata, 'index' | 'sids'>> {
    const { index: known } = metadata;
    const now = this.#settings.now();
    const { users, sids } = usersOf(cache, metadata);
    const wanted = this.#wantedOf(users);
    const [until] = known ?? [];
    const listings = new Map(listingsIn(known).map(([entry, mark]) => [mark, entry] as const));
    const isLongEnough = until === null || (typeof until === 'number' && ttl !== null && until >= now + ttl);
    const expires = ttl === null ? null : Math.ceil(now + ttl * HEADROOM);
    const looking = Math.min(LOOKING, this.#settings.timeout);
    const listed = wanted.map(async ({ name, user, mark }): Promise<Listing> => {
      const record = recordOf(key, user, expires, metadata);
      const listing = isLongEnough ? listings.get(mark) : undefined;
      const list = (of: Deadline): Promise<string> => this.#list(name, record, listing !== undefined, of);
      if (listing === undefined) return [await list(deadline), mark];
      // Although it is listed already, the store may have lost the index entry. If it can't tell, the partition is written all the same:
      // tokens that a provider has rotated must not be lost for the index.
      return [await Deadline.run(looking, list).catch(() => listing), mark];
    });
    const names = new Set(wanted.flatMap(({ name }) => bothOf(name)).map((name) => name.key));
    const kept = entriesIn(known)
      .filter((name) => !names.has(name.key))
      .map((name) => {
        const isCurrent = (mark: string): boolean => isLongEnough && listings.has(mark);
        const keep = (of: Deadline): Promise<Listing[]> =>
          this.#keep(name, { key, users, expires, isCurrent }, of);
        if (!isLongEnough) return keep(deadline);
        const before = listingsIn(known).filter(([entry]) => entry === name.key);
        return Deadline.run(looking, keep).catch(() => before);
      });
    const [own, others] = await Promise.all([Promise.all(listed), Promise.all(kept)]);
    return { index: [isLongEnough ? until : expires, ...own, ...others.flat()], sids };
  }

  /** Returns what the index is to say of users: once for each index entry and account. */
  #wantedOf(users: readonly User[]): Wanted[] {
    const wanted = new Map<string, Wanted>();
    for (const user of users)
      for (const name of namesOf(user)) {
        const at = JSON.stringify([name.key, user.account, user.of]);
        const other = wanted.get(at);
        const listed = withoutOtherSid(user, other?.user);
        wanted.set(at, { name, user: listed, mark: this.#markOf(name, listed) });
      }
    return [...wanted.values()];
  }

  /**
   * Keeps a partition in an index entry whose name its ID tokens no longer contain, because there is none any more.
   *
   * @param listing `isCurrent` says of a mark whether its record can stay as it is
   * @returns the listings that are kept: none of users who left the partition or signed in anew
   */
  async #keep(
    name: PartitionName,
    listing: {
      readonly key: string;
      readonly users: readonly User[];
      readonly expires: number | null;
      readonly isCurrent: (mark: string) => boolean;
    },
    deadline: Deadline,
  ): Promise<Listing[]> {
    const { key, users, expires, isCurrent } = listing;
    let kept: Listing[] = [];
    const isNamedBy = (record: IndexRecord, user: User): boolean =>
      user.account === record.account &&
      user.of === record.of &&
      namesOf({ ...record, ...user })
        .flatMap(bothOf)
        .some((each) => each.key === name.key);
    const keep: Change = (records) => {
      kept = [];
      return records.map((record) => {
        if (record.key !== key || !users.some((user) => isNamedBy(record, user))) return record;
        const mark = this.#markOf(name, record);
        kept.push([name.key, mark]);
        return isCurrent(mark) ? record : { ...record, expires };
      });
    };
    await this.#change(name, keep, deadline);
    return kept;
  }

  /** Removes a deleted partition from the index. A partition that was created under the same key since then stays. */
  async dropped({ key }: PartitionName, { index, born }: EntryMetadata, deadline: Deadline): Promise<void> {
    const stays = (record: IndexRecord): boolean =>
      record.key !== key || record.born === undefined || record.born !== born;
    for (const name of entriesIn(index))
      await this.#change(name, (records) => records.filter(stays), deadline);
  }

  /**
   * Extends the lifetime of a partition in the index entries that list it, after the partition was touched, and lists it again in those
   * that the store has lost.
   */
  async touch(
    { key }: PartitionName,
    cache: TokenCache,
    metadata: EntryMetadata,
    ttl: number,
    deadline: Deadline,
  ): Promise<void> {
    const now = this.#settings.now();
    const expires = Math.ceil(now + ttl * HEADROOM);
    const extended = (record: IndexRecord): IndexRecord => {
      const isLongEnough = record.expires === null || record.expires >= now + ttl;
      return record.key !== key || isLongEnough ? record : { ...record, expires };
    };
    const wanted = this.#wantedOf(usersOf(cache, metadata).users);
    const touched = entriesIn(metadata.index).map((entry) => {
      const records = wanted
        .filter(({ name }) => bothOf(name).some((each) => each.key === entry.key))
        .map(({ user }) => recordOf(key, user, expires, metadata));
      const extend: Change = (found) => {
        const known = new Set(found.map(nameOfRecord));
        return [...found.map(extended), ...records.filter((record) => !known.has(nameOfRecord(record)))];
      };
      return this.#change(entry, extend, deadline);
    });
    await Promise.all(touched);
  }

  /**
   * Returns the partitions of a user, and why there may be more: an index entry can't be opened, or has dropped some.
   *
   * @throws InvalidArgumentError
   */
  async find(user: PartitionUserReference): Promise<{ records: IndexRecord[]; fault?: PartitionError }> {
    const found = new Map<string, IndexRecord>();
    const names = namesFor(user).flatMap(bothOf);
    const [unopened, incomplete]: [PartitionError[], PartitionError[]] = [[], []];
    await Deadline.run(this.#settings.timeout, async (deadline) => {
      for (const name of names) {
        const { records, fault, dropped } = await this.#read(name, deadline);
        if (fault !== undefined) unopened.push(fault);
        if (dropped !== undefined) incomplete.push(tooMany(name, dropped));
        for (const record of records) if (isMeant(record, user)) found.set(identityOf(record), record);
      }
    });
    const records = [...found.values()];
    const [why] = [...unopened, ...incomplete];
    return why === undefined ? { records } : { records, fault: why };
  }

  /** Removes partitions from the index entries of a user. Each entry has a deadline, because there may be any number of them. */
  async forget(user: PartitionUserReference, gone: readonly IndexRecord[]): Promise<void> {
    const identities = new Set(gone.map(identityOf));
    const names = new Map(
      [...namesFor(user), ...gone.flatMap(namesOf)].flatMap(bothOf).map((name) => [name.key, name] as const),
    );
    for (const name of names.values())
      await Deadline.run(this.#settings.timeout, (deadline) =>
        this.#change(
          name,
          (records) => records.filter((record) => !identities.has(identityOf(record))),
          deadline,
        ),
      );
  }

  /**
   * @param isListed whether a record that is there already can stay as it is
   * @returns the key of the index entry that lists the partition
   */
  async #list(
    name: PartitionName,
    record: IndexRecord,
    isListed: boolean,
    deadline: Deadline,
  ): Promise<string> {
    const list: Change = async (records) => {
      const isOther = (other: IndexRecord): boolean => nameOfRecord(other) !== nameOfRecord(record);
      if (isListed && !records.every(isOther)) return records;
      return [...(await this.#withoutExpired(records.filter(isOther), record.expires, deadline)), record];
    };
    const fault = await this.#change(name, list, deadline);
    if (fault === undefined) return name.key;
    // An entry that can't be opened must not keep its user from signing in, and is not overwritten either: another server may have its
    // key. So each entry has a spare one.
    const spare = spareOf(name);
    await this.#change(spare, list, deadline, true);
    return spare.key;
  }

  /**
   * Drops expired records, but only if the partition is gone: a sliding one may outlive the time in the index, and is then listed until
   * `expires`.
   */
  async #withoutExpired(
    records: readonly IndexRecord[],
    expires: number | null,
    deadline: Deadline,
  ): Promise<IndexRecord[]> {
    const { store, now } = this.#settings;
    const over = records.filter((record) => record.expires !== null && record.expires <= now());
    const checked = await Promise.all(
      over.slice(0, MOST_CHECKS).map(async (record) => {
        const stored = await deadline.readFresh(store, record.key);
        if (stored === null) return [record, undefined] as const;
        return [record, expires === null ? record : { ...record, expires }] as const;
      }),
    );
    const outcomes = new Map(checked);
    return records.flatMap((record) => (outcomes.has(record) ? (outcomes.get(record) ?? []) : record));
  }

  /** @returns why the entry can't be opened, and was left unchanged */
  #change(
    name: PartitionName,
    fn: Change,
    deadline: Deadline,
    isReplaceable = false,
  ): Promise<PartitionError | undefined> {
    let begin = (): void => undefined;
    // What others change before may take until their own deadlines.
    const begun = deadline.with(() => new Promise<void>((resolve) => (begin = resolve)));
    const changed = this.#queue.run(name.key, () => {
      begin();
      return this.#changed(name, fn, deadline, isReplaceable);
    });
    return Promise.race([begun.then(() => changed), changed]);
  }

  async #changed(
    name: PartitionName,
    fn: Change,
    deadline: Deadline,
    isReplaceable: boolean,
  ): Promise<PartitionError | undefined> {
    let losses = 0;
    try {
      for (let pause = PAUSES.first; ; pause = Math.min(pause * 2, PAUSES.longest)) {
        const opened = await this.#read(name, deadline);
        const { records, version, fault } = opened;
        if (fault !== undefined && !isReplaceable) return fault;
        const next = await fn(records);
        const isSame =
          next.length === records.length && next.every((record, index) => record === records[index]);
        if (isSame || (await this.#write(name, withinLimit(next, opened), version, deadline)))
          return undefined;
        losses += 1;
        await deadline.pause(pause * (0.5 + Math.random()));
      }
    } catch (error) {
      if (losses === 0 || !(error instanceof PartitionStoreError) || error.code !== 'store_timeout')
        throw error;
      throw new PartitionError(
        'partition_busy',
        name.key,
        `Other sign-ins of this user wrote its index again and again (${losses} times). The partition was not written. Try again.`,
        { cause: error },
      );
    }
  }

  #write(
    name: PartitionName,
    { records, dropped }: Limited,
    expected: string | null,
    deadline: Deadline,
  ): Promise<boolean> {
    const { store, sealing, now } = this.#settings;
    return deadline.with((call) => {
      const expiries = [
        ...records.map(({ expires }) => expires),
        ...(dropped === undefined ? [] : [dropped]),
      ];
      if (expiries.length === 0) return store.remove(name.key, expected ?? undefined, call);
      const last = latest(expiries);
      const ttl = last === null ? null : Math.max(60, last - now());
      const metadata = { index: records, ...(dropped === undefined ? {} : { dropped }) };
      const bytes = writeEntry({ document: '{}', metadata }, name, sealing);
      const listing = new ListingCall(
        call,
        records.map(({ key }) => key),
      );
      return store.write(name.key, { bytes, version: newVersion() }, { expected, ttl }, listing);
    });
  }

  async #read(name: PartitionName, deadline: Deadline): Promise<OpenedEntry> {
    const { store, sealing, now } = this.#settings;
    const stored = await deadline.readFresh(store, name.key);
    if (stored === null) return { records: [], version: null };
    const { version } = stored;
    try {
      const { index = [], dropped } = readEntry(stored.bytes, name, sealing).metadata;
      const isOver = dropped === undefined || (dropped !== null && dropped <= now());
      return { records: index as IndexRecord[], version, ...(isOver ? {} : { dropped }) };
    } catch (error) {
      if (error instanceof PartitionError) return { records: [], version, fault: error };
      throw error;
    }
  }

  /**
   * Hashes what a listing says. It changes with the sealing key, so that a partition is listed again where its new key opens the list: who
   * loses the old key can still sign its user out everywhere.
   */
  #markOf({ key }: PartitionName, { account, of, issuer, sub, sid }: User): string {
    const { keys } = this.#settings.sealing;
    const said = JSON.stringify([key, account, of, issuer, sub, sid, keys?.sealsWith]);
    return hash('sha256', said, 'base64url').slice(0, 16);
  }
}

function listingsIn(index: EntryMetadata['index'] = []): Listing[] {
  return index.filter((listing): listing is Listing => Array.isArray(listing));
}

/** Returns the names of the index entries that list a partition. */
function entriesIn(index: EntryMetadata['index']): PartitionName[] {
  const keys = new Set(listingsIn(index).map(([key]) => key));
  return [...keys].map((key) => ({ kind: 'index', id: undefined, key }));
}

function spareOf({ key }: PartitionName): PartitionName {
  return partitionName('index', `spare of ${key}`);
}

function bothOf(name: PartitionName): PartitionName[] {
  return [name, spareOf(name)];
}

/** A user with several ID tokens, of different sessions at the provider, is listed for all sessions. */
function withoutOtherSid(user: User, other: User | undefined): User {
  if (other === undefined || other.sid === user.sid) return user;
  const { sid: _sid, ...rest } = user;
  return rest;
}

/** What an index entry is to contain. */
interface Limited {
  readonly records: readonly IndexRecord[];
  readonly dropped: number | null | undefined;
}

/** Drops those of the known records that expire first, if there are too many. */
function withinLimit(
  next: readonly IndexRecord[],
  { records, dropped }: Pick<OpenedEntry, 'records' | 'dropped'>,
): Limited {
  const more = next.length - MOST_RECORDS;
  if (more <= 0) return { records: next, dropped };
  const known = new Set(records);
  const timeOf = (one: IndexRecord): number =>
    known.has(one) ? (one.expires ?? Number.MAX_SAFE_INTEGER) : Infinity;
  const sorted = next.toSorted((a, b) => timeOf(a) - timeOf(b));
  const gone = sorted.slice(0, more).map(({ expires }) => expires);
  return {
    records: sorted.slice(more),
    dropped: latest(dropped === undefined ? gone : [...gone, dropped]),
  };
}

/** Returns the latest of some times; null: never. */
function latest(times: readonly (number | null)[]): number | null {
  return times.includes(null) ? null : Math.max(...times.map(Number));
}

/** @param until when the last partition that is not listed expires; null: never */
function tooMany({ key }: PartitionName, until: number | null): PartitionError {
  const what =
    until === null
      ? 'Partitions without a TTL may stay for good, so this is said from now on, whether there are others or not.'
      : 'Sign the user out again later.';
  return new PartitionError(
    'partition_too_large',
    key,
    `This user has had more than ${MOST_RECORDS.toLocaleString('en')} partitions. The user was signed out of those that the index lists, which expire last. Others may still be signed in: each is listed again when it is next used. ${what}`,
  );
}

/**
 * Returns the users in a cache, once per ID token, or session at the provider; users without an ID token by account only.
 *
 * The ID token of a refresh need not name the session of the sign-in (OpenID Connect Core §12.2), so the sessions are kept beside the
 * index.
 */
function usersOf(cache: TokenCache, metadata: EntryMetadata): { users: User[]; sids: EntryMetadata['sids'] } {
  const named: User[] = [];
  for (const idToken of cache.find('IdToken')) {
    const token = readToken(idToken.secret);
    const claims = token?.format === 'jwt' ? token.payload : undefined;
    const sub = subjectOf(claims);
    const [issuer, sid] = ['iss', 'sid'].map((name) => stringClaim(claims, name));
    named.push({
      ...namedUser(cache, idToken),
      ...(issuer === undefined ? {} : { issuer }),
      ...(sub === undefined ? {} : { sub }),
      ...(sid === undefined ? {} : { sid }),
    });
  }
  const silent = named.flatMap((user): User[] => {
    if (user.sid !== undefined) return [];
    const sids = sidsBefore(user, metadata);
    return sids.length === 0 ? [user] : sids.map((sid) => ({ ...user, sid }));
  });
  const users = [...silent, ...named.filter(({ sid }) => sid !== undefined)];
  const sids = new Map(
    users.flatMap((user) => {
      const [mark, { sid }] = [markOfUser(user), user];
      return sid === undefined ? [] : [[`${mark} ${sid}`, [mark, sid, metadata.epoch ?? 0] as const]];
    }),
  );
  const known = new Set(users.map(({ account }) => folded(account)));
  for (const user of usersIn(cache)) if (!known.has(folded(user.account))) users.push(user);
  return { users, sids: sids.size === 0 ? undefined : [...sids.values()].slice(-MOST_SIDS) };
}

/** Returns the sessions that were named for a user before, unless the user was signed out since. */
function sidsBefore(user: User, metadata: EntryMetadata): string[] {
  const { account, of } = user;
  const names = [folded(account), ...(of === undefined ? [] : [`${folded(account)} ${of}`])];
  const own = markOfUser(user);
  return (metadata.sids ?? []).flatMap(([mark, sid, epoch]) =>
    mark === own && wereKeptSince(metadata, epoch, names) ? [sid] : [],
  );
}

/** Hashes who a user is to the provider. Two subjects may share an account. */
function markOfUser({ account, of, issuer, sub }: User): string {
  return hash('sha256', JSON.stringify([account, of, issuer, sub]), 'base64url').slice(0, 16);
}

/** Unlike `nameOfRecord`, it differs after a sign-out and a new sign-in. */
export function identityOf(record: IndexRecord): string {
  return JSON.stringify([nameOfRecord(record), record.born, record.epoch]);
}

function recordOf(
  key: string,
  user: User,
  expires: number | null,
  { born, epoch }: EntryMetadata,
): IndexRecord {
  return {
    key,
    ...user,
    expires,
    ...(born === undefined ? {} : { born }),
    ...(epoch === undefined ? {} : { epoch }),
  };
}

function nameOfRecord({ key, account, of = '' }: IndexRecord): string {
  return JSON.stringify([key, account, of]);
}

function namesOf({ account, sub, sid }: User): PartitionName[] {
  return [
    nameOf('account', folded(account)),
    ...(sub === undefined ? [] : [nameOf('sub', sub)]),
    ...(sid === undefined ? [] : [nameOf('sid', sid)]),
  ];
}

/** @throws InvalidArgumentError */
function namesFor(user: PartitionUserReference): PartitionName[] {
  if (typeof user === 'string' && user !== '') return [nameOf('sub', user), nameOf('account', folded(user))];
  const { home_account_id, sub, sid } = Object(user) as Readonly<Record<string, unknown>>;
  if (typeof home_account_id === 'string') return [nameOf('account', folded(home_account_id))];
  if (typeof sub === 'string') return [nameOf('sub', sub)];
  if (typeof sid === 'string') return [nameOf('sid', sid)];
  throw new InvalidArgumentError(
    'Name the user by its sub, by { issuer, sub }, { issuer, sid } or { home_account_id }. Nobody was signed out.',
  );
}

/**
 * Whether all given fields of the reference match: a `sid` with a `sub` restricts it to that session, if the provider named the session
 * of the partition. Refreshed ID tokens may leave it out.
 */
function isMeant(record: IndexRecord, user: PartitionUserReference): boolean {
  if (typeof user === 'string') return record.sub === user || isUser(record, user);
  if ('home_account_id' in user) return isUser(record, user.home_account_id);
  const { issuer, sub, sid } = user;
  const isSame = (wanted: string | undefined, found: string | undefined): boolean =>
    wanted === undefined || wanted === found;
  const isIssuer = issuer === undefined || sameIssuer(issuer, record.issuer ?? '');
  const isSession = isSame(sid, record.sid) || (sub !== undefined && record.sid === undefined);
  return isIssuer && isSame(sub, record.sub) && isSession;
}

function nameOf(what: 'account' | 'sub' | 'sid', value: string): PartitionName {
  return partitionName(
    'index',
    createHash('sha256')
      .update(JSON.stringify([what, value]))
      .digest('base64url'),
  );
}

/** Returns the error of `signOutUser` for caches without an index. */
export function noIndex(): InvalidArgumentError {
  return new InvalidArgumentError(
    'These caches keep no index of their users: pass userIndex: true to partitionedCaches, and users who sign in from then on can be found. Nobody was signed out.',
  );
}
