/** The program that each recipe builds: a sign-in that survives a restart, with the key in a file. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { run } from './stranger.ts';

/** What a bundler leaves external. */
export const NATIVE = ['keytar', 'fs-native-extensions'] as const;

const BODY = `const [folder] = process.argv.slice(2);
const vault = await openVault({ file: folder + '/accounts.vault', keychain: keyFile(folder + '/key') });
const before = await vault.read((cache) => cache.accounts().length);
if (before === 0) await vault.update((cache) => void cache.add(tokenResponse({ username: 'ada@example.org' })));
const [account] = await vault.read((cache) => cache.accounts());
console.log(JSON.stringify({ before, username: account.username }));
await vault.close();
`;

export const APP = {
  esm: `import { openVault } from 'tokenkeep';
import { keyFile } from 'tokenkeep/keychain';
import { tokenResponse } from 'tokenkeep/testing';
${BODY}`,
  cjs: `const { openVault } = require('tokenkeep');
const { keyFile } = require('tokenkeep/keychain');
const { tokenResponse } = require('tokenkeep/testing');
(async () => {
${BODY}})();
`,
} as const;

/** The same program as the main process of an Electron app. */
export const ELECTRON_APP = `import { app } from 'electron';
import { openVault } from 'tokenkeep';
import { keyFile } from 'tokenkeep/keychain';
import { tokenResponse } from 'tokenkeep/testing';
app.disableHardwareAcceleration();
app.whenReady().then(async () => {
${BODY.replace('slice(2)', 'slice(-1)')}app.quit();
});
`;

/** Starts the program twice, and expects that the second start finds the sign-in of the first, encrypted. */
export function startsTwice(folder: string, program: string, command: string = process.execPath): void {
  startsTwiceAs(folder, command, [join(folder, program)]);
}

/** The same, with any arguments before the data folder. */
export function startsTwiceAs(folder: string, command: string, words: readonly string[]): void {
  const data = join(folder, 'data');
  mkdirSync(data);
  const start = (): unknown => JSON.parse(run(command, [...words, data], folder));
  expect(start()).toEqual({ before: 0, username: 'ada@example.org' });
  expect(start()).toEqual({ before: 1, username: 'ada@example.org' });
  expect(readFileSync(join(data, 'accounts.vault')).includes('ada@example.org')).toBe(false);
}
