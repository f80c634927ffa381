/** Maintenance of the vault file as a whole: verify, rotate the key, compact, export. */
import { basename } from 'node:path';
import { VaultError } from '../errors.ts';
import { assertStrong } from '../vault/exchange/export.ts';
import { printable } from '../vault/printable.ts';
import { noteActivity, recordActivity } from './activity.ts';
import type { TokenCacheRequests } from './contract.ts';
import type { Ports } from './ports.ts';
import { tokenCount } from './account-views.ts';
import { cachedAccounts } from '../accounts/cached-accounts.ts';
import type { Handlers } from './requests.ts';

type Maintenance = Pick<TokenCacheRequests, 'verify' | 'rotateKey' | 'compact' | 'exportAll'>;

export function maintenance<Caller>({
  vault,
  now,
  emit,
  chooseTarget,
}: Pick<Ports<Caller>, 'vault' | 'now' | 'emit' | 'chooseTarget'>): Handlers<Maintenance, Caller> {
  return {
    verify: async () => (await vault()).verify((done, of) => emit('verifying', { done, of })),

    async rotateKey() {
      const opened = await vault();
      const { oldKey } = await opened.erase((cache) => {
        // Without a file there is no key to rotate, and a record would create one.
        if (opened.status.bytes !== null) recordActivity(cache, now(), [], { kind: 'rotation' });
      });
      if (oldKey === undefined) throw nothingSaved();
      return { at: now(), slot: opened.status.key?.slot ?? 'a', oldKey };
    },

    async compact() {
      const opened = await vault();
      const before = opened.status.bytes;
      if (before === null) throw nothingSaved();
      await opened.compact();
      return { before, after: opened.status.bytes ?? 0 };
    },

    async exportAll(caller, passphrase) {
      assertStrong(passphrase); // before the user chooses a location
      const path = await chooseTarget(caller, suggestedName(now()));
      if (path === null) return null;
      const opened = await vault();
      const accounts = [...(await opened.read(cachedAccounts, { held: true })).byId.values()];
      await opened.exportTo(path, passphrase);
      await noteActivity(opened, now(), [], {
        kind: 'export',
        file: path,
        accountsExported: accounts.length,
      });
      return {
        fileName: printable(basename(path), 100),
        accounts: accounts.length,
        tokens: accounts.reduce((sum, account) => sum + tokenCount(account), 0),
      };
    },
  };
}

/** Returns a file name with the UTC date, so that exports sort by date. */
function suggestedName(now: number): string {
  return `tokenkeep-${new Date(now * 1000).toISOString().slice(0, 10)}.age`;
}

function nothingSaved(): VaultError {
  return new VaultError(
    'vault_empty',
    'There is no vault file yet, so nothing was done. The file is created by the first sign-in or import.',
  );
}
