/**
 * Which accounts are kept fresh. The file stands beside the encrypted one and in the clear, so it names nobody: an
 * account is in it as a hash with a salt of its own.
 */
import { createHash, randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { StorageError } from 'tokenkeep';
import { readJson, writeJson } from '../json-file.ts';
import type { AccountName } from './contract.ts';

export interface Kept {
  has(account: AccountName): boolean;
  set(account: AccountName, on: boolean): void;
  /** Forgets whoever is not among these: a sign-out leaves no mark. */
  retain(accounts: readonly AccountName[]): void;
}

const mark = v.pipe(v.string(), v.regex(/^[\w-]{43}$/));
const contents = v.strictObject({ version: v.literal(1), salt: mark, accounts: v.array(mark) });

export function keptAt(file: string, now: () => number): Kept {
  let known: v.InferOutput<typeof contents> | undefined;
  const read = (): v.InferOutput<typeof contents> =>
    (known ??= readJson(file, (value) => v.parse(contents, value), now) ?? {
      version: 1,
      salt: randomBytes(32).toString('base64url'),
      accounts: [],
    });
  const markOf = ({ home_account_id, environment }: AccountName): string =>
    createHash('sha256')
      .update(JSON.stringify([read().salt, home_account_id.toLowerCase(), environment.toLowerCase()]))
      .digest('base64url');
  const keep = (accounts: readonly string[]): void => {
    const next = { ...read(), accounts: [...accounts] };
    try {
      writeJson(file, next);
    } catch (cause) {
      const message = 'This could not be saved, and is as it was. See that the disk has room.';
      throw new StorageError('storage_failed', message, { cause });
    }
    known = next;
  };
  return {
    has: (account) => read().accounts.includes(markOf(account)),
    set(account, on) {
      const its = markOf(account);
      if (read().accounts.includes(its) === on) return;
      const others = read().accounts.filter((other) => other !== its);
      keep(on ? [...others, its] : others);
    },
    retain(accounts) {
      if (read().accounts.length === 0) return;
      const there = new Set(accounts.map(markOf));
      const left = read().accounts.filter((its) => there.has(its));
      if (left.length < read().accounts.length) keep(left);
    },
  };
}
