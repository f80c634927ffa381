/** Signs an account out of another program's cache and verifies the result. Other accounts are not changed. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import type { SerializableTokenCache } from '../cache/document/serializable-token-cache.ts';
import { markNumbers, unmarkNumbers } from '../cache/document/numbers.ts';
import { hasDuplicateNames, isRecord } from '../cache/json.ts';
import type { AccountSummary, SignOutReceipt } from '../cache/schema/entities.ts';
import { systemClock } from '../cache/clock.ts';
import { SourceError, type SourceErrorCode } from '../errors.ts';
import { checkOptions } from '../options.ts';
import { azureProfileWith, azureProfileWithout } from './azure-profile.ts';
import type { FoundSource } from './find.ts';
import { type Gone, goneBetween, withGone } from './gone.ts';
import { whileLocked } from './program-lock.ts';
import {
  decodedText,
  notText,
  type Prepared,
  prepareWhole,
  readBytes,
  readText,
  setAhead,
  signalsOf,
} from './program-file.ts';
import { breathe, cacheIn, howToLeave, READ_OPTIONS, readSource, type ReadOptions } from './read.ts';
import { type Result, type SealedStore, sealedStores } from './sealed.ts';
import type { Unread } from './source-state.ts';
import { putBackIntoVault, signOutOfVault } from './vault-source.ts';

/**
 * The result of a sign-out at a source.
 *
 * @example
 * import { findSources, readSource, signOutAtSource, type SourceReceipt } from 'tokenkeep/sources';
 *
 * const receipts: SourceReceipt[] = [];
 * for (const source of await findSources())
 *   for (const account of (await readSource(source)).accounts) receipts.push(await signOutAtSource(source, account));
 * for (const receipt of receipts.reverse()) await receipt.undo();
 */
export interface SourceReceipt {
  readonly source: FoundSource;
  /** Seconds since the epoch. */
  readonly at: number;
  /** Number of removed entries by type. All zero if the account was already gone. */
  readonly removed: SignOutReceipt['removed'];
  /** Number of remaining entries of the account, counted after reading the cache back; null if that failed. */
  readonly remaining: number | null;
  /** A message to display if the result could not be checked. */
  readonly problem?: string;
  /** A message to display about accounts that the program may still list. */
  readonly left?: string;
  /**
   * Restores the removed entries and keeps what the program has written since. Works until `done` is called or this
   * process ends. Undo several sign-outs in reverse order: each then finds what it left, such as Azure CLI's default subscription.
   *
   * @throws SourceError if not everything could be restored
   */
  undo(): Promise<void>;
  /** Deletes the undo data. */
  done(): void;
}

/** Options for `signOutAtSource`. */
export interface SourceSignOutOptions extends ReadOptions {
  /** Milliseconds to wait for another program's lock. Default: 5,000. */
  deadline?: number;
  /** Also removes the account's subscriptions from Azure CLI's list. Default: true. */
  profile?: boolean;
}

/**
 * Removes an account and all its entries from another program's cache. The new document is prepared first. Under the program's own lock,
 * the old one is compared with what was read and replaced atomically. Then it is read back for verification.
 *
 * Tokens are not revoked: an access token that a program holds in memory works until it expires, a refresh token until the
 * provider revokes it.
 *
 * @throws SourceError if the sign-out failed; nothing is changed
 * @example
 * ```ts
 * import { findSources, readSource, signOutAtSource } from 'tokenkeep/sources';
 *
 * const [source] = await findSources();
 * if (source !== undefined) {
 *   const [account] = (await readSource(source)).accounts;
 *   if (account !== undefined) console.log((await signOutAtSource(source, account)).removed);
 * }
 * ```
 */
export async function signOutAtSource(
  source: FoundSource,
  account: AccountSummary,
  options: SourceSignOutOptions = {},
): Promise<SourceReceipt> {
  checkOptions(
    'signOutAtSource',
    options,
    { ...READ_OPTIONS, deadline: true, profile: true },
    'Nothing was changed.',
  );
  const {
    removed,
    gone,
    left,
    putBack,
    problem: unchanged,
  } = source.place.content === 'vault'
    ? await removeFromVault(source, account, options)
    : await removeFromDocument(source, account, options);
  const { remaining, problem = unchanged } = await leftOf(source, account, options);
  const sealed = sealedInMemory(gone);
  return {
    source,
    at: Math.floor((options.now ?? systemClock)()),
    removed,
    remaining,
    ...(problem === undefined ? {} : { problem }),
    ...(left === '' ? {} : { left }),
    async undo() {
      await putBack(sealed.open());
      sealed.forget();
    },
    done: () => sealed.forget(),
  };
}

/** The removed entries, and how to restore them. */
interface Removal {
  readonly removed: SignOutReceipt['removed'];
  /** The removed entries, as JSON. */
  readonly gone: string;
  /** Sentences about what was not removed; "" if everything was. */
  readonly left: string;
  /** Why a part of the source was not changed. */
  readonly problem?: string;
  readonly putBack: (gone: string) => Promise<void>;
}

async function removeFromDocument(
  source: FoundSource,
  account: AccountSummary,
  options: SourceSignOutOptions,
): Promise<Removal> {
  if (source.leaving.by !== 'tokenkeep' || source.place.content !== 'msal')
    throw new SourceError(
      'source_view_only',
      `Tokenkeep does not change what ${source.name} keeps. ${howToLeave(source)}`,
    );
  let removed: SignOutReceipt['removed'] = NOTHING_REMOVED;
  let profile: ProfileChange | null | undefined;
  const changeProfile = async (): Promise<ProfileChange | null> =>
    source.place.profile === undefined || options.profile === false
      ? null
      : withoutSubscriptions(source.place.profile, account, source);
  const leave = async (medium: Medium): Promise<Gone | null> => {
    let own: SignOutReceipt['removed'] = NOTHING_REMOVED;
    let gone: Gone | null = null;
    const prepare = async (text: string): Promise<string | null> => {
      const cache = understood(source, text);
      await breathe();
      const before = parsed(text);
      await breathe();
      ({ removed: own } = cache.signOut(account));
      gone = null;
      if (!cache.hasStateChanged) return null;
      const after = cache.serialize();
      await breathe();
      const left = parsed(after);
      await breathe();
      gone = difference(before, left);
      await breathe();
      return after;
    };
    // The list of subscriptions is changed first: if this process is killed in between, the account is still found and signed out the next
    // time.
    await changeDocument(source, medium, options, prepare, async () => {
      profile ??= await changeProfile();
    });
    removed = sumOf(removed, own);
    return gone;
  };
  /** Nothing is to be changed then. @returns the error, and what it left if the list could not be put back */
  const failed = async (error: unknown): Promise<unknown> => {
    try {
      await profile?.restore();
      return error;
    } catch (cause) {
      if (!(error instanceof SourceError && cause instanceof SourceError)) return error;
      return new SourceError(error.code, `${reasonOf(error)} ${cause.message}`, { cause: error });
    }
  };
  const media = await mediaOf(source, options);
  const changed: Medium[] = [];
  const gone: Gone[] = [];
  const problems = new Set<string>();
  let failure: SourceError | undefined;
  for (const medium of media)
    try {
      const own = await leave(medium);
      if (own === null) continue;
      changed.push(medium);
      gone.push(own);
    } catch (error) {
      if (!(error instanceof SourceError)) throw await failed(error);
      failure ??= error;
      problems.add(reasonOf(error));
      if (error.code === 'source_busy') break; // The same lock would block the others too.
    }
  if (failure !== undefined && changed.length === 0) {
    throw await failed(failure);
  }
  profile ??= await changeProfile();
  return {
    removed,
    gone: JSON.stringify(gone.splice(0)), // kept encrypted from here on
    left: [source.leaving.left, profile?.problem].filter((part) => part !== undefined).join(' '),
    ...(problems.size === 0
      ? {}
      : {
          problem: `${source.name} keeps several items in the keyring, and not all could be changed: ${[...problems].join(' ')}`,
        }),
    async putBack(entries) {
      const all = JSON.parse(entries) as readonly Gone[];
      const failures: SourceError[] = [];
      for (const [index, medium] of changed.entries())
        try {
          await changeDocument(source, medium, options, (text) => restored(source, text, all[index]));
        } catch (error) {
          if (!(error instanceof SourceError)) throw error;
          failures.push(error);
        }
      const [first] = failures;
      if (first !== undefined && failures.length === changed.length) throw first;
      await profile?.restore();
      if (first !== undefined)
        throw new SourceError(
          'source_failed', // another code would say that nothing was changed
          `A part of what was removed is back. ${reasonOf(first)} Undo again to put back the rest.`,
          { cause: first },
        );
    },
  };
}

/** Why one of several items was not changed, where others were. */
const reasonOf = ({ message }: SourceError): string => message.replaceAll(/ ?Nothing was changed\./g, '');

function sumOf(one: SignOutReceipt['removed'], other: SignOutReceipt['removed']): SignOutReceipt['removed'] {
  const sum = { ...one, ...other };
  for (const name of Object.keys(sum) as (keyof typeof sum)[])
    sum[name] = (one[name] ?? 0) + (other[name] ?? 0);
  return sum;
}

async function removeFromVault(
  source: FoundSource,
  account: AccountSummary,
  { secrets }: SourceSignOutOptions,
): Promise<Removal> {
  const removedFrom = (change: () => void, text: () => string): string => {
    const before = parsed(text());
    change();
    return JSON.stringify(difference(before, parsed(text())));
  };
  const { removed, gone, oldKey } = await signOutOfVault(source, account, removedFrom, secrets?.vault);
  return {
    removed,
    gone,
    left:
      oldKey === 'pending'
        ? 'Its old key still opens older copies: it is destroyed when the keychain allows it.'
        : '',
    putBack: (entries) => putBackIntoVault(source, JSON.parse(entries) as Gone | null, secrets?.vault),
  };
}

const NOTHING_REMOVED: SignOutReceipt['removed'] = {
  Account: 0,
  AccessToken: 0,
  RefreshToken: 0,
  IdToken: 0,
  AppMetadata: 0,
};

/** Reads and replaces a document, regardless of where it is stored. */
interface Medium {
  /** Slow: decrypts the document, and the system may prompt the user. */
  read(): Promise<{ readonly text: string; readonly raw: Buffer }>;
  /** Quick: returns the stored value, still sealed. */
  raw(): Promise<Buffer>;
  /** Slow: seals the new document and writes it to the disk, beside the one that `put` will replace. */
  prepare(text: string): Promise<Prepared>;
}

/** Returns a medium for each document of a source: the keyring may have several items of it. */
async function mediaOf(source: FoundSource, { secrets, unlock }: ReadOptions): Promise<Medium[]> {
  if (source.place.sealing === 'none') return [fileMedium(source)];
  const open = sealedStores(source, secrets, unlock);
  if (!('state' in open)) return valueOf(await open()).stores.map((store) => sealedMedium(source, store));
  throw new SourceError(
    'source_view_only',
    `${open.problem} ${howToLeave({ ...source, leaving: { by: 'program', where: `Sign out in ${source.name}.` } })}`,
  );
}

function valueOf<T>(result: Result<T>): T {
  if ('value' in result) return result.value;
  throw new SourceError(CODES[result.state], result.problem);
}

function fileMedium(source: FoundSource): Medium {
  const raw = async (): Promise<Buffer> => {
    const found = await readBytes(source.file, source.name);
    return valueOf('state' in found ? found : { value: found.bytes });
  };
  return {
    async read() {
      const bytes = await raw();
      const text = decodedText(bytes);
      return valueOf(text === null ? notText(source.file) : { value: { text, raw: bytes } });
    },
    raw,
    prepare: (text) => prepareWhole(source.file, Buffer.from(text, 'utf8')),
  };
}

function sealedMedium(source: FoundSource, store: SealedStore): Medium {
  return {
    read: async () => valueOf(await store.read()),
    raw: async () => valueOf(await store.raw()),
    async prepare(text) {
      const { put, discard } = valueOf(await store.prepare(text));
      return {
        async put() {
          // A program that runs looks at its own file's time, and would bring the account back without it: far ahead before the change, so
          // that it looks again even if this process is killed in between.
          const inItem = source.sealing === 'secret-service' || source.sealing === 'keychain';
          const signals = inItem ? await signalsOf(source.place) : [];
          for (const file of signals) await setAhead(file, SIGNAL_AHEAD).catch(() => undefined);
          valueOf(await put());
          for (const file of signals) await setAhead(file).catch(() => undefined);
        },
        discard,
      };
    },
  };
}

/** Milliseconds: longer than an item of a keyring takes to be replaced. */
const SIGNAL_AHEAD = 5_000;

const CODES: Readonly<Record<Unread['state'], SourceErrorCode>> = {
  locked: 'source_locked',
  'no-permission': 'source_no_permission',
  sealed: 'source_unreadable',
  'not-understood': 'source_unreadable',
  'in-use': 'source_busy',
  gone: 'source_unreadable',
};

/** Attempts to prepare a change without the lock. Each fails only if the program has written in between. */
const ATTEMPTS = 3;
/** Milliseconds for which every program respects a lock. MSAL Python takes it over after five seconds. */
const RESPECTED = 4_000;

/**
 * Changes a document. The new one is computed, sealed and written beside the old one before the lock is taken. Under the lock, the old one
 * is compared with what was read, and replaced. This takes milliseconds, whatever the size and protection, unless macOS asks the user. If a
 * program keeps writing in between, everything is done under the lock.
 *
 * @param change returns the new document; null if nothing has to change
 * @param beforehand runs under the lock, before the document is compared and replaced. It may run several times
 * @throws SourceError if the document was not changed
 */
async function changeDocument(
  source: FoundSource,
  medium: Medium,
  { deadline, now = systemClock, pause = 500 }: SourceSignOutOptions,
  change: (text: string) => string | null | Promise<string | null>,
  beforehand: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const lock = { deadline, now };
  const prepared = async (): Promise<{ raw: Buffer; next: Prepared } | null> => {
    const { text, raw } = await medium.read();
    const after = await change(text);
    if (after === null) return null;
    assertNoDuplicates(source, text);
    await breathe();
    return { raw, next: await medium.prepare(after.replace(/^\ufeff/, '')) }; // azure-cli does not read a byte order mark
  };
  /** @returns whether the document was replaced: not if the program has written it since it was read */
  const isPut = async (
    { raw, next }: { raw: Buffer; next: Prepared },
    since: number,
    assertHeld: () => Promise<void>,
  ): Promise<boolean> => {
    await beforehand();
    if (!raw.equals(await medium.raw())) return false;
    await assertHeld();
    if (source.place.locking !== 'none' && performance.now() - since > RESPECTED) throw tooSlow(source);
    await next.put();
    return true;
  };
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    let found: Awaited<ReturnType<typeof prepared>>;
    try {
      found = await prepared();
    } catch (error) {
      if (!(error instanceof SourceError && error.code === 'source_unreadable')) throw error;
      // The document may be incomplete, because its program is writing it.
      if (attempt < ATTEMPTS) await new Promise((resolve) => setTimeout(resolve, pause));
      continue;
    }
    if (found === null) return;
    const ready = found;
    try {
      const put = (assertHeld: () => Promise<void>): Promise<boolean> =>
        isPut(ready, performance.now(), assertHeld);
      if (await whileLocked(source.place, put, lock)) return;
    } finally {
      await ready.next.discard();
    }
  }
  await whileLocked(
    source.place,
    async (assertHeld) => {
      const since = performance.now();
      const found = await prepared();
      if (found === null) return;
      try {
        // A program may use no lock, or have taken this one over.
        if (!(await isPut(found, since, assertHeld))) throw keepsWriting(source.name, source.file);
      } finally {
        await found.next.discard();
      }
    },
    lock,
  );
}

function keepsWriting(name: string, file: string): SourceError {
  return new SourceError(
    'source_busy',
    `${name} writes ${file} all the time. Nothing was changed. Close it, then try again.`,
  );
}

/** A program may have taken the lock over: what it writes next would be lost. */
function tooSlow({ name, file, sealing }: FoundSource): SourceError {
  return new SourceError(
    'source_busy',
    sealing === 'keychain'
      ? `macOS took more than ${RESPECTED / 1000} seconds to give access to the keychain item of ${name}. Other programs no longer respect its lock after that. Nothing was changed. Try again, and choose Always Allow.`
      : `Changing ${file} took more than the ${RESPECTED / 1000} seconds for which other programs respect its lock. Nothing was changed. Close ${name}, then try again.`,
  );
}

/** JSON parsers keep the last of two entries with the same name, so writing the document again would lose the first. */
function assertNoDuplicates(source: FoundSource, text: string): void {
  if (!hasDuplicateNames(text.replace(/^\ufeff/, ''))) return;
  throw new SourceError(
    'source_unreadable',
    `${source.file} has two entries of the same name, and one would be lost. Nothing was changed. Sign out in the program itself.`,
  );
}

function understood(source: FoundSource, text: string): SerializableTokenCache {
  try {
    return cacheIn(text);
  } catch (cause) {
    throw new SourceError(
      'source_unreadable',
      `${source.file} is not a document that an MSAL library can read. Nothing was changed. Try again when ${source.name} is idle.`,
      { cause },
    );
  }
}

/** Returns the roots of a document, with marked numbers. */
function parsed(text: string): Readonly<Record<string, unknown>> {
  const roots: unknown = JSON.parse(text.trim() === '' ? '{}' : markNumbers(text.replace(/^\ufeff/, '')));
  return isRecord(roots) ? roots : {};
}

function difference(before: Readonly<Record<string, unknown>>, after: typeof before): Gone | null {
  // A root is left out once it is empty. The program may write it again, with other entries.
  const empty = Object.entries(before).flatMap(([name, root]) => (isRecord(root) ? [[name, {}]] : []));
  return goneBetween(before, { ...Object.fromEntries(empty), ...after });
}

/** Returns a document with the removed entries put back. If the user has signed in again, the program's entries are newer. */
function restored(source: FoundSource, text: string, gone: Gone | undefined): string {
  understood(source, text);
  const roots = parsed(text);
  return cacheIn(
    unmarkNumbers(JSON.stringify(gone === undefined ? roots : withGone(roots, gone))),
  ).serialize();
}

async function leftOf(
  source: FoundSource,
  account: AccountSummary,
  options: SourceSignOutOptions,
): Promise<{ remaining: number | null; problem?: string }> {
  const { deadline, profile, ...reading } = options; // readSource refuses what it does not know
  const { state, cache, problem } = await readSource(source, reading);
  if (state === 'gone') return { remaining: 0 };
  if (cache === null)
    return {
      remaining: null,
      problem: `The account was removed, but this could not be checked: ${problem ?? state}`,
    };
  const { removed } = cache.signOut(account);
  const remaining = Object.values<number>({ ...removed }).reduce((sum, count) => sum + count, 0);
  // A part could not be read, such as a locked item: it may have the account.
  return problem === undefined ? { remaining } : { remaining: remaining === 0 ? null : remaining, problem };
}

interface ProfileChange {
  /** A message to display if the account is still listed. */
  readonly problem?: string;
  restore(): Promise<void>;
}

async function withoutSubscriptions(
  path: string,
  account: AccountSummary,
  source: FoundSource,
): Promise<ProfileChange | null> {
  const file = await realpath(path).catch(() => path);
  const change = await changeList(file, source.name, (text) => azureProfileWithout(text, account.username));
  if (change === null) return null;
  if ('refusal' in change)
    return {
      problem: `${file} ${change.isRead ? 'still lists' : 'may still list'} its subscriptions and ${change.refusal}. Run az logout to remove them.`,
      restore: () => Promise.resolve(),
    };
  const { before, after } = change;
  return {
    async restore() {
      const back = await changeList(file, source.name, (text) =>
        text === after ? before : azureProfileWith(text, before, account.username),
      );
      if (back !== null && !('refusal' in back)) return;
      const what = back?.isRead === true ? 'written' : 'read';
      throw new SourceError(
        'source_unreadable',
        `The account is signed in, but ${file} could not be ${what}, so its subscriptions are not in the list. Run az account list --refresh to get them.`,
        { cause: back?.cause },
      );
    },
  };
}

/** Why a list was not changed, and whether it was read. */
interface NotChanged {
  readonly isRead: boolean;
  /** After "FILE still lists its subscriptions and …". */
  readonly refusal: string;
  readonly cause?: SourceError;
}

/**
 * Replaces a list for which its program has no lock. It is compared with what was read right before, and changed anew if the program has
 * written it since.
 *
 * @returns null if it is not there, or if there is nothing to change
 */
async function changeList(
  file: string,
  name: string,
  change: (text: string) => string | null,
): Promise<{ readonly before: string; readonly after: string } | NotChanged | null> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const content = await readText(file, name);
    if ('state' in content)
      return content.state === 'gone' ? null : { isRead: false, refusal: 'can’t be read' };
    const before = content.text;
    const after = change(before);
    if (after === null) return null;
    if (hasDuplicateNames(before.replace(/^\ufeff/, '')))
      return { isRead: true, refusal: 'has two entries of the same name, of which one would be lost' };
    try {
      const prepared = await prepareWhole(file, Buffer.from(after, 'utf8'));
      try {
        const now = await readText(file, name);
        if (!('text' in now) || now.text !== before) continue;
        await prepared.put();
        return { before, after };
      } finally {
        await prepared.discard();
      }
    } catch (cause) {
      if (!(cause instanceof SourceError)) throw cause;
      return { isRead: true, refusal: 'can’t be written', cause };
    }
  }
  return { isRead: true, refusal: `${name} writes it all the time` };
}

/** Keeps removed entries encrypted in memory, since they may contain refresh tokens. The key is deleted with them. */
function sealedInMemory(text: string): { open(): string; forget(): void } {
  const key = randomBytes(32);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  const tag = cipher.getAuthTag();
  let isForgotten = false;
  return {
    open() {
      if (isForgotten)
        throw new SourceError(
          'source_failed',
          'What was removed is no longer kept, so the sign-out can’t be undone.',
        );
      const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(tag);
      return Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8');
    },
    forget() {
      isForgotten = true;
      key.fill(0);
      sealed.fill(0);
    },
  };
}
