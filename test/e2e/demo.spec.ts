import { expect, test } from '@playwright/test';
import { startKeyring } from '../support/keyring.ts';
import { startApp } from './app.ts';

test('the demo', async () => {
  const keyring = await startKeyring();
  const { app, window, output, quit } = await startApp(keyring.env, '--demo');
  await window.waitForTimeout(4000);
  await window.screenshot({ path: 'artifacts/app-e2e/demo.png' });
  console.log(output.join('\n'));
  console.log(await app.evaluate(({ app: a }) => [a.getPath('userData'), a.getName()]));
  const t = Date.now(); await quit(); console.log("quit", Date.now() - t);
  console.log("closing"); await keyring.close();
});
