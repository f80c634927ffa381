import { expect, it } from 'vitest';
import { dataFolderAt } from '../../app/data-folder.ts';

it('names the usual profile by a fixed name, so that a home folder may be renamed', () => {
  const before = dataFolderAt('/home/ada/.config/Tokenkeep', '/home/ada/.config/Tokenkeep');
  const after = dataFolderAt('/home/ada.marsh/.config/Tokenkeep', '/home/ada.marsh/.config/Tokenkeep/');
  expect(before.vaultName).toBe('accounts');
  expect(after.vaultName).toBe(before.vaultName);
  expect(before.vaultFile).toBe('/home/ada/.config/Tokenkeep/accounts.vault');
});

it('gives every other profile a key of its own', () => {
  const usual = '/home/ada/.config/Tokenkeep';
  const names = ['/tmp/a', '/tmp/b', usual].map((folder) => dataFolderAt(folder, usual).vaultName);
  expect(new Set(names).size).toBe(3);
  expect(dataFolderAt('/tmp/a/', usual).vaultName).toBe(names[0]);
  expect(names[0]).toMatch(/^accounts-[0-9a-f]{12}$/);
});
