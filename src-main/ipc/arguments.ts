/** Validates the arguments of every request before its handler runs. A window may send anything. */
import * as v from 'valibot';
import { InvalidArgumentError } from '../errors.ts';
import type { TokenCacheRequests } from './contract.ts';
import { type ArgumentCheck, type ArgumentChecks, noArguments } from './requests.ts';

// Ids are made by cached-accounts.ts, token-views.ts and imports.ts: base64url, three parts at most. Those of findings are hashes.
const id = v.pipe(v.string(), v.maxLength(100), v.regex(/^[\w-]+(\.[\w-]+){0,2}$/));
const searchText = v.pipe(v.string(), v.maxLength(1_000));
// Windows' longest path; a NUL would cut it short on its way to the file system.
const path = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(32_767),
  v.check((text) => !text.includes('\0')),
);
// The vault checks its strength; this only limits its length.
const passphrase = v.pipe(v.string(), v.maxLength(4_096));
// The maximum number of findings that are sent to a window.
const findingIds = v.pipe(v.array(id), v.maxLength(1_000));
const accountIds = v.nullable(v.pipe(v.array(id), v.minLength(1), v.maxLength(20_000)));

// A tenant's ID or, with AD FS, a name. `tenantName` is one line of the user's text.
const tenant = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const tenantName = v.pipe(v.string(), v.maxLength(60), v.regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u));

const copyForm = v.picklist(['token', 'header', 'curl']);

const idOnly = takes(v.strictTuple([id]));

export const argumentChecks: ArgumentChecks<TokenCacheRequests> = {
  status: noArguments,
  accounts: noArguments,
  accountsText: noArguments,
  firstAccountsText: noArguments,
  tokens: idOnly,
  claims: idOnly,
  search: takes(v.strictTuple([searchText])),
  nameTenant: takes(v.strictTuple([tenant, tenantName])),
  removalCount: takes(v.strictTuple([accountIds])),
  signOut: takes(v.strictTuple([accountIds])),
  reveal: idOnly,
  copy: takes(v.union([v.strictTuple([id]), v.strictTuple([id, copyForm])])),
  removeTokens: takes(v.strictTuple([v.pipe(v.array(id), v.minLength(1), v.maxLength(1_000))])),
  chooseImport: noArguments,
  planImport: takes(v.strictTuple([path])),
  unlockImport: takes(v.strictTuple([id, passphrase])),
  confirmImport: idOnly,
  cancelImport: idOnly,
  retry: noArguments,
  recover: noArguments,
  startFresh: noArguments,
  keepMine: noArguments,
  takeFile: noArguments,
  makeOwn: noArguments,
  forget: noArguments,
  verify: noArguments,
  rotateKey: noArguments,
  compact: noArguments,
  exportAll: takes(v.strictTuple([passphrase])),
  activity: takes(v.strictTuple([v.nullable(id)])),
  clearActivity: noArguments,
  examine: noArguments,
  repair: takes(v.strictTuple([v.nullable(findingIds)])),
  undoRepair: noArguments,
};

/** Returns a check whose error message never quotes the arguments. */
function takes<Args extends readonly unknown[]>(schema: v.GenericSchema<unknown, Args>): ArgumentCheck<Args> {
  return (args) => {
    const result = v.safeParse(schema, args);
    if (result.success) return result.output;
    throw new InvalidArgumentError(
      'The request was sent with arguments that it does not take. Nothing was done.',
    );
  };
}
