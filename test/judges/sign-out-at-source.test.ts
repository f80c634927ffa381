/**
 * The real azure-cli and a long-lived program on MSAL Python's extensions say who is signed in, before and after Tokenkeep has signed
 * somebody out of their cache. Debian's packages are unpacked into a temporary folder and not installed.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { removePatiently } from '../support/remove.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { findSources, type FoundSource, sourceFromFile } from '../../src-main/sources/find.ts';
import { readSource } from '../../src-main/sources/read.ts';
import { secretService } from '../../src-main/sources/secret-service.ts';
import { signOutAtSource } from '../../src-main/sources/sign-out.ts';
import { startKeyring } from '../support/keyring.ts';

const TENANT = '22222222-aaaa-bbbb-cccc-000000000002';
const AZ = '04b07795-8ddb-461a-bbee-02f9e1bf7b46';
const ARM = 'https://management.core.windows.net//.default';
const OFFLINE = join(import.meta.dirname, 'offline');
let packages: string;
let home: string;

beforeAll(() => {
  packages = mkdtempSync(join(tmpdir(), 'tokenkeep-azure-cli-'));
  const script = `
    set -eu
    wanted=$(apt-get install --no-install-recommends -s azure-cli python3-msal-extensions | awk '/^Inst/{print $2}')
    [ -n "$wanted" ] || exit 0 # they are installed
    mkdir debs; cd debs
    apt-get download $wanted
    for deb in *.deb; do dpkg -x "$deb" ..; done
    rm -r ../debs`;
  const { status, stderr } = spawnSync('bash', ['-c', script], { cwd: packages, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
});
afterAll(() => rmSync(packages, { recursive: true, force: true }));

const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
function documentOf(...names: string[]): string {
  const cache = new SerializableTokenCache();
  for (const name of names)
    cache.add({
      client_id: AZ,
      scope: [ARM],
      token_endpoint: `https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/token`,
      grant_type: 'authorization_code',
      response: {
        token_type: 'Bearer',
        expires_in: 3600,
        access_token: `at-${name}`,
        refresh_token: `rt-${name}`,
        foci: '1',
        client_info: b64({ uid: name, utid: TENANT }),
        id_token: `${b64({ alg: 'none' })}.${b64({ sub: name, oid: name, tid: TENANT, aud: AZ, iss: `https://login.microsoftonline.com/${TENANT}/v2.0`, preferred_username: `${name}@contoso.example` })}.x`,
      },
    });
  return cache.serialize({ dialect: 'msal-python' });
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-az-home-'));
  mkdirSync(join(home, '.azure'));
  writeFileSync(join(home, '.azure/config'), '[core]\ncollect_telemetry = no\nencrypt_token_cache = false\n');
  const subscription = (name: string, id: number) => ({
    id: `33333333-0000-0000-0000-00000000000${id}`,
    name,
    state: 'Enabled',
    user: { name: `${name}@contoso.example`, type: 'user' },
    isDefault: id === 1,
    tenantId: TENANT,
    homeTenantId: TENANT,
    environmentName: 'AzureCloud',
    managedByTenants: [],
  });
  writeFileSync(
    join(home, '.azure/azureProfile.json'),
    `\ufeff${JSON.stringify({ installationId: 'x', subscriptions: [subscription('ada', 1), subscription('ben', 2)] })}`,
  );
  writeFileSync(join(home, '.azure/msal_token_cache.json'), documentOf('ada', 'ben'), { mode: 0o600 });
  return () => removePatiently(home);
});

const environment = () => ({
  PATH: process.env['PATH'],
  HOME: home,
  TENANT,
  AZURE_CONFIG_DIR: join(home, '.azure'),
  PYTHONPATH: `${OFFLINE}:${join(packages, 'usr/lib/python3/dist-packages')}`,
});
function az(...words: string[]) {
  const { status, stdout, stderr } = spawnSync('/usr/bin/python3', ['-m', 'azure.cli', ...words], {
    env: environment(),
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}
const tokenOf = (id: number) =>
  az('account', 'get-access-token', '--subscription', `33333333-0000-0000-0000-00000000000${id}`);

async function azureCli(): Promise<FoundSource> {
  return (await findSources({ home, platform: 'linux' })).find(({ program }) => program === 'azure-cli')!;
}
async function accountOf(source: FoundSource, name: string) {
  return (await readSource(source)).accounts.find(({ username }) => username.startsWith(name))!;
}

describe('azure-cli', () => {
  it('finds nobody where an account was signed out, by its own word, and serves everyone else', async () => {
    expect(tokenOf(1).stdout).toContain('at-ada');
    expect(tokenOf(2).stdout).toContain('at-ben');
    const source = await azureCli();
    const mode = statSync(source.file).mode;
    const receipt = await signOutAtSource(source, await accountOf(source, 'ada'));
    expect(receipt.remaining).toBe(0);
    const after = tokenOf(1);
    expect(after.status).not.toBe(0);
    expect(after.stderr).toMatch(/az login|does not exist|doesn't exist|not found/i);
    expect(tokenOf(2).stdout).toContain('at-ben');
    expect(JSON.parse(az('account', 'show').stdout)).toMatchObject({ user: { name: 'ben@contoso.example' } });
    expect(statSync(source.file).mode).toBe(mode);
  });

  it('loses nothing while three of it refresh and somebody else is signed out', async () => {
    const leaving = Array.from({ length: 60 }, (_, index) => `carl${index}`);
    writeFileSync(join(home, '.azure/msal_token_cache.json'), documentOf('ada', 'ben', ...leaving), {
      mode: 0o600,
    });
    const source = await azureCli();
    const { accounts: all } = await readSource(source);
    const running = [1, 2, 1].map(
      (id) =>
        new Promise<string>((resolve) => {
          const child = spawn(
            '/usr/bin/python3',
            [
              '-m',
              'azure.cli',
              'account',
              'get-access-token',
              '--scope',
              'https://graph.microsoft.com/.default',
              '--subscription',
              `33333333-0000-0000-0000-00000000000${id}`,
            ],
            { env: environment() },
          );
          let out = '';
          child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
          child.on('close', () => resolve(out));
        }),
    );
    // One after the other until the last az has ended, so that some of them meet its writes.
    const az = { isRunning: true };
    const answers = Promise.all(running).finally(() => (az.isRunning = false));
    let signedOut = 0;
    for (const account of all.filter(({ username }) => username.startsWith('carl'))) {
      expect((await signOutAtSource(source, account, { deadline: 20_000 })).remaining).toBe(0);
      signedOut += 1;
      if (az.isRunning) await new Promise((resolve) => setTimeout(resolve, 250));
    }
    expect(signedOut).toBe(leaving.length);
    for (const out of await answers) expect(out).toContain('fresh-');
    const { accounts } = await readSource(source);
    expect(accounts.map(({ username }) => username).sort()).toEqual([
      'ada@contoso.example',
      'ben@contoso.example',
    ]);
    expect(statSync(source.file).mode & 0o777).toBe(0o600);
  });
});

describe('a program on MSAL Python’s extensions that runs on', () => {
  let program: ChildProcess;
  let answers: AsyncIterator<string>;
  async function asked(words: string): Promise<Record<string, unknown>> {
    if (words !== '') program.stdin!.write(`${words}\n`);
    const { value } = await answers.next();
    return JSON.parse(value as string) as Record<string, unknown>;
  }

  it.each(['file', 'keyring'] as const)(
    'sees the sign-out in a %s, and does not bring the account back at its next refresh',
    async (kind) => {
      const keyring = kind === 'keyring' ? await startKeyring() : null;
      const options = { secrets: { secretService: () => secretService(keyring?.env) } };
      const file = join(home, kind === 'file' ? 'cache.json' : '.azure/msal_token_cache.sig');
      if (kind === 'keyring') rmSync(join(home, '.azure/msal_token_cache.json'));
      program = spawn('/usr/bin/python3', [join(OFFLINE, 'long_lived.py'), file, AZ, TENANT, kind], {
        env: { ...environment(), ...keyring?.env, HOME: home },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      try {
        answers = createInterface({ input: program.stdout! })[Symbol.asyncIterator]();
        await asked('');
        await asked(`seed ${JSON.stringify(documentOf('ada', 'ben'))}`);
        expect(await asked('list')).toEqual({ accounts: ['ada@contoso.example', 'ben@contoso.example'] });
        expect(await asked('refresh ben')).toEqual({ token: 'fresh-ben' });
        const source =
          kind === 'file'
            ? (await sourceFromFile(file))!
            : (await findSources({ home, platform: 'linux' })).find(
                ({ sealing }) => sealing === 'secret-service',
              )!;
        const { accounts } = await readSource(source, options);
        const ada = accounts.find(({ username }) => username.startsWith('ada@'))!;
        expect((await signOutAtSource(source, ada, options)).remaining).toBe(0);
        expect(await asked('refresh ben')).toEqual({ token: 'fresh-ben' });
        expect(await asked('list')).toEqual({ accounts: ['ben@contoso.example'] });
        const left = await readSource(source, options);
        expect(left.accounts.map(({ username }) => username)).toEqual(['ben@contoso.example']);
      } finally {
        program.kill();
        await keyring?.close();
      }
    },
  );
});
