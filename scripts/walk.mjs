// node scripts/walk.mjs: counts the files and functions of src-main that one update and one sign-out pass through, from the coverage of
// a real run on a vault in a temporary folder with a keychain in memory. With --names it lists the functions of each file as well.
import { mkdtempSync, rmSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { register } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const loader = `
import { readFileSync } from 'node:fs';
import { transformSync } from ${JSON.stringify(import.meta.resolve('esbuild'))};
export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const { code } = transformSync(readFileSync(new URL(url), 'utf8'), { loader: 'ts', format: 'esm', target: 'node20' });
  return { format: 'module', source: code, shortCircuit: true };
}`;
register(`data:text/javascript,${encodeURIComponent(loader)}`);

const { openVault, memoryKeychain } = await import(new URL('../src-main/index.ts', import.meta.url).href);
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Returns the response of a token endpoint for a made-up user. */
const event = (user) => ({
  client_id: 'walk',
  scope: ['user.read'],
  token_endpoint: 'https://login.microsoftonline.com/contoso/oauth2/v2.0/token',
  response: {
    token_type: 'Bearer',
    access_token: `access token of ${user}`,
    refresh_token: `refresh token of ${user}`,
    expires_in: 3600,
    client_info: encoded({ uid: user, utid: 'contoso' }),
    id_token: `${encoded({ alg: 'none' })}.${encoded({ sub: user, oid: user, tid: 'contoso', preferred_username: user })}.`,
  },
});

const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-walk-'));
const vault = await openVault({ file: join(folder, 'walk.vault'), keychain: memoryKeychain() });
await vault.update((cache) => cache.add(event('ada')));
const session = new Session();
session.connect();
await session.post('Profiler.enable');
await walk('update', () => vault.update((cache) => cache.add(event('bob'))));
await walk('sign-out', () => vault.signOut('ada.contoso'));
await vault.close();
rmSync(folder, { recursive: true });

/** V8 reports the initial values of a class's fields as a function, which has no name in the source. */
function isNamed(functionName) {
  return functionName !== '' && functionName !== '<instance_members_initializer>';
}

async function walk(name, operation) {
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await session.post('Profiler.takePreciseCoverage');
  await operation();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  await session.post('Profiler.stopPreciseCoverage');
  const files = result
    .filter(({ url }) => url.includes('/src-main/'))
    .map(({ url, functions }) => ({
      file: url.replace(/.*\/src-main\//, ''),
      names: functions
        .filter(({ functionName, ranges }) => isNamed(functionName) && ranges[0].count > 0)
        .map(({ functionName, ranges }) => `${functionName} (${ranges[0].count})`),
    }))
    .filter(({ names }) => names.length > 0)
    .sort((a, b) => b.names.length - a.names.length);
  const functions = files.reduce((sum, { names }) => sum + names.length, 0);
  console.log(`${name}: ${files.length} files, ${functions} functions`);
  for (const { file, names } of files) {
    console.log(`  ${file} ${names.length}`);
    if (process.argv.includes('--names')) for (const called of names) console.log(`    ${called}`);
  }
}
