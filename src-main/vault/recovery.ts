import { InvalidArgumentError, VaultError } from '../errors.ts';
import type { Access } from './access.ts';
import { keepCopy, setAside } from './disk/atomic-file.ts';
import { look } from './open.ts';
import { refusal } from './refusal.ts';
import type { VaultState } from './state.ts';
import { rewrite } from './write.ts';

/** Sets the file aside and begins an empty vault. See `Vault.startFresh`. */
export async function startFresh(access: Access): Promise<void> {
  const { settings, memory } = access;
  await access.writing(async () => {
    await access.lookAgain();
    const state = assertState(memory.opening.state, ['key-missing', 'wrong-key', 'damaged']);
    if (memory.opening.identity !== null) {
      const label = state === 'damaged' ? 'damaged' : 'orphan';
      await setAside(settings.io, settings.file, label, new Date(settings.now()));
    }
    const fresh = await look(settings);
    if (fresh.state === 'wrong-key') {
      // What stands in the keychain is no key at all, and the user has said that nothing is to be kept.
      const key = await settings.slots.make(fresh.slot);
      await memory.adopt({ ...fresh, state: 'ready', error: null, key });
    } else await memory.adopt(fresh);
  });
}

/** Keeps what could be read. See `Vault.recover`. */
export async function recover(access: Access): Promise<void> {
  const { settings, memory } = access;
  await access.writing(async () => {
    const found = await look(settings, memory.opening.key);
    assertState(found.state, ['damaged']);
    const { contents, key, slot } = found;
    if (contents === null || key === null) {
      throw new VaultError(
        'vault_damaged',
        'Nothing in the vault’s file can be read. It is untouched. Start fresh: it is then set aside.',
      );
    }
    await keepCopy(settings.io, settings.file, 'damaged', new Date(settings.now()));
    const { cache, groups, metadata } = contents;
    const written = await rewrite(settings, { cache, previous: contents, kept: groups, key, slot, metadata });
    await memory.adopt({ ...found, ...written, state: 'ready', error: null });
  });
}

function assertState(state: VaultState, allowed: readonly VaultState[]): VaultState {
  if (allowed.includes(state)) return state;
  if (state !== 'ready') throw refusal(state);
  throw new InvalidArgumentError(
    'This vault is ready: there is nothing to recover, and nothing was changed.',
  );
}
