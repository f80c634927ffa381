import type { Sliced } from '../cache/sliced.ts';
import { accountIds, type CacheRecord, recordsOfAccount } from '../cache/records.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import type { Groups } from './format/base.ts';
import { type Change, sealBatch } from './format/batch.ts';
import type { FrameContent } from './format/frame.ts';
import type { Group } from './format/frame-writer.ts';
import { isObject } from './format/json.ts';

/** Entries of no account that share a frame: few enough that damage to one costs little, some 64 kB as they come. */
const LOOSE_ENTRIES = 32;

export interface Regrouped {
  groups: readonly Group[];
  /** What came in with its secrets in the open and is in these groups with its secrets sealed. */
  sealed: readonly Change[];
}

/**
 * A cache as base frames: one for each account, then those of what belongs to none. Groups in `kept` are taken as they
 * are: their secrets stay sealed as they are too, and the work is that of the accounts that changed.
 */
export function* regroup(cache: TokenCache, kept: Groups, fileId: Buffer): Sliced<Regrouped> {
  const groups: Group[] = [];
  const sealed: Change[] = [];
  const encode = (records: readonly CacheRecord[]): FrameContent => {
    const batch = sealBatch({ changes: records.map(changeOf) }, fileId);
    for (const change of batch.sealed) sealed.push(change);
    return batch.content;
  };
  for (const home of accountIds(cache)) {
    let group = kept.get(home);
    if (group === undefined) {
      const records = recordsOfAccount(cache, home);
      const account = { home_account_id: home, username: usernameIn(records) };
      group = { account, frames: [encode(records)] };
      yield;
    }
    groups.push(group);
  }
  const loose = kept.get(null);
  if (loose !== undefined) groups.push(loose);
  else {
    const frames: FrameContent[] = [];
    for (const chunk of chunksOf(recordsOfAccount(cache, null))) {
      frames.push(encode(chunk));
      yield;
    }
    if (frames.length > 0) groups.push({ account: null, frames });
  }
  return { groups, sealed };
}

function chunksOf(records: readonly CacheRecord[]): CacheRecord[][] {
  const chunks: CacheRecord[][] = [];
  for (let from = 0; from < records.length; from += LOOSE_ENTRIES) {
    chunks.push(records.slice(from, from + LOOSE_ENTRIES));
  }
  return chunks;
}

function changeOf({ section, key, value }: CacheRecord): Change {
  return { section, key, after: value };
}

function usernameIn(records: readonly CacheRecord[]): string {
  for (const { section, value } of records) {
    if (section !== 'Account' || !isObject(value)) continue;
    const { username } = value;
    if (typeof username === 'string' && username !== '') return username;
  }
  return '';
}
