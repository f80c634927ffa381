import type { Entry } from '../cache/entry.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import { type DeferredAccount, isDeferrable } from '../cache/store.ts';
import { outlineForIndex } from '../cache/account-outline.ts';
import { usersOf } from '../cache/accounts.ts';
import type { AccountOutline } from '../cache/schema/entities.ts';
import { GRANT } from '../cache/schema/grants.ts';
import { VaultError } from '../errors.ts';
import { entriesIn, type Group, type Groups } from './format/base.ts';
import { type Change, sealBatch } from './format/batch.ts';
import type { Findings, FrameContent } from './format/frame.ts';
import { type IndexRow, nameOf, outlineIn, outlineRow } from './format/manifest.ts';
import { printable } from './printable.ts';
import { pauses } from './pauses.ts';

/** Number of account-less entries in one frame: damage to one frame then costs about 64 kB. */
const LOOSE_ENTRIES = 32;

export interface Regrouped {
  groups: readonly Group[];
  /** Replaces values that have plain secrets with values whose secrets are sealed in these groups. */
  readonly seal: () => void;
}

/**
 * Returns a cache as base frames: one for each account, then those of entries without an account. Groups in `kept`
 * are copied unchanged, without being parsed, so that only changed accounts cost work.
 */
export async function regroup(cache: TokenCache, kept: Groups, fileId: Buffer): Promise<Regrouped> {
  const pause = pauses();
  const groups: Group[] = [];
  const sealings: (() => void)[] = [];
  const encode = (entries: readonly Entry[]): FrameContent => {
    const { content, sealed } = sealBatch({ changes: entries.map(rowOf) }, fileId);
    sealings.push(() => exchange(entries, sealed));
    return content;
  };
  for (const home of storeOf(cache).accounts) {
    let group = kept.get(home);
    if (group === undefined) {
      const entries = entriesOf(cache, home);
      group = { row: indexRow(cache, home, entries), frames: [encode(entries)] };
      await pause();
    }
    groups.push(group);
  }
  const loose = kept.get(null);
  if (loose !== undefined) groups.push(loose);
  else {
    const frames: FrameContent[] = [];
    for (const chunk of chunksOf(entriesOf(cache, null))) {
      frames.push(encode(chunk));
      await pause();
    }
    if (frames.length > 0) groups.push({ row: null, frames });
  }
  const seal = (): void => {
    for (const each of sealings) each();
  };
  return { groups, seal };
}

/** Returns the entries of an account; for null, the entries without an account, including whole roots. */
export function entriesOf(cache: TokenCache, account: string | null): Entry[] {
  const store = storeOf(cache);
  if (account !== null) return store.ofAccount(account);
  return [...store.ofAccount(''), ...store.keptRoots()];
}

/** Returns an entry as it is written in a frame. */
export function rowOf({ section, key, value }: Entry): Change {
  return { section, key, after: value };
}

/** Replaces the values of entries with values whose secrets are sealed, given in the same order. */
export function exchange(entries: readonly (Entry | undefined)[], sealed: readonly Change[]): void {
  for (const [index, entry] of entries.entries()) {
    const value = sealed[index]?.after;
    if (value !== undefined) entry?.exchange(value);
  }
}

function chunksOf(entries: readonly Entry[]): Entry[][] {
  const chunks: Entry[][] = [];
  for (let from = 0; from < entries.length; from += LOOSE_ENTRIES) {
    chunks.push(entries.slice(from, from + LOOSE_ENTRIES));
  }
  return chunks;
}

function indexRow(cache: TokenCache, account: string, entries: readonly Entry[]): IndexRow {
  const store = storeOf(cache);
  const users = usersOf(store, account);
  const atOnce = !isDeferrable(account, entries);
  return {
    account,
    entries: entries.length,
    notUnderstood: entries.filter(({ isUnderstood }) => !isUnderstood).length,
    grants: entries.flatMap(({ section, key }) => (section === GRANT && key !== null ? [key] : [])),
    atOnce,
    users,
    outline: atOnce ? null : outlineRow(outlineForIndex(store, account), users),
  };
}

/** An account whose frame is authenticated, decrypted and parsed when one of its entries is asked for. */
export class StoredAccount implements DeferredAccount {
  readonly #row: IndexRow;
  readonly #group: Group;
  readonly #fileId: Buffer;
  readonly #findings: Findings;

  constructor(row: IndexRow, group: Group, fileId: Buffer, findings: Findings) {
    this.#row = row;
    this.#group = group;
    this.#fileId = fileId;
    this.#findings = findings;
  }

  get account(): string {
    return this.#row.account;
  }

  get size(): number {
    return this.#row.entries;
  }

  get notUnderstood(): number {
    return this.#row.notUnderstood;
  }

  get grants(): readonly string[] {
    return this.#row.grants;
  }

  get users(): IndexRow['users'] {
    return this.#row.users;
  }

  get outline(): AccountOutline | null {
    return outlineIn(this.#row);
  }

  /** @throws VaultError `vault_damaged`, which names the account */
  read(): readonly Entry[] {
    const { account } = this;
    const entries = this.#entries();
    if (!entries.every((entry) => entry.account === account)) {
      const { misplaced } = this.#findings;
      for (const entry of entries) misplaced.add(entry.account || null).add(account);
    }
    return entries;
  }

  #entries(): Entry[] {
    let cause: unknown;
    try {
      const [frame] = this.#group.frames;
      const entries = frame === undefined ? null : entriesIn(frame, this.#fileId);
      if (entries !== null) return entries;
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      cause = error;
    }
    this.#findings.isDamaged = true;
    throw new VaultError(
      'vault_damaged',
      `The sign-in of “${printable(nameOf(this.#row), 100)}” in the vault’s file was tampered with and can’t be opened. The file is untouched, and other accounts can be read. Keep what can be read in a new file.`,
      cause === undefined ? undefined : { cause },
    );
  }
}
