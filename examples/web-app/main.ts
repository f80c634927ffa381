/**
 * `npm run web-app`: with CLIENT_ID in the environment against Microsoft Entra ID, or any provider; without, against the demo
 * provider and its API, which it starts. See README.md.
 */
import { startApp } from './app.ts';
import { startDemo } from './demo.ts';
import { settingsFrom } from './environment.ts';

const demo = process.env['CLIENT_ID'] === undefined ? await startDemo(process.env) : undefined;
const settings = demo?.settings ?? settingsFrom(process.env);
const app = await startApp(settings);
console.log(`${settings.url}  (token caches in: ${settings.cache})`);

let isEnding = false;
async function end(): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  await app.close();
  await demo?.close();
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end());
