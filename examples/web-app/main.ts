/**
 * `npm run web-app`: with CLIENT_ID in the environment or in examples/web-app/.env, uses Microsoft Entra ID or another provider; without
 * it, starts and uses the demo provider and its API. See README.md.
 */
import { existsSync } from 'node:fs';
import { startDemo } from './demo.ts';
import { settingsFrom } from './environment.ts';
import { startApp } from './running.ts';

const FILE = 'examples/web-app/.env'; // npm runs it from the root of the clone.

async function start(): Promise<void> {
  if (existsSync(FILE)) process.loadEnvFile(FILE);
  const demo = process.env['CLIENT_ID'] === undefined ? await startDemo(process.env) : undefined;
  const settings = demo?.settings ?? settingsFrom(process.env);
  const app = await startApp(settings);
  console.log(`Open ${settings.url}  (tokens in: ${settings.cache}; press Ctrl-C to end)`);
  if (demo !== undefined)
    console.log(
      'Your browser will warn about the certificate of the demo provider, which was created just now: accept it.',
    );
  let isEnding = false;
  const end = async (): Promise<void> => {
    if (isEnding) return;
    isEnding = true;
    await app.close();
    await demo?.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end());
}

try {
  await start();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1); // Servers that were started end with the process.
}
