import { inMemory } from '../../src-main/cache/handle.ts';
import type { TokenCache } from '../../src-main/cache/token-cache.ts';
import type { ServedVault } from '../../src-main/ipc/served-vault.ts';

/** A vault without a file: what the handlers need of one, and what they asked it to do. */
export function fakeVault(cache: TokenCache): ServedVault & { asked: string[] } {
  const handle = inMemory(cache);
  const asked: string[] = [];
  const status = {
    state: 'ready' as const,
    held: 'disk' as const,
    unsaved: 0,
    waiting: false,
    file: '/home/ada/accounts.vault',
    bytes: 1,
    savedAt: 1,
    keychain: 'Secret Service',
  };
  return {
    asked,
    status,
    read: (fn) => handle.read(fn),
    update: (fn) => {
      asked.push('update');
      return handle.update(fn);
    },
    retry: () => Promise.resolve((asked.push('retry'), status)),
    startFresh: () => Promise.resolve(void asked.push('startFresh')),
    recover: () => Promise.resolve(void asked.push('recover')),
    erase: async (fn) => {
      asked.push('erase');
      return { value: await handle.update(fn), oldKey: 'destroyed' as const };
    },
  };
}
