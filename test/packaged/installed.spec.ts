/** What a user does with the package: installs it, starts it, uses it, removes it; and finds the sign-ins still there. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { packaged } from '../../scripts/packaging/development-build.mjs';
import { importDocument, providersAsked, test, vaultFile, vector } from '../e2e/app.ts';
import { peek } from '../e2e/library.ts';
import { startPackaged } from '../e2e/packaged.ts';
import { install } from './installing.ts';
import { processesOf } from './processes.ts';

const PYTHON = vector('documents', 'msal-python-aad-several.json');
const NODE = vector('documents', 'msal-node-7-adfs.json');

test('installed, started by an ordinary user, used, removed; the vault stays', async ({ keyring }) => {
  test.skip(process.platform !== 'linux', 'a deb is for Linux');
  test.setTimeout(180_000);
  const { deb } = packaged(process.cwd()) as { deb: string };
  const { program, root, byApt, remove } = await install(deb);
  const file = vaultFile(keyring.env);
  try {
    await test.step('it is where the desktop looks for it, root’s, and registers nothing', () => {
      const entry = readFileSync(join(root, '/usr/share/applications/tokenkeep-development.desktop'), 'utf8');
      expect(entry).toMatch(/^Icon=tokenkeep-development$/m);
      expect(entry).toMatch(/^Exec="?\/opt\/Tokenkeep-Development\/tokenkeep-development"?/m);
      expect(entry).not.toMatch(/MimeType|x-scheme-handler/);
      for (const size of [16, 48, 256, 512])
        expect(
          existsSync(join(root, `/usr/share/icons/hicolor/${size}x${size}/apps/tokenkeep-development.png`)),
        ).toBe(true);
      if (!byApt) return;
      const { uid, mode } = statSync(program);
      expect([uid, mode & 0o022]).toEqual([0, 0]);
      expect(process.getuid?.()).not.toBe(0);
    });

    await test.step('started, it imports two documents and signs one account out', async () => {
      const { child, started } = await startPackaged(program, keyring.env, []);
      try {
        const { window } = started;
        const page = (await processesOf(window)).find(({ type }) => type === 'renderer');
        expect(page?.command).toContain('/opt/Tokenkeep-Development/');
        expect(page?.status).toMatch(/^Seccomp:\s+2$/m);
        await importDocument(started, PYTHON);
        await importDocument(started, NODE);
        await expect(window.getByText('Encrypted')).toBeVisible();
        const list = window.getByRole('listbox', { name: 'Accounts' });
        await list.getByRole('option').filter({ hasText: 'lee.park' }).click();
        await window.getByRole('button', { name: 'Sign out…' }).click();
        const question = window.getByRole('alertdialog');
        // Nobody is there to allow the provider of an imported account, which revoking asks for.
        await providersAsked(question);
        const revoke = question.getByRole('checkbox', { name: /revoke/i });
        if ((await revoke.count()) > 0) await revoke.uncheck();
        await question.getByRole('button', { name: 'Sign out', exact: true }).click();
        await expect(window.getByRole('dialog')).toContainText('None (checked again)');
        await window.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
        await expect(list).not.toContainText('lee.park');
        await started.quit();
      } finally {
        child.kill('SIGKILL');
      }
    });
    await test.step('the same program is the command', () => {
      const { DISPLAY: _, ...env } = keyring.env;
      const { stdout, status } = spawnSync(program, ['list'], { env, encoding: 'utf8' });
      expect([status, stdout]).toEqual([0, expect.stringMatching(/priya\.nair\S+ .*vault$/m)]);
      expect(stdout).not.toContain('lee.park');
    });
  } finally {
    await remove();
  }

  expect(existsSync(program)).toBe(false);
  expect(existsSync(join(root, '/opt/Tokenkeep-Development'))).toBe(false);
  const { state, entities } = await peek(keyring.env, file);
  expect(state).toBe('ready');
  const users = Object.keys((JSON.parse(readFileSync(PYTHON, 'utf8')) as { Account: object }).Account);
  expect(entities['Account']).toHaveLength(users.length);
});
