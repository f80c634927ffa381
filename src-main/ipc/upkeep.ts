/** What a user does with the file as a whole: look whether it is sound, give it a new key, take a copy along. */
import { basename } from 'node:path';
import { VaultError } from '../errors.ts';
import { assertStrong } from '../vault/exchange/passphrase.ts';
import { printable } from '../vault/printable.ts';
import { accountList } from './account-list.ts';
import type { TokenCacheRequests } from './contract.ts';
import type { Doors } from './handlers.ts';
import { holdingsOf } from './holdings.ts';
import type { Handlers } from './requests.ts';

type Upkeep = Pick<TokenCacheRequests, 'verify' | 'rotateKey' | 'compact' | 'exportAll'>;

export function upkeep<Caller>({
  vault,
  now,
  tell,
  chooseTarget,
}: Pick<Doors<Caller>, 'vault' | 'now' | 'tell' | 'chooseTarget'>): Handlers<Upkeep, Caller> {
  return {
    verify: async () => (await vault).verify((done, of) => tell('verifying', { done, of })),

    async rotateKey() {
      const opened = await vault;
      const { oldKey } = await opened.erase(() => undefined);
      if (oldKey === undefined) throw nothingSaved();
      return { at: now(), slot: opened.status.key?.slot ?? 'a', oldKey };
    },

    async compact() {
      const opened = await vault;
      const before = opened.status.bytes;
      if (before === null) throw nothingSaved();
      await opened.compact();
      return { before, after: opened.status.bytes ?? 0 };
    },

    async exportAll(caller, passphrase) {
      assertStrong(passphrase); // before someone looks for a place in vain
      const path = await chooseTarget(caller, suggestedName(now()));
      if (path === null) return null;
      const opened = await vault;
      const { totals } = await accountList(await opened.read(holdingsOf), now());
      await opened.exportTo(path, passphrase);
      return {
        fileName: printable(basename(path), 100),
        accounts: totals.accounts + totals.apps,
        tokens: totals.tokens,
      };
    },
  };
}

/** By the day, in the order in which a folder lists them. UTC, like every date in a file name here. */
function suggestedName(now: number): string {
  return `tokenkeep-${new Date(now * 1000).toISOString().slice(0, 10)}.age`;
}

function nothingSaved(): VaultError {
  return new VaultError(
    'vault_empty',
    'There is no file yet: nothing was ever saved. Nothing was done. The file is made at the first sign-in or import.',
  );
}
