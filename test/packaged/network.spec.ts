/** The record that test/e2e/network.spec.ts keeps of a packaged app does record calls: an empty record would prove nothing otherwise. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { profileFolder, test } from '../e2e/app.ts';
import { MARK } from '../e2e/ways-out/sinks.ts';
import { systemCalls } from '../e2e/ways-out/system-calls.ts';

test('the record of the system calls has the name that main looks up for a sign-in', async ({
  keyring,
  packagedApp,
  start,
}) => {
  const calls = systemCalls(packagedApp, join(keyring.env['HOME'] ?? '', 'calls'));
  if (calls === undefined) {
    test.info().annotations.push({ type: 'not recorded', description: 'strace can’t follow the app here' });
    return;
  }
  // The user has allowed an issuer that nobody has.
  const issuer = `https://${MARK}-control.example/`;
  const folder = profileFolder(keyring.env);
  mkdirSync(folder, { recursive: true });
  const profile = { id: 'control', kind: 'oidc', authority: issuer, name: 'x', client_id: 'x', scopes: [] };
  const profiles = [{ ...profile, redirect_uri: 'http://localhost/' }];
  const allowed = [{ issuer, hosts: [] }];
  writeFileSync(join(folder, 'sign-in-profiles.json'), JSON.stringify({ version: 1, profiles }));
  writeFileSync(join(folder, 'allowed-issuers.json'), JSON.stringify({ version: 1, allowed }));
  const { window, quit } = await start([], keyring.env, calls.executable);
  await window.getByRole('button', { name: 'Sign in…' }).first().waitFor();
  const before = calls.met().length;
  await window.mouse.click(5, 5);
  await window.evaluate("window.app.signIn('control', 'device', null)");
  await expect.poll(() => calls.met().length).toBeGreaterThan(before);
  await quit();
});
