/**
 * examples/embed as an independent app signs in, shows the account, and signs out, from its folder. Packaged: test/judges/embed.spec.ts, in
 * `npm run judges`.
 */
import { join } from 'node:path';
import { _electron } from '@playwright/test';
import { findElectron } from '../../scripts/electron-path.mjs';
import { drawn } from '../e2e/packaged.ts';
import { HELD } from '../support/driven.ts';
import { type Desk, refusesChangedModule, test } from './order-desk.ts';

async function startFrom(app: string, env: Record<string, string>): Promise<Desk> {
  const desk = await _electron.launch({
    executablePath: findElectron()!.executable,
    args: [...HELD, app],
    env,
    chromiumSandbox: true,
  });
  const window = await desk.firstWindow();
  await drawn(window);
  return { window, quit: () => desk.close() };
}

test('an app that embeds Tokenkeep signs in, keeps, shows and signs out, and loads no changed native module', async ({
  orderDesk: { app, env, signInAndOut },
}) => {
  test.skip(process.platform !== 'linux', 'the browser is a script in its PATH');
  test.setTimeout(240_000);
  await signInAndOut('noor', () => startFrom(app, env));
  const electron = [findElectron()!.executable, '--disable-gpu', app];
  refusesChangedModule(join(app, 'node_modules'), electron, env);
});
