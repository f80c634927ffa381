/**
 * The index of all partitions of a user, for "sign out everywhere" and for back-channel logout. Reads and updates of a partition use
 * it within their own deadline.
 *
 * For each account of a partition there are up to three index entries, named after its subject, its provider's session and
 * its home account id. Each lists the keys of partitions. They are sealed like partitions and live in the same
 * store. An index entry is written before its partition, so that every partition can be found.
 */
import { createHash } from 'node:crypto';
import type { TokenCache } from '../cache/token-cache.ts';
import { readToken, stringClaim, subjectOf } from '../cache/schema/claims.ts';
import type { IdToken } from '../cache/schema/entities.ts';
import { canonicalIssuer, issuerIn, sameIssuer } from '../cache/schema/authorities.ts';
import { InvalidArgumentError, PartitionError } from '../errors.ts';
import { Deadline } from './deadline.ts';
import { type EntryMetadata, readEntry, writeEntry } from './entry.ts';
import { usersIn } from './partition-contents.ts';
import { type PartitionName, partitionName } from './partition-name.ts';
import type { Settings } from './settings.ts';
import { newVersion } from './random.ts';

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
  /** The account in it. */
  readonly account: string;
  /** The issuer, if it distinguishes two users with the same account id. */
  readonly of?: string;
  /** From the ID token; absent if there was none. */
  readonly issuer?: string;
  readonly sub?: string;
  readonly sid?: string;
  /** Seconds since the epoch, by which the partition may have expired; null: never. */
  readonly expires: number | null;
  /** `EntryMetadata.born` of the partition, which tells it from an earlier one under the same key. */
  readonly born?: number;
}

/** Index entries live 25% longer than their partitions, so that not every update of a partition updates its index. */
const HEADROOM = 1.25;

const MOST_TRIES = 20;

interface User {
  readonly account: string;
  readonly of?: string;
  readonly issuer?: string;
  readonly sub?: string;
  readonly sid?: string;
}

export class UserIndex {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /**
   * Lists a partition that is about to be written in the index entries of its users.
   *
   * @param metadata its `index` names the entries that list the partition already
   * @returns what is listed now
   */
  async note(
    { key }: PartitionName,
    cache: TokenCache,
    { index: known, born }: EntryMetadata,
    ttl: number | null,
    deadline: Deadline,
  ): Promise<readonly unknown[]> {
    const now = this.#settings.now();
    const wanted = usersOf(cache);
    const names = new Map(
      wanted.flatMap((user) =>
        namesOf(user).map((name) => [`${name.key} ${user.of ?? ''}`, { name, user }] as const),
      ),
    );
    const keys = [...names.values()].map(({ name }) => name.key);
    // Known records name no users, so if two users share a name, both are listed again.
    const isShared = (name: string): boolean => keys.indexOf(name) !== keys.lastIndexOf(name);
    const [until, ...listed] = known ?? [];
    const isListed = (name: string): boolean => listed.includes(name);
    const isLongEnough = until === null || (typeof until === 'number' && ttl !== null && until >= now + ttl);
    const expires = ttl === null ? null : Math.ceil(now + ttl * HEADROOM);
    const missing = [...names.values()].filter(
      ({ name }) => !isLongEnough || !isListed(name.key) || isShared(name.key),
    );
    if (missing.length === 0) return known ?? [];
    const others = listed.filter((name): name is string => typeof name === 'string' && !keys.includes(name));
    const [kept] = await Promise.all([
      Promise.all(
        others.map((name) =>
          this.#keep(name, { key, users: wanted, expires: isLongEnough ? undefined : expires }, deadline),
        ),
      ),
      ...missing.map(({ name, user }) =>
        this.#list(name, { key, ...user, expires, ...(born === undefined ? {} : { born }) }, deadline),
      ),
    ]);
    return [isLongEnough ? until : expires, ...new Set(keys), ...kept.flat()];
  }

  /**
   * Keeps a partition in an index entry whose name its ID tokens no longer contain: the ID token of a refresh need not name the session of
   * the sign-in, or there may be none (OpenID Connect Core §12.2).
   *
   * @param expires undefined: it lives long enough
   * @returns the entry's name if it still lists the partition, else nothing
   */
  async #keep(
    name: string,
    {
      key,
      users,
      expires,
    }: { readonly key: string; readonly users: readonly User[]; readonly expires: number | null | undefined },
    deadline: Deadline,
  ): Promise<string[]> {
    let kept: string[] = [];
    await this.#change(
      { kind: 'index', id: undefined, key: name },
      (records) => {
        kept = [];
        return records.map((record) => {
          const user = users.find(({ account, of }) => account === record.account && of === record.of);
          const isNamed =
            user !== undefined && namesOf({ ...record, ...user }).some((each) => each.key === name);
          if (record.key !== key || !isNamed) return record;
          kept = [name];
          return expires === undefined ? record : { ...record, expires };
        });
      },
      deadline,
    );
    return kept;
  }

  /** Removes a deleted partition from the index. A partition that was created under the same key since then stays. */
  async dropped(
    { key }: PartitionName,
    { index: known = [], born }: EntryMetadata,
    deadline: Deadline,
  ): Promise<void> {
    const stays = (record: IndexRecord): boolean =>
      record.key !== key || record.born === undefined || record.born !== born;
    for (const name of known)
      if (typeof name === 'string')
        await this.#change(
          { kind: 'index', id: undefined, key: name },
          (records) => records.filter(stays),
          deadline,
        );
  }

  /** Extends the index entries' lifetime to that of a partition that was just touched. */
  async touch(known: readonly unknown[] | undefined, ttl: number, deadline: Deadline): Promise<void> {
    const { store } = this.#settings;
    for (const name of known ?? [])
      if (typeof name === 'string') await deadline.with((call) => store.touch(name, ttl * HEADROOM, call));
  }

  /** Returns the partitions of a user. @throws InvalidArgumentError */
  async find(user: PartitionUserReference): Promise<IndexRecord[]> {
    const found = new Map<string, IndexRecord>();
    const names = namesFor(user);
    await Deadline.run(this.#settings.timeout, async (deadline) => {
      for (const name of names)
        for (const record of (await this.#read(name, deadline)).records)
          if (isMeant(record, user)) found.set(nameOfRecord(record), record);
    });
    return [...found.values()];
  }

  /** Removes partitions from the index entries of a user. Each entry has a deadline, because there may be any number of them. */
  async forget(user: PartitionUserReference, gone: readonly IndexRecord[]): Promise<void> {
    const keys = new Set(gone.map(nameOfRecord));
    const names = new Map(
      [...namesFor(user), ...gone.flatMap(namesOf)].map((name) => [name.key, name] as const),
    );
    for (const name of names.values())
      await Deadline.run(this.#settings.timeout, (deadline) =>
        this.#change(
          name,
          (records) => records.filter((record) => !keys.has(nameOfRecord(record))),
          deadline,
        ),
      );
  }

  #list(name: PartitionName, record: IndexRecord, deadline: Deadline): Promise<void> {
    const listed = async (records: readonly IndexRecord[]): Promise<IndexRecord[]> => {
      const others = records.filter((other) => nameOfRecord(other) !== nameOfRecord(record));
      return [...(await this.#withoutExpired(others, deadline)), record];
    };
    return this.#change(name, listed, deadline);
  }

  /** Drops expired records, but only if the entry is gone: a sliding entry may outlive the time in the index. */
  async #withoutExpired(records: readonly IndexRecord[], deadline: Deadline): Promise<IndexRecord[]> {
    const { store, now } = this.#settings;
    const left: IndexRecord[] = [];
    for (const record of records) {
      const isOver = record.expires !== null && record.expires <= now();
      const isGone = isOver && (await deadline.with((call) => store.read(record.key, call))) === null;
      if (!isGone) left.push(record);
    }
    return left;
  }

  async #change(
    name: PartitionName,
    fn: (records: readonly IndexRecord[]) => IndexRecord[] | Promise<IndexRecord[]>,
    deadline: Deadline,
  ): Promise<void> {
    const { store, sealing, now } = this.#settings;
    for (let left = MOST_TRIES; left > 0; left -= 1) {
      const { records, version } = await this.#read(name, deadline);
      const next = await fn(records);
      if (next.length === records.length && next.every((record, index) => record === records[index])) return;
      const isDone = await deadline.with((call) => {
        if (next.length === 0) return store.remove(name.key, version ?? undefined, call);
        const expiries = next.map(({ expires }) => expires);
        const ttl = expiries.includes(null) ? null : Math.max(60, Math.max(...expiries.map(Number)) - now());
        const bytes = writeEntry({ document: '{}', metadata: { index: next } }, name, sealing);
        const entry = { bytes, version: newVersion() };
        return store.write(name.key, entry, { expected: version, ttl }, call);
      });
      if (isDone) return;
    }
    throw new PartitionError(
      'partition_busy',
      name.key,
      'Other sign-ins of this user wrote its index again and again. The partition was not written. Try again.',
    );
  }

  async #read(
    name: PartitionName,
    deadline: Deadline,
  ): Promise<{ records: readonly IndexRecord[]; version: string | null }> {
    const { store, sealing } = this.#settings;
    const stored = await deadline.with((call) => store.read(name.key, call));
    if (stored === null) return { records: [], version: null };
    const { index = [] } = readEntry(stored.bytes, name, sealing).metadata;
    return { records: index as IndexRecord[], version: stored.version };
  }
}

/** Returns the users in a cache, once per ID token; users without one by account only. */
function usersOf(cache: TokenCache): User[] {
  const users: User[] = [];
  for (const idToken of cache.find('IdToken')) {
    const { home_account_id, secret } = idToken;
    const of = canonicalIssuerIn(idToken);
    const token = readToken(secret);
    const claims = token?.format === 'jwt' ? token.payload : undefined;
    const sub = subjectOf(claims);
    const [issuer, sid] = ['iss', 'sid'].map((name) => stringClaim(claims, name));
    users.push({
      account: home_account_id.toLowerCase(),
      ...(of === '' ? {} : { of }),
      ...(issuer === undefined ? {} : { issuer }),
      ...(sub === undefined ? {} : { sub }),
      ...(sid === undefined ? {} : { sid }),
    });
  }
  const known = new Set(users.map(({ account }) => account));
  for (const account of usersIn(cache)) if (!known.has(account)) users.push({ account });
  return users;
}

function canonicalIssuerIn(entity: IdToken): string {
  const issuer = issuerIn(entity);
  return issuer === '' ? '' : canonicalIssuer(issuer);
}

function nameOfRecord({ key, account, of = '' }: IndexRecord): string {
  return JSON.stringify([key, account, of]);
}

function namesOf({ account, sub, sid }: User): PartitionName[] {
  return [
    nameOf('account', account),
    ...(sub === undefined ? [] : [nameOf('sub', sub)]),
    ...(sid === undefined ? [] : [nameOf('sid', sid)]),
  ];
}

/** @throws InvalidArgumentError */
function namesFor(user: PartitionUserReference): PartitionName[] {
  if (typeof user === 'string' && user !== '')
    return [nameOf('sub', user), nameOf('account', user.toLowerCase())];
  if (typeof user === 'object' && 'home_account_id' in user && typeof user.home_account_id === 'string')
    return [nameOf('account', user.home_account_id.toLowerCase())];
  if (typeof user === 'object' && 'sub' in user && typeof user.sub === 'string')
    return [nameOf('sub', user.sub)];
  if (typeof user === 'object' && 'sid' in user && typeof user.sid === 'string')
    return [nameOf('sid', user.sid)];
  throw new InvalidArgumentError(
    'Name the user by its sub, by { issuer, sub }, { issuer, sid } or { home_account_id }. Nobody was signed out.',
  );
}

/** Whether all given fields of the reference match: a `sid` with a `sub` restricts it to that session. */
function isMeant(record: IndexRecord, user: PartitionUserReference): boolean {
  if (typeof user === 'string' || 'home_account_id' in user) return true;
  const { issuer, sub, sid } = user;
  const isSame = (wanted: string | undefined, found: string | undefined): boolean =>
    wanted === undefined || wanted === found;
  const isIssuer = issuer === undefined || sameIssuer(issuer, record.issuer ?? '');
  return isIssuer && isSame(sub, record.sub) && isSame(sid, record.sid);
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
