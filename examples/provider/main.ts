/**
 * The provider as a program: `node artifacts/provider/main.mjs [--port N] [--access-token-ttl SECONDS] [--entra]`. Prints one line of JSON
 * when it listens, and ends when it is asked to, or when its parent process has ended.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ProviderOptions, startProvider } from './provider.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    'access-token-ttl': { type: 'string' },
    entra: { type: 'boolean', default: false },
  },
});

function whole(name: 'port' | 'access-token-ttl'): number | undefined {
  const value = values[name];
  if (value === undefined) return undefined;
  if (!/^\d{1,9}$/.test(value)) throw new Error(`--${name} takes a whole number.`);
  return Number(value);
}

const [port, accessTokenTtl] = [whole('port'), whole('access-token-ttl')];
const options: ProviderOptions = {
  entra: values.entra,
  ...(port === undefined ? {} : { port }),
  ...(accessTokenTtl === undefined ? {} : { accessTokenTtl }),
};
const provider = await startProvider(options);
const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-provider-'));
const ca = join(folder, 'ca.pem');
writeFileSync(ca, provider.ca);
const { issuer, users, clients } = provider;
console.log(
  JSON.stringify({
    issuer,
    ca,
    users: users.map(({ id }) => id),
    clients: clients.map((client) => client.client_id),
  }),
);

let ending = false;
async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  await provider.stop();
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end());
process.on('disconnect', () => void end());
// A killed parent sends no signal, but its children get another parent.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) void end();
}, 250).unref();
