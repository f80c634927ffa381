/** Someone changes the installed native code: it is not loaded, and nothing of the user's is touched. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from '@playwright/test';
import { profileFolder, test } from '../e2e/app.ts';
import { copyOf } from './copy.ts';

const platform = `${process.platform}-${process.arch}`;

for (const name of [
  `keytar/prebuilds/${platform}/keytar.node`,
  `fs-native-extensions/prebuilds/${platform}/fs-native-extensions.node`,
]) {
  for (const how of ['changed', 'missing']) {
    test(`${basename(name)}, ${how}: refused at the start`, async ({ packagedApp, keyring }) => {
      const { folder, program, remove } = copyOf(packagedApp);
      try {
        const binary = join(folder, 'resources/app.asar.unpacked/node_modules', name);
        const bytes = readFileSync(binary);
        rmSync(binary);
        // One byte more at the end: any loader would still take it.
        if (how === 'changed') writeFileSync(binary, Buffer.concat([bytes, Buffer.of(0)]));
        const child = spawn(program, [], { env: keyring.env });
        const said: string[] = [];
        child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
        const [code] = (await once(child, 'close')) as [number | null];
        expect(code).toBe(1);
        expect(said.join('')).toContain(`${basename(name)} is missing or was changed, so it was not loaded`);
        expect(existsSync(join(profileFolder(keyring.env), 'accounts.vault'))).toBe(false);
      } finally {
        remove();
      }
    });
  }
}
