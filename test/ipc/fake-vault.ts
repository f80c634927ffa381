import type { CacheChange } from '../../src-main/cache/entities.ts';
import { inMemory } from '../../src-main/cache/handle.ts';
import type { TokenCache } from '../../src-main/cache/token-cache.ts';
import type { Vault } from '../../src-main/vault/vault.ts';

/** A vault without a file: what the handlers need of one, and what they asked it to do. */
export function fakeVault(cache: TokenCache): Vault & { asked: string[] } {
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
    on: (event: string, listener: (payload: never) => void) =>
      event === 'change' ? cache.on('change', listener as (change: CacheChange) => void) : () => undefined,
    retry: () => Promise.resolve((asked.push('retry'), status)),
    startFresh: () => Promise.resolve(void asked.push('startFresh')),
    recover: () => Promise.resolve(void asked.push('recover')),
    epoch: 0,
    signOut: (home_account_id) => handle.update((inside) => inside.signOut(home_account_id)),
    erase: async (fn) => {
      asked.push('erase');
      return { value: await handle.update(fn), oldKey: 'destroyed' as const };
    },
    close: () => Promise.resolve(),
  };
}
