/** examples/embed, packaged by its own configuration: it signs in, shows the account, and signs out. */
import { join, resolve } from 'node:path';
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { expect } from '@playwright/test';
import { findElectron } from '../../scripts/electron-path.mjs';
import { startPackaged } from '../e2e/packaged.ts';
import { linkSandboxHelper } from '../packaged/copy.ts';
import { npm, refusesChangedModule, test } from '../packaged/order-desk.ts';

/** By its own configuration, with this machine's Electron, which may be the development runtime. */
function packageApp(app: string): string {
  const { dist, version } = findElectron()!;
  const hook = resolve('scripts/packaging/remove-loader.cjs');
  const electron = [`-c.electronDist=${dist}`, `-c.electronVersion=${version}`, `-c.afterPack=${hook}`];
  npm(['run', 'package', '--', '--publish', 'never', ...electron], app);
  const folder = join(app, 'dist/linux-unpacked');
  linkSandboxHelper(dist, folder);
  return join(folder, 'order-desk');
}

test('an app that embeds Tokenkeep signs in, keeps, shows and signs out, packaged', async ({
  orderDesk: { app, env, signInAndOut },
}) => {
  test.skip(process.platform !== 'linux', 'the browser is a script in its PATH');
  test.setTimeout(480_000);
  const executable = packageApp(app);
  const wire = await getCurrentFuseWire(executable);
  expect(wire[FuseV1Options.RunAsNode]).toBe('0'.charCodeAt(0));
  const running: { kill: (signal: NodeJS.Signals) => void }[] = [];
  try {
    await signInAndOut('piet', async () => {
      const { child, started } = await startPackaged(executable, env, []);
      running.push(child);
      return started;
    });
  } finally {
    for (const child of running) child.kill('SIGKILL');
  }
  const modules = join(app, 'dist/linux-unpacked/resources/app.asar.unpacked/node_modules');
  refusesChangedModule(modules, [executable], env);
});
