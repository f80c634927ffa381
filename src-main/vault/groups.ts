import { accountOf, type CacheRecord, recordsOf } from '../cache/records.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { encodeBatch } from './body.ts';
import type { Groups } from './contents.ts';
import type { FrameContent } from './frame.ts';
import type { Group } from './image.ts';
import { isObject } from './json.ts';

/** Entries of no account that share a frame: few enough that damage to one costs little, some 64 kB as they come. */
const LOOSE_ENTRIES = 32;

export interface Regrouped {
  groups: readonly Group[];
  /** Frames that were made now, because nothing in `kept` said the same. */
  fresh: readonly FrameContent[];
  /** How many there are. */
  entries: number;
}

/**
 * A cache as base frames: one for each account, then those of what belongs to none. Frames in `kept` are taken as
 * they are: their secrets stay sealed as they are too, and the work is that of the accounts that changed.
 */
export function groupFrames(cache: TokenCache, kept: Groups, fileId: Buffer): Regrouped {
  const accounts = new Map<string, CacheRecord[]>();
  const loose: CacheRecord[] = [];
  let entries = 0;
  for (const record of recordsOf(cache)) {
    entries += 1;
    const account = accountOf(record);
    if (account === null) loose.push(record);
    else {
      const records = accounts.get(account);
      if (records === undefined) accounts.set(account, [record]);
      else records.push(record);
    }
  }
  const groups: Group[] = [];
  const fresh: FrameContent[] = [];
  const add = (account: string | null, chunks: CacheRecord[][], entry: Group['account']): void => {
    let frames = kept.get(account);
    if (frames === undefined) {
      frames = chunks.map((records) => encodeBatch({ changes: records.map(changeOf) }, fileId));
      fresh.push(...frames);
    }
    groups.push({ account: entry, frames });
  };
  for (const [account, records] of accounts) {
    add(account, [records], { home_account_id: account, username: usernameIn(records) });
  }
  const chunks: CacheRecord[][] = [];
  for (let from = 0; from < loose.length; from += LOOSE_ENTRIES) {
    chunks.push(loose.slice(from, from + LOOSE_ENTRIES));
  }
  if (chunks.length > 0) add(null, chunks, null);
  return { groups, fresh, entries };
}

function changeOf({ section, key, value }: CacheRecord): {
  section: string;
  key: string | null;
  after: unknown;
} {
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
