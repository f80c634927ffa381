import { type Change, type Entry, nameOf } from '../cache/entry.ts';
import { isObject } from '../cache/json.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import { StorageError, VaultError } from '../errors.ts';
import { entriesOf, pauses } from './contents.ts';
import { sealedSecretOf } from './format/batch.ts';
import type { Group, Groups } from './format/manifest.ts';

/** A cache, and the frames of accounts that are complete and current. */
export interface Side {
  cache: TokenCache;
  groups: Groups;
}

/**
 * Returns the changes that turn the contents of `from` into those of `to`. Skips accounts whose frames were copied
 * unchanged (nearly all after a rewrite), and doesn't decrypt secrets whose sealed bytes are the same in both files.
 */
export async function difference(from: Side, to: Side): Promise<Change[]> {
  const pause = pauses();
  const accounts = new Set<string | null>([
    ...storeOf(from.cache).accounts,
    ...storeOf(to.cache).accounts,
    null,
  ]);
  for (const account of accounts) {
    await pause();
    if (sameFrames(from.groups.get(account), to.groups.get(account))) accounts.delete(account);
  }
  const gone = new Map<string, Entry>();
  for (const account of accounts) {
    await pause();
    for (const entry of readable(from.cache, account)) gone.set(nameOf(entry), entry);
  }
  const changes: Change[] = [];
  for (const account of accounts) {
    await pause();
    for (const after of readable(to.cache, account)) {
      const place = nameOf(after);
      const before = gone.get(place);
      if (before === undefined) changes.push({ after });
      else if (!sameValue(before.value, after.value)) changes.push({ before, after });
      gone.delete(place);
    }
  }
  for (const before of gone.values()) changes.push({ before });
  return changes;
}

/** An account that is damaged or can't be read yields no changes; the state reports why. */
function readable(cache: TokenCache, account: string | null): Entry[] {
  try {
    return entriesOf(cache, account);
  } catch (error) {
    if (isLost(error)) return [];
    throw error;
  }
}

/** A changed frame gets another secrets key, so the sealed secrets tell whether two frames are the same. */
function sameFrames(a: Group | undefined, b: Group | undefined): boolean {
  if (a === undefined || a.frames.length !== b?.frames.length) return false;
  try {
    return a.frames.every(({ sealed }, index) => {
      const other = b.frames[index];
      return other !== undefined && sealed.length > 0 && sealed.equals(other.sealed);
    });
  } catch (error) {
    // What is not there any more was never read into memory. [Note: large files]
    if (isLost(error)) return false;
    throw error;
  }
}

/** Returns whether an account could not be read. */
export function isLost(error: unknown): boolean {
  return error instanceof VaultError || error instanceof StorageError;
}

function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!isObject(a) || !isObject(b)) return JSON.stringify(a) === JSON.stringify(b);
  const sealed = sealedSecretOf(a);
  const same = sealed !== undefined && sealedSecretOf(b)?.equals(sealed) === true;
  return textOf(a, same) === textOf(b, same);
}

function textOf(entity: Record<string, unknown>, withoutSecret: boolean): string {
  return JSON.stringify(
    Object.keys(entity).map((name) => [name, withoutSecret && name === 'secret' ? null : entity[name]]),
  );
}
