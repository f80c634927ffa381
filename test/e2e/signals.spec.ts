/** The app is ended during an import. The vault has all of it or nothing, and the next start works. */
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { manyAccounts } from '../ipc/many.ts';
import { test, vaultFile } from './app.ts';
import { peek } from './library.ts';

for (const [signal, other] of [
  ['SIGKILL', 'SIGTERM'],
  ['SIGHUP', 'SIGINT'],
] as const) {
  test(`${signal} and ${other} in the middle of an import leave all of it or nothing`, async ({
    keyring,
    start,
  }) => {
    const folder = join(keyring.env['HOME']!, 'documents');
    mkdirSync(folder);
    const file = vaultFile(keyring.env);
    let before = 0;
    // Each document has the accounts of the previous one, and more.
    for (const [accounts, sent] of [
      [200, signal],
      [300, other],
    ] as const) {
      const document = join(folder, `${accounts}.json`);
      writeFileSync(document, manyAccounts(accounts, Math.floor(Date.now() / 1000)));
      const { app, window } = await start(['--import', document]);
      const child = app.process();
      const ended = once(child, 'exit');
      await window.getByRole('dialog').getByRole('button', { name: 'Import', exact: true }).click();
      child.kill(sent);
      // The sender, such as a session manager, treats any other exit as a failure.
      expect(await ended).toEqual(sent === 'SIGKILL' ? [null, 'SIGKILL'] : [0, null]);
      const content = existsSync(file) ? await peek(keyring.env, file) : null;
      const after = content?.entities['Account']?.length ?? 0;
      expect(content?.state ?? 'ready').toBe('ready');
      expect([before, accounts]).toContain(after);
      before = after;
    }
  });
}
