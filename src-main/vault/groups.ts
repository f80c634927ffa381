import type { Entry } from '../cache/entry.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import type { Groups } from './format/base.ts';
import { type Change, sealBatch } from './format/batch.ts';
import type { FrameContent } from './format/frame.ts';
import type { Group } from './format/frame-writer.ts';
import { isObject } from './format/json.ts';
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
 * are copied unchanged, with their sealed secrets, so that only changed accounts cost work.
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
      const account = { home_account_id: home, username: usernameIn(entries) };
      group = { account, frames: [encode(entries)] };
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
    if (frames.length > 0) groups.push({ account: null, frames });
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

function usernameIn(entries: readonly Entry[]): string {
  for (const { section, value } of entries) {
    if (section !== 'Account' || !isObject(value)) continue;
    const { username } = value;
    if (typeof username === 'string' && username !== '') return username;
  }
  return '';
}
