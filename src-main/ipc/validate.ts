/** The arguments of every request, checked before a handler sees them. What a window sends is anybody's guess. */
import * as v from 'valibot';
import { InvalidArgumentError } from '../errors.ts';
import type { TokenCacheRequests } from './contract.ts';
import { type ArgumentCheck, type ArgumentChecks, noArguments } from './requests.ts';

// Ids are made by ids.ts and imports.ts: base64url, two parts at most. Those of findings are hashes as well.
const id = v.pipe(v.string(), v.maxLength(100), v.regex(/^[\w-]+(\.[\w-]+)?$/));
const searchText = v.pipe(v.string(), v.maxLength(1_000));
// Windows' longest path; a NUL would cut it short on its way to the file system.
const path = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(32_767),
  v.check((text) => !text.includes('\0')),
);

// Not what makes a good one: that is the vault's business. A megabyte of text is none.
const passphrase = v.pipe(v.string(), v.maxLength(4_096));

// As many as a window is ever sent.
const ids = v.pipe(v.array(id), v.maxLength(1_000));

const idOnly = takes(v.strictTuple([id]));

export const argumentChecks: ArgumentChecks<TokenCacheRequests> = {
  status: noArguments,
  accounts: noArguments,
  tokens: idOnly,
  claims: idOnly,
  search: takes(v.strictTuple([searchText])),
  removalCount: takes(v.strictTuple([v.nullable(id)])),
  signOut: idOnly,
  signOutAll: noArguments,
  reveal: idOnly,
  copy: idOnly,
  chooseImport: noArguments,
  planImport: takes(v.strictTuple([path])),
  unlockImport: takes(v.strictTuple([id, passphrase])),
  confirmImport: idOnly,
  cancelImport: idOnly,
  retry: noArguments,
  recover: noArguments,
  startFresh: noArguments,
  verify: noArguments,
  rotateKey: noArguments,
  compact: noArguments,
  exportAll: takes(v.strictTuple([passphrase])),
  examine: noArguments,
  repair: takes(v.strictTuple([v.nullable(ids)])),
  undoRepair: noArguments,
};

/** The message says where it was wrong, and never what was sent. */
function takes<Args extends readonly unknown[]>(schema: v.GenericSchema<unknown, Args>): ArgumentCheck<Args> {
  return (args) => {
    const result = v.safeParse(schema, args);
    if (result.success) return result.output;
    throw new InvalidArgumentError(
      'The request was sent with arguments that it does not take. Nothing was done.',
    );
  };
}
