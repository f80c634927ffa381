/**
 * @azure/identity with its own persistence says who is signed in, before and after Tokenkeep has signed a user out of its item in a real
 *   keyring. The packages are installed into a temporary folder; their keytar has no binary for this system, so the repository's takes its
 *   place.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { findSources } from '../../src-main/sources/find.ts';
import { readSource } from '../../src-main/sources/read.ts';
import { secretService } from '../../src-main/sources/secret-service.ts';
import { signOutAtSource } from '../../src-main/sources/sign-out.ts';
import { type OwnKeyring, startKeyring } from '../support/keyring.ts';

const TENANT = '22222222-aaaa-bbbb-cccc-000000000002';
const CLIENT = '04b07795-8ddb-461a-bbee-02f9e1bf7b46';
const ROOT = join(import.meta.dirname, '../..');
let packages: string;
let home: string;
let keyring: OwnKeyring;

beforeAll(async () => {
  packages = mkdtempSync(join(tmpdir(), 'tokenkeep-azure-identity-'));
  writeFileSync(join(packages, 'package.json'), '{"private":true}');
  const names = ['@azure/identity@4.13.1', '@azure/identity-cache-persistence@1.2.0'];
  const npm = spawnSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...names], {
    cwd: packages,
    encoding: 'utf8',
  });
  expect(npm.status, npm.stderr).toBe(0);
  rmSync(join(packages, 'node_modules/keytar'), { recursive: true });
  cpSync(realpathSync(join(ROOT, 'node_modules/keytar')), join(packages, 'node_modules/keytar'), {
    recursive: true,
  });
  keyring = await startKeyring();
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-azure-identity-home-'));
}, 180_000);
afterAll(async () => {
  await keyring.close();
  for (const folder of [packages, home]) rmSync(folder, { recursive: true, force: true });
});

const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
function documentOf(...names: string[]): string {
  const cache = new SerializableTokenCache();
  for (const name of names)
    cache.add({
      client_id: CLIENT,
      scope: ['https://management.azure.com/.default'],
      token_endpoint: `https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/token`,
      grant_type: 'authorization_code',
      response: {
        token_type: 'Bearer',
        expires_in: 3600,
        access_token: `at-${name}`,
        refresh_token: `rt-${name}`,
        client_info: b64({ uid: name, utid: TENANT }),
        id_token: `${b64({ alg: 'none' })}.${b64({ sub: name, oid: name, tid: TENANT, aud: CLIENT, iss: `https://login.microsoftonline.com/${TENANT}/v2.0`, preferred_username: `${name}@contoso.example` })}.x`,
      },
    });
  return cache.serialize({ dialect: 'msal-node' });
}

function program(...words: string[]): Record<string, string> {
  const script = join(import.meta.dirname, 'offline/azure-identity.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, CLIENT, TENANT, ...words], {
    cwd: packages,
    env: { PATH: process.env['PATH'], ...keyring.env, HOME: home },
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(status, stderr).toBe(0);
  return stdout === '' ? {} : (JSON.parse(stdout) as Record<string, string>);
}

it('finds nobody where an account was signed out, by its own word, and serves everyone else', async () => {
  const seed = join(home, 'seed.json');
  writeFileSync(seed, documentOf('ada', 'ben'));
  program('seed', seed);
  rmSync(seed);
  // The library makes this file, whose time it looks at.
  mkdirSync(join(home, '.IdentityService'), { recursive: true });
  expect(program('ada')).toEqual({ token: 'at-ada' });
  expect(program('ben')).toEqual({ token: 'at-ben' });
  expect(readdirSync(join(home, '.IdentityService')).length).toBeGreaterThan(0);

  const source = (await findSources({ home, platform: 'linux' })).find(
    ({ program: id }) => id === 'azure-identity-js',
  )!;
  const options = { secrets: { secretService: () => secretService(keyring.env) } };
  const { accounts } = await readSource(source, options);
  expect(accounts).toHaveLength(2);
  const ada = accounts.find(({ username }) => username.startsWith('ada'))!;
  expect((await signOutAtSource(source, ada, options)).remaining).toBe(0);

  expect(program('ada')).toMatchObject({ error: 'AuthenticationRequiredError' });
  expect(program('ben')).toEqual({ token: 'at-ben' });
}, 120_000);
