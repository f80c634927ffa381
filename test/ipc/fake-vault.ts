import { inMemory } from '../../src-main/cache/handle.ts';
import type { TokenCache } from '../../src-main/cache/token-cache.ts';
import type { ServedVault } from '../../src-main/ipc/ports.ts';
import type { VaultReport, VaultStatus } from '../../src-main/vault/state.ts';

export const REPORT: VaultReport = {
  sound: true,
  state: 'ready',
  bytes: 1,
  accounts: 1,
  entries: 5,
  secrets: 3,
  live: 1,
  keySlot: 'b',
  keyMadeAt: 1,
  generation: 1,
};

/** A vault without a file, with the members that the handlers need. It records what they call. */
export function fakeVault(cache: TokenCache): ServedVault & { asked: string[]; status: VaultStatus } {
  const handle = inMemory(cache);
  const asked: string[] = [];
  const status: VaultStatus = {
    state: 'ready',
    held: 'disk',
    unsaved: 0,
    waiting: false,
    file: '/home/ada/accounts.vault',
    bytes: 1,
    savedAt: 1,
    keychain: 'Secret Service',
    key: { slot: 'b', madeAt: 1 },
  };
  return {
    asked,
    status,
    epoch: 0,
    read: (fn) => handle.read(fn),
    update: (fn) => {
      asked.push('update');
      return handle.update(fn);
    },
    retry: () => Promise.resolve((asked.push('retry'), status)),
    startFresh: () => Promise.resolve(void asked.push('startFresh')),
    recover: () => Promise.resolve(void asked.push('recover')),
    keepMine: () => Promise.resolve(void asked.push('keepMine')),
    takeFile: () => Promise.resolve(void asked.push('takeFile')),
    makeOwn: () => Promise.resolve(void asked.push('makeOwn')),
    forget: () => Promise.resolve((asked.push('forget'), { key: 'destroyed' as const })),
    erase: async (fn) => {
      asked.push('erase');
      const value = await handle.update(fn);
      return status.bytes === null ? { value } : { value, oldKey: 'destroyed' };
    },
    verify: (progress) => {
      asked.push('verify');
      progress?.(1, 2);
      return Promise.resolve(REPORT);
    },
    compact: () => {
      asked.push('compact');
      status.bytes = (status.bytes ?? 0) / 2;
      return Promise.resolve();
    },
    exportTo: (file, passphrase) => Promise.resolve(void asked.push(`exportTo ${file} ${passphrase}`)),
  };
}
