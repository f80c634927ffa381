/**
 * A package manager replaces the app while it runs, by a newer or an older version. The running app continues to write and says that it has
 * to be restarted, and the other version finds all changes. Only requests that the update broke are refused, with that sentence.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPackageWithOptions, extractAll } from '@electron/asar';
import { expect, type Page } from '@playwright/test';
import { accountsOf, test, vaultFile, vector } from '../e2e/app.ts';
import { asNewer, keyOf } from '../e2e/library.ts';
import { startPackaged, type Started } from '../e2e/packaged.ts';
import { RESTART_TO_FINISH } from '../../src-main/errors.ts';
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

interface Installed {
  /** The folder of the copy that a package manager would replace. */
  readonly folder: string;
  readonly program: string;
  /** A folder of this test's own. */
  readonly scratch: string;
  readonly started: Started;
}

/** Runs `act` in an app of its own, which was started with a first document and has imported it. */
async function withInstalled(
  packagedApp: string,
  env: Record<string, string>,
  act: (installed: Installed) => Promise<void>,
): Promise<void> {
  const { folder, program, remove } = copyOf(packagedApp);
  const scratch = await mkdtemp(join(tmpdir(), 'tokenkeep-version-'));
  const first = vector('documents', 'msal-python-aad-single.json');
  const { child, started } = await startPackaged(program, env, ['--import', first]);
  try {
    await agree(started.window);
    await expect(accountsOf(started.window)).toContainText(FIRST);
    await act({ folder, program, scratch, started });
  } finally {
    child.kill('SIGKILL');
    remove();
    removePatiently(scratch);
  }
}

/** Confirms the import that is shown. */
async function agree(window: Page): Promise<void> {
  const dialog = window.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
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
    await withInstalled(packagedApp, keyring.env, async ({ folder, program, scratch, started }) => {
      const { window } = started;
      await putVersion(folder, version, scratch);

      // The other version, started beside it, hands over and leaves.
      const other = vector('documents', 'msal-node-7-adfs.json');
      expect(await started.startAgain(['--import', other])).toBe(0);
      await agree(window);
      await expect(accountsOf(window)).toContainText(OTHER);
      // A page that is loaded again comes from files that were replaced as well.
      await window.reload();
      await expect(accountsOf(window)).toContainText(OTHER);
      await expect(window.getByText(RESTART_TO_FINISH)).toBeVisible();
      await started.quit();

      const next = await startPackaged(program, keyring.env, []);
      try {
        for (const name of [FIRST, OTHER]) await expect(accountsOf(next.started.window)).toContainText(name);
        await expect(next.started.window.getByText(RESTART_TO_FINISH)).toHaveCount(0);
        await next.started.quit();
      } finally {
        next.child.kill('SIGKILL');
      }
    });
  });
}

test('what the update broke is refused with its sentence, and what it did not break in its own words', async ({
  packagedApp,
  keyring,
}) => {
  test.setTimeout(120_000);
  await withInstalled(packagedApp, keyring.env, async ({ folder, scratch, started }) => {
    const { window } = started;
    const dialog = window.getByRole('dialog');
    // Two faults that could come from an update: files of the app that are gone, and a vault that a newer version wrote.
    for (const name of ['THIRD-PARTY-NOTICES.txt', 'LICENSE'])
      rmSync(join(folder, 'resources', name), { force: true });
    const file = vaultFile(keyring.env);
    const newer = asNewer(readFileSync(file), await keyOf(keyring.env, file));
    writeFileSync(`${file}-newer`, newer);
    renameSync(`${file}-newer`, file);

    // Nothing was updated, so that neither is told as an update's.
    expect(await failures(window)).toEqual([
      { code: 'unexpected', message: expect.stringMatching(/^The license texts are missing/) },
      { code: 'vault_newer', message: expect.not.stringContaining(RESTART_TO_FINISH) },
    ]);
    await expect(window.getByText(RESTART_TO_FINISH)).toHaveCount(0);

    await putVersion(folder, '9.0.0-development', scratch);
    const refusal = {
      code: 'update_unfinished',
      message: expect.stringMatching(`^${RESTART_TO_FINISH}\\. `),
    };
    expect(await failures(window)).toEqual([refusal, refusal]);
    await window.getByRole('button', { name: 'More' }).click();
    await window.getByRole('menuitem', { name: 'About Tokenkeep' }).click();
    await dialog.getByRole('button', { name: 'Show licenses of the included software' }).click();
    await expect(
      window.getByText(`${RESTART_TO_FINISH}. Tokenkeep was updated while it was running`),
    ).toBeVisible();
    await window.keyboard.press('Escape');
    await expect(dialog).toHaveCount(0);

    // A document that was broken before is no fault of the update.
    const broken = join(scratch, 'broken.json');
    writeFileSync(broken, '{ "Account": ');
    expect(await started.startAgain(['--import', broken])).toBe(0);
    const alert = window.getByRole('alertdialog');
    await expect(alert).toContainText('cut off while it was written');
    await expect(alert).not.toContainText(RESTART_TO_FINISH);
    await started.quit();
  });
});

/** The errors of a request of each kind that fails now: one of the app's own, and one of the vault. */
async function failures(window: Page): Promise<unknown[]> {
  await window.keyboard.press('Shift'); // the licenses open a file manager, which needs a key press that main saw
  return window.evaluate(async () => {
    const { app, tokenCache } = globalThis as unknown as Record<
      'app' | 'tokenCache',
      Record<'showLicenses' | 'compact', () => Promise<{ error?: unknown }>>
    >;
    return [(await app.showLicenses()).error, (await tokenCache.compact()).error];
  });
}
