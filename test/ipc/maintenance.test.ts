import { describe, expect, it } from 'vitest';
import { argumentChecks } from '../../src-main/ipc/arguments.ts';
import { REPORT } from './fake-vault.ts';
import { cacheOf, vectorText } from './vectors.ts';
import { windowOver } from './window.ts';

const W = 'the window';
const overAll = () => windowOver(cacheOf(vectorText('documents', 'msal-python-aad-several.json')));

it('verifies, and reports progress', async () => {
  const { ask, told } = overAll();
  expect(await ask.verify(W)).toEqual(REPORT);
  expect(told).toEqual([{ name: 'verifying', event: { done: 1, of: 2 } }]);
});

it('replaces the key, and has a receipt for it', async () => {
  const { ask, vault, user } = overAll();
  expect(await ask.rotateKey(W)).toEqual({ at: user.now, slot: 'b', oldKey: 'destroyed' });
  expect(vault.asked).toEqual(['erase']);
  vault.status.bytes = null;
  await expect(ask.rotateKey(W)).rejects.toMatchObject({ code: 'vault_empty' });
  await expect(ask.compact(W)).rejects.toMatchObject({ code: 'vault_empty' });
});

it('compacts, and says what was gained', async () => {
  const { ask, vault } = overAll();
  vault.status.bytes = 1000;
  expect(await ask.compact(W)).toEqual({ before: 1000, after: 500 });
});

describe('an export', () => {
  it('goes where the user says, under a name with the day in it', async () => {
    const { ask, user, vault, suggested } = overAll();
    expect(await ask.exportAll(W, 'correct horse battery')).toBeNull();
    user.saves = '/home/ada/evil\u202eega.age';
    const { totals } = await ask.accounts(W);
    expect(await ask.exportAll(W, 'correct horse battery')).toEqual({
      fileName: 'evil\ufffdega.age',
      accounts: totals.accounts,
      tokens: totals.tokens,
    });
    expect(suggested).toEqual(['tokenkeep-2026-06-01.age', 'tokenkeep-2026-06-01.age']);
    expect(vault.asked).toEqual(['exportTo /home/ada/evil\u202eega.age correct horse battery', 'update']);
  });

  it('is refused for a weak passphrase before anyone looks for a place', async () => {
    const { ask, suggested } = overAll();
    await expect(ask.exportAll(W, 'short')).rejects.toMatchObject({ code: 'passphrase_weak' });
    expect(suggested).toEqual([]);
  });
});

it('takes no path and no second argument from a window', () => {
  for (const args of [[], ['x', '/etc/passwd'], [1], [null], ['x'.repeat(5_000)]]) {
    expect(() => argumentChecks.exportAll(args)).toThrow('arguments that it does not take');
  }
  expect(() => argumentChecks.unlockImport(['../x', 'y'])).toThrow('arguments that it does not take');
  expect(argumentChecks.unlockImport(['id', 'y'])).toEqual(['id', 'y']);
  expect(argumentChecks.unlockImport(['id', ''])).toEqual(['id', '']);
});
