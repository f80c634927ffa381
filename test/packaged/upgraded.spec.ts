/**
 * A package manager replaces the app while it runs, by a newer or an older version. The running one goes on writing, says that it has to
 * be restarted, and the other version finds all of it. What the update broke is refused with that sentence, and nothing else is.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPackageWithOptions, extractAll } from '@electron/asar';
import { expect, type Page } from '@playwright/test';
import { accountsOf, test, vaultFile, vector } from '../e2e/app.ts';
import { asNewer, keyOf } from '../e2e/library.ts';
import { startPackaged } from '../e2e/packaged.ts';
import { removePatiently } from '../support/remove.ts';
import { copyOf } from './copy.ts';

const FIRST = 'avery.howard@contoso.example';
const OTHER = 'lee.park';

/** As dpkg does it: files are removed and written anew, never written to. */
async function putVersion(folder: string, version: string, scratch: string): Promise<void> {
  const asar = join(folder, 'resources/app.asar');
  const code = join(scratch, version);
  extractAll(asar, code);
  const manifest = join(code, 'package.json');
  const content = JSON.parse(readFileSync(manifest, 'utf8')) as object;
  writeFileSync(manifest, JSON.stringify({ ...content, version }));
  for (const path of [asar, `${asar}.unpacked`]) rmSync(path, { recursive: true });
  await createPackageWithOptions(code, asar, { unpack: '**/*.node' });
}

for (const [change, version] of [
  ['upgraded', '9.0.0-development'],
  ['downgraded', '0.0.1-development'],
] as const) {
  test(`${change} while it runs: it goes on writing, and the other version has everything`, async ({
    packagedApp,
    keyring,
  }) => {
    test.setTimeout(120_000);
    const { folder, program, remove } = copyOf(packagedApp);
    const scratch = await mkdtemp(join(tmpdir(), 'tokenkeep-version-'));
    const first = vector('documents', 'msal-python-aad-single.json');
    const { child, started } = await startPackaged(program, keyring.env, ['--import', first]);
    try {
      const { window } = started;
      const agree = async (): Promise<void> => {
        const dialog = window.getByRole('dialog');
        await dialog.getByRole('button', { name: 'Import', exact: true }).click();
        await dialog.waitFor({ state: 'detached' });
      };
      await agree();
      await expect(accountsOf(window)).toContainText(FIRST);
      await putVersion(folder, version, scratch);

      // The other version, started beside it, hands over and leaves.
      const other = vector('documents', 'msal-node-7-adfs.json');
      expect(await started.startAgain(['--import', other])).toBe(0);
      await agree();
      await expect(accountsOf(window)).toContainText(OTHER);
      // A page that is loaded again comes from files that were replaced as well.
      await window.reload();
      await expect(accountsOf(window)).toContainText(OTHER);
      await expect(window.getByText('Restart to finish the update')).toBeVisible();
      await started.quit();

      const next = await startPackaged(program, keyring.env, []);
      try {
        for (const name of [FIRST, OTHER]) await expect(accountsOf(next.started.window)).toContainText(name);
        await expect(next.started.window.getByText('Restart to finish the update')).toHaveCount(0);
        await next.started.quit();
      } finally {
        next.child.kill('SIGKILL');
      }
    } finally {
      child.kill('SIGKILL');
      remove();
      removePatiently(scratch);
    }
  });
}

/** What the update line says, and the first words of each refusal. */
const SENTENCE = 'Restart to finish the update';

test('what the update broke is refused with its sentence, and what it did not break in its own words', async ({
  packagedApp,
  keyring,
}) => {
  test.setTimeout(120_000);
  const { folder, program, remove } = copyOf(packagedApp);
  const scratch = await mkdtemp(join(tmpdir(), 'tokenkeep-version-'));
  const first = vector('documents', 'msal-python-aad-single.json');
  const { child, started } = await startPackaged(program, keyring.env, ['--import', first]);
  try {
    const { window } = started;
    const dialog = window.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Import', exact: true }).click();
    await expect(accountsOf(window)).toContainText(FIRST);
    // Two faults that could come from an update: files of the app that are gone, and a vault that a newer version wrote.
    for (const name of ['THIRD-PARTY-NOTICES.txt', 'LICENSE'])
      rmSync(join(folder, 'resources', name), { force: true });
    const file = vaultFile(keyring.env);
    const newer = asNewer(readFileSync(file), await keyOf(keyring.env, file));
    writeFileSync(`${file}-newer`, newer);
    renameSync(`${file}-newer`, file);

    // Nothing was updated, so that neither is told as an update's.
    expect(await failures(window)).toEqual([
      { code: 'unexpected', message: expect.stringMatching(/^The licence texts are missing/) },
      { code: 'vault_newer', message: expect.not.stringContaining(SENTENCE) },
    ]);
    await expect(window.getByText(SENTENCE)).toHaveCount(0);

    await putVersion(folder, '9.0.0-development', scratch);
    const refusal = { code: 'update_unfinished', message: expect.stringMatching(`^${SENTENCE}\\. `) };
    expect(await failures(window)).toEqual([refusal, refusal]);
    await window.getByRole('button', { name: 'More' }).click();
    await window.getByRole('menuitem', { name: 'About Tokenkeep' }).click();
    await dialog.getByRole('button', { name: 'Show licences of the included software' }).click();
    await expect(window.getByText(`${SENTENCE}. Tokenkeep was updated while it was running`)).toBeVisible();
    await window.keyboard.press('Escape');
    await expect(dialog).toHaveCount(0);

    // A document that was broken before is no fault of the update.
    const broken = join(scratch, 'broken.json');
    writeFileSync(broken, '{ "Account": ');
    expect(await started.startAgain(['--import', broken])).toBe(0);
    const alert = window.getByRole('alertdialog');
    await expect(alert).toContainText('cut off while it was written');
    await expect(alert).not.toContainText(SENTENCE);
    await started.quit();
  } finally {
    child.kill('SIGKILL');
    remove();
    removePatiently(scratch);
  }
});

/** The errors of a request of each kind that fails now: one of the app's own, and one of the vault. */
async function failures(window: Page): Promise<unknown[]> {
  return window.evaluate(async () => {
    const { app, tokenCache } = globalThis as unknown as Record<
      'app' | 'tokenCache',
      Record<'showLicences' | 'compact', () => Promise<{ error?: unknown }>>
    >;
    return [(await app.showLicences()).error, (await tokenCache.compact()).error];
  });
}
