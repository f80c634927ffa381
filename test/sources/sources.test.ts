import { spawn, spawnSync } from 'node:child_process';
import fs, {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { azureProfileWithout } from '../../src-main/sources/azure-profile.ts';
import { displayPath, findSources, type FoundSource, sourceFromFile } from '../../src-main/sources/find.ts';
import { commandToLeave, howToLeave, readSource } from '../../src-main/sources/read.ts';
import { signOutAtSource } from '../../src-main/sources/sign-out.ts';
import { watchSource } from '../../src-main/sources/watch.ts';

const TENANT = '22222222-aaaa-bbbb-cccc-000000000002';
const NOW = 1_800_000_000;
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-sources-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function b64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function documentOf(names: readonly string[], dialect: 'msal-python' | 'msal-node' | 'msal-dotnet'): string {
  const cache = new SerializableTokenCache({ now: () => NOW });
  for (const name of names)
    cache.add({
      client_id: '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
      scope: ['https://management.azure.com/.default'],
      token_endpoint: `https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/token`,
      response: {
        token_type: 'Bearer',
        expires_in: 3600,
        access_token: `at-${name}`,
        refresh_token: `rt-${name}`,
        foci: '1',
        client_info: b64({ uid: name, utid: TENANT }),
        id_token: `${b64({ alg: 'none' })}.${b64({ sub: name, oid: name, tid: TENANT, iss: `https://login.microsoftonline.com/${TENANT}/v2.0`, preferred_username: `${name}@contoso.example` })}.x`,
      },
    });
  return cache.serialize({ dialect });
}

function put(path: string, text: string, mode = 0o600): string {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
  return file;
}

async function onlySource(platform: NodeJS.Platform = 'linux'): Promise<FoundSource> {
  const found = await findSources({ home, platform });
  expect(found).toHaveLength(1);
  return found[0]!;
}

async function accountOf(source: FoundSource, name: string) {
  const { accounts } = await readSource(source, { now: () => NOW });
  return accounts.find(({ username }) => username.startsWith(`${name}@`))!;
}

describe('finding', () => {
  it('finds nothing in an empty home, and creates nothing', async () => {
    expect(await findSources({ home, platform: 'linux' })).toEqual([]);
    expect(readdirSync(home)).toEqual([]);
  });

  it('finds each program by its own file, and reads none of them', async () => {
    put('.azure/msal_token_cache.json', '{');
    put('.azd/auth/msal/cache.json', '{');
    put('.IdentityService/msal.cache.nocae', '{"Account":{}}');
    put('.IdentityService/msal.cache.nocae.lockfile', '1');
    put('.cli-m365-msal.json', '{');
    put('.config/gh/hosts.yml', 'github.com:\n    user: ada\n');
    put('.config/Code/User/globalStorage/state.vscdb', 'SQLite');
    const found = await findSources({ home, platform: 'linux' });
    expect(found.map(({ program }) => program)).toEqual([
      'azure-cli',
      'azd',
      'identity-service',
      'm365',
      'vscode',
      'gh',
    ]);
    expect(found.map(({ size }) => size)).toEqual([1, 1, 14, 1, 6, 26]);
  });

  it('follows the variables that move a folder, and passes over a relative one', async () => {
    put('elsewhere/msal_token_cache.json', '{}');
    const moved = { AZURE_CONFIG_DIR: join(home, 'elsewhere') };
    expect((await findSources({ home, platform: 'linux', env: moved }))[0]?.file).toBe(
      join(home, 'elsewhere/msal_token_cache.json'),
    );
    expect(await findSources({ home, platform: 'linux', env: { AZURE_CONFIG_DIR: 'elsewhere' } })).toEqual(
      [],
    );
  });

  it.each([
    ['/home/ada/.azure/x', '/home/ada', '~/.azure/x'],
    ['/home/ada', '/home/ada', '~'],
    ['/home/ada2/.azure/x', '/home/ada', '/home/ada2/.azure/x'],
    ['C:\\Users\\ada\\x', 'C:\\Users\\ada', '~\\x'],
    ['/srv/x', '/home/ada', '/srv/x'],
  ])('shows %s in the home %s as %s', (path, own, shown) => {
    expect(displayPath(path, own)).toBe(shown);
  });

  it('looks where the variables of this process say, unless another home is given', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-moved-'));
    writeFileSync(join(folder, 'msal_token_cache.json'), '{"Account":{}}');
    vi.stubEnv('AZURE_CONFIG_DIR', folder);
    try {
      const file = join(folder, 'msal_token_cache.json');
      expect((await findSources({ platform: 'linux' })).map((source) => source.file)).toContain(file);
      expect(
        (await findSources({ platform: 'linux', home: folder })).map((source) => source.file),
      ).not.toContain(file);
    } finally {
      vi.unstubAllEnvs();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('takes any document that the user adds', async () => {
    const file = put('ci/cache.json', documentOf(['ada'], 'msal-node'));
    const source = (await sourceFromFile(file))!;
    expect((await readSource(source)).accounts.map(({ username }) => username)).toEqual([
      'ada@contoso.example',
    ]);
    expect(await sourceFromFile(join(home, 'nothing.json'))).toBeNull();
  });
});

describe('reading', () => {
  it.each(['msal-python', 'msal-node', 'msal-dotnet'] as const)('reads what %s writes', async (dialect) => {
    put('.azure/msal_token_cache.json', documentOf(['ada', 'ben'], dialect));
    const reading = await readSource(await onlySource());
    expect(reading.state).toBe('accounts');
    expect(reading.accounts.map(({ username }) => username).sort()).toEqual([
      'ada@contoso.example',
      'ben@contoso.example',
    ]);
  });

  it.each([
    ['nothing', ''],
    ['white space', ' \n'],
    ['an empty document', '{}'],
    ['a byte order mark and an empty document', '\ufeff{}'],
  ])('says that nobody is signed in where the file has %s', async (_, text) => {
    put('.azure/msal_token_cache.json', text);
    expect(await readSource(await onlySource())).toMatchObject({ state: 'empty', accounts: [] });
  });

  it('looks again at a document that is being written', async () => {
    const whole = documentOf(['ada'], 'msal-python');
    const file = put('.azure/msal_token_cache.json', whole.slice(0, 300));
    const source = await onlySource();
    const reading = readSource(source, { pause: 1000 });
    // It has read the file once before the event loop turns.
    await new Promise((resolve) => setTimeout(resolve, 60));
    writeFileSync(file, whole);
    expect((await reading).state).toBe('accounts');
  });

  it.each([
    ['half a document', '{"Account":{"a"'],
    ['other JSON', '{"name":"x"}'],
    ['text', 'hello'],
    ['a list', '[1]'],
  ])('does not understand %s, says so, and leaves it', async (_, text) => {
    const file = put('.azure/msal_token_cache.json', text);
    const reading = await readSource(await onlySource(), { pause: 1 });
    expect(reading.state).toBe('not-understood');
    expect(reading.problem).toContain(file);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('says that a source is gone', async () => {
    const file = put('.azure/msal_token_cache.json', documentOf(['ada'], 'msal-python'));
    const source = await onlySource();
    rmSync(file);
    expect((await readSource(source)).state).toBe('gone');
  });

  it('never waits for a pipe', async () => {
    const file = join(home, '.azure/msal_token_cache.json');
    mkdirSync(dirname(file));
    expect(spawnSync('mkfifo', [file]).status).toBe(0);
    expect((await readSource(await onlySource(), { pause: 1 })).state).toBe('not-understood');
  });

  it('shows a sealed program without opening it, and how to leave', async () => {
    put('.local/share/Microsoft/PowerAppsCli/tokencache_msalv3.dat', 'sealed');
    expect(await readSource(await onlySource())).toMatchObject({
      state: 'sealed',
      problem: expect.stringContaining('pac auth delete') as string,
    });
  });

  it('says that DPAPI can’t be opened here', async () => {
    put('AppData/Local/.IdentityService/msal.cache', '\u0001\u0000');
    put('.azure/msal_token_cache.bin', 'x');
    const cli = {
      ...(await sourceFromFile(join(home, '.azure/msal_token_cache.bin')))!,
      name: 'Azure CLI',
    };
    const sealed = { ...cli, sealing: 'dpapi' as const, place: { ...cli.place, sealing: 'dpapi' as const } };
    expect(await readSource(sealed)).toMatchObject({ state: 'sealed', accounts: [] });
  });

  it('names the sign-ins of programs that keep no MSAL document', async () => {
    put(
      '.config/gh/hosts.yml',
      'github.com:\n    user: ada\n    oauth_token: gho_secret\n    users:\n        ada:\n            oauth_token: gho_secret\n        ben:\nghe.example:\n    user: "carl"\n',
    );
    put(
      '.aws/sso/cache/a.json',
      JSON.stringify({
        startUrl: 'https://x.awsapps.example/start',
        accessToken: 's',
        expiresAt: '2027-01-15T08:00:00Z',
      }),
    );
    put('.aws/sso/cache/registration.json', JSON.stringify({ clientId: 'c', clientSecret: 's' }));
    put('.docker/config.json', JSON.stringify({ auths: { 'https://index.docker.io/v1/': {} } }));
    put(
      '.config/gcloud/application_default_credentials.json',
      JSON.stringify({ account: 'ada@x.example', refresh_token: 's' }),
    );
    put('.mcp-auth/abc_tokens.json', JSON.stringify({ access_token: 's' }));
    put(
      '.azure/service_principal_entries.json',
      JSON.stringify([{ client_id: 'nightly', tenant: TENANT, client_secret: 's' }, 'odd', {}]),
    );
    put(
      '.claude/.credentials.json',
      JSON.stringify({
        claudeAiOauth: { accessToken: 's', refreshToken: 's', expiresAt: 1_800_000_000_000 },
        mcpOAuth: {
          'docs|1f': { serverName: 'docs', serverUrl: 'https://mcp.example', accessToken: 's', expiresAt: 0 },
          'never|2f': { serverName: 'never', clientId: 'c' },
        },
      }),
    );
    put('.gemini/oauth_creds.json', JSON.stringify({ refresh_token: 's', expiry_date: 1_800_000_000_000 }));
    const names: unknown[] = [];
    for (const source of await findSources({ home, platform: 'linux' })) {
      const reading = await readSource(source);
      expect(JSON.stringify(reading)).not.toMatch(/gho_secret|"s"/);
      names.push(...reading.names);
    }
    expect(names).toEqual([
      { name: 'nightly', at: TENANT },
      { name: 'ada', at: 'github.com' },
      { name: 'ben', at: 'github.com' },
      { name: 'carl', at: 'ghe.example' },
      { name: 'https://x.awsapps.example/start', expiresOn: 1_800_000_000 },
      { name: 'ada@x.example', at: 'googleapis.com' },
      { name: 'https://index.docker.io/v1/', at: 'https://index.docker.io/v1/' },
      { name: 'claude.ai', at: 'claude.ai', expiresOn: 1_800_000_000 },
      { name: 'docs', at: 'https://mcp.example' },
      { name: 'Google account', at: 'googleapis.com', expiresOn: 1_800_000_000 },
      { name: 'abc' },
    ]);
  });
});

describe('signing out at the source', () => {
  it.each(['msal-python', 'msal-node', 'msal-dotnet'] as const)(
    'removes one account of a document by %s, and leaves the others byte for byte',
    async (dialect) => {
      const file = put('.azure/msal_token_cache.json', documentOf(['ada', 'ben'], dialect), 0o640);
      chmodSync(file, 0o640);
      const source = await onlySource();
      const receipt = await signOutAtSource(source, await accountOf(source, 'ada'), { now: () => NOW });
      expect(receipt).toMatchObject({
        at: NOW,
        remaining: 0,
        removed: { RefreshToken: 1, AccessToken: 1, Account: 1 },
      });
      const text = readFileSync(file, 'utf8');
      expect(text).not.toMatch(/[ar]t-ada|ada@|ada\./);
      const left = new SerializableTokenCache();
      left.deserialize(text);
      const before = new SerializableTokenCache();
      before.deserialize(documentOf(['ada', 'ben'], dialect));
      before.signOut(`ada.${TENANT}`);
      expect(text).toBe(before.serialize());
      expect(left.accounts().map(({ username }) => username)).toEqual(['ben@contoso.example']);
      expect(statSync(file).mode & 0o777).toBe(0o640);
      expect(readdirSync(dirname(file))).toEqual(['msal_token_cache.json']);
    },
  );

  it('keeps what it does not understand, and takes a byte order mark away', async () => {
    const document = JSON.parse(documentOf(['ada', 'ben'], 'msal-python')) as Record<string, unknown>;
    const file = put(
      '.azure/msal_token_cache.json',
      `\ufeff${JSON.stringify({ ...document, Unknown: { x: 1 } })}`,
    );
    const source = await onlySource();
    await signOutAtSource(source, await accountOf(source, 'ada'));
    const text = readFileSync(file, 'utf8');
    expect(text.startsWith('{')).toBe(true);
    expect((JSON.parse(text) as Record<string, unknown>)['Unknown']).toEqual({ x: 1 });
  });

  it('puts back what it cut out of data that it does not understand, and keeps what was written there since', async () => {
    const ada = `ada.${TENANT}`;
    const own = {
      recent: [`ben.${TENANT}`, ada, { account: ada, at: 1 }],
      by: { cloud: { [ada]: { x: 1 }, ben: { y: 2 } } },
    };
    const document = JSON.parse(documentOf(['ada', 'ben'], 'msal-python')) as Record<string, unknown>;
    const text = JSON.stringify({ ...document, Own: own, [ada]: [1], Recent: [ada] });
    const file = put('.azure/msal_token_cache.json', text);
    const source = await onlySource();
    const account = await accountOf(source, 'ada');
    const parsed = () => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    const first = await signOutAtSource(source, account);
    expect(readFileSync(file, 'utf8')).not.toContain(ada);
    await first.undo();
    expect(parsed()).toEqual(JSON.parse(text));

    const second = await signOutAtSource(source, account);
    const left = parsed() as { Own: { recent: unknown[]; by: { cloud: Record<string, unknown> } } };
    left.Own.recent.push('carl');
    left.Own.by.cloud['carl'] = { z: 3 };
    put('.azure/msal_token_cache.json', JSON.stringify(left));
    await second.undo();
    expect(parsed()).toEqual({
      ...(JSON.parse(text) as object),
      Own: {
        recent: [`ben.${TENANT}`, 'carl', ada, { account: ada, at: 1 }],
        by: { cloud: { ...own.by.cloud, carl: { z: 3 } } },
      },
    });
  });

  it('sets the time ahead of its own write', async () => {
    const file = put('.azure/msal_token_cache.json', documentOf(['ada', 'ben'], 'msal-python'));
    const before = Date.now();
    const source = await onlySource();
    await signOutAtSource(source, await accountOf(source, 'ada'));
    expect(statSync(file).mtimeMs).toBeGreaterThan(before + 40);
  });

  it('changes what a link leads to, and keeps the link', async () => {
    const real = put('dotfiles/cache.json', documentOf(['ada', 'ben'], 'msal-python'));
    mkdirSync(join(home, '.azure'));
    symlinkSync(real, join(home, '.azure/msal_token_cache.json'));
    const source = await onlySource();
    await signOutAtSource(source, await accountOf(source, 'ada'));
    expect(lstatSync(source.file).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, 'utf8')).not.toContain('rt-ada');
  });

  it('removes what the program wrote since the source was read', async () => {
    const file = put('.azure/msal_token_cache.json', documentOf(['ada'], 'msal-python'));
    const source = await onlySource();
    const ada = await accountOf(source, 'ada');
    writeFileSync(file, documentOf(['ada', 'ben', 'carl'], 'msal-python'));
    await signOutAtSource(source, ada);
    expect((await readSource(source)).accounts).toHaveLength(2);
  });

  it('writes nothing where the account is not there any more', async () => {
    const file = put('.azure/msal_token_cache.json', documentOf(['ada'], 'msal-python'));
    const source = await onlySource();
    const ada = await accountOf(source, 'ada');
    writeFileSync(file, documentOf(['ben'], 'msal-python'));
    const { ino } = statSync(file);
    expect((await signOutAtSource(source, ada)).removed.RefreshToken).toBe(0);
    expect(statSync(file).ino).toBe(ino);
  });

  it.each([
    ['torn', '{"Account":{"a"'],
    ['no cache', '{"name":"x"}'],
  ])('does not touch a document that is %s', async (_, text) => {
    const file = put('.azure/msal_token_cache.json', documentOf(['ada'], 'msal-python'));
    const source = await onlySource();
    const ada = await accountOf(source, 'ada');
    writeFileSync(file, text);
    await expect(signOutAtSource(source, ada)).rejects.toMatchObject({ code: 'source_unreadable' });
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(existsSync(`${file}.lockfile`)).toBe(false);
  });

  it('waits for a program that holds the lock, then changes what that program wrote', async () => {
    const file = put('.azure/msal_token_cache.json', documentOf(['ada', 'ben'], 'msal-python'));
    const source = await onlySource();
    const ada = await accountOf(source, 'ada');
    writeFileSync(`${file}.lockfile`, `${process.pid} az`, { flag: 'wx' });
    const leaving = signOutAtSource(source, ada);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(readFileSync(file, 'utf8')).toContain('rt-ada');
    writeFileSync(file, documentOf(['ada', 'ben', 'carl'], 'msal-python'));
    rmSync(`${file}.lockfile`);
    await leaving;
    expect((await readSource(source)).accounts).toHaveLength(2);
  });

  it('gives up on a lock that is held, and changes nothing', async () => {
    const text = documentOf(['ada'], 'msal-python');
    const file = put('.azure/msal_token_cache.json', text);
    const source = await onlySource();
    const ada = await accountOf(source, 'ada');
    writeFileSync(`${file}.lockfile`, `${process.pid} az`);
    await expect(signOutAtSource(source, ada, { deadline: 100 })).rejects.toMatchObject({
      code: 'source_busy',
    });
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(existsSync(`${file}.lockfile`)).toBe(true);
  });

  it('respects a flock without an exclusive file, as MSAL.NET and azd hold it', async () => {
    const file = put('.azd/auth/msal/cache.json', documentOf(['ada'], 'msal-node'));
    writeFileSync(`${file}.lock`, '');
    const holder = spawn('flock', ['-x', `${file}.lock`, 'sleep', '30'], { stdio: 'ignore', detached: true });
    try {
      while (spawnSync('flock', ['-n', `${file}.lock`, 'true']).status === 0)
        await new Promise((resolve) => setTimeout(resolve, 10));
      const source = await onlySource();
      await expect(
        signOutAtSource(source, await accountOf(source, 'ada'), { deadline: 100 }),
      ).rejects.toMatchObject({ code: 'source_busy' });
    } finally {
      process.kill(-holder.pid!);
    }
    const source = await onlySource();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await signOutAtSource(source, await accountOf(source, 'ada'))).remaining).toBe(0);
    expect(existsSync(`${file}.lock`)).toBe(true);
  });

  it('takes over the lock file of a program that died a minute ago, and of no other', async () => {
    const file = put('.azure/msal_token_cache.json', documentOf(['ada'], 'msal-python'));
    const source = await onlySource();
    const ada = await accountOf(source, 'ada');
    const dead = spawnSync('true').pid;
    writeFileSync(`${file}.lockfile`, `${dead} az`);
    await expect(signOutAtSource(source, ada, { deadline: 50 })).rejects.toMatchObject({
      code: 'source_busy',
    });
    utimesSync(`${file}.lockfile`, Date.now() / 1000 - 90, Date.now() / 1000 - 90);
    expect((await signOutAtSource(source, ada)).remaining).toBe(0);
    expect(existsSync(`${file}.lockfile`)).toBe(false);
  });

  it('does not follow a link in the lock’s place', async () => {
    const file = put('.azure/msal_token_cache.json', documentOf(['ada'], 'msal-python'));
    const victim = put('victim', 'precious');
    symlinkSync(victim, `${file}.lockfile`);
    const source = await onlySource();
    await expect(
      signOutAtSource(source, await accountOf(source, 'ada'), { deadline: 50 }),
    ).rejects.toMatchObject({ code: 'source_busy' });
    expect(readFileSync(victim, 'utf8')).toBe('precious');
  });

  it('refuses a program whose cache it does not change, and says how to leave', async () => {
    put('.config/gh/hosts.yml', 'github.com:\n    user: ada\n');
    const source = await onlySource();
    const account = { home_account_id: 'x', environment: 'y' } as never;
    await expect(signOutAtSource(source, account)).rejects.toMatchObject({
      code: 'source_view_only',
      message: expect.stringContaining('gh auth logout') as string,
    });
  });

  it('puts back what it removed, beside what the program wrote since', async () => {
    const file = put('.azure/msal_token_cache.json', documentOf(['ada', 'ben'], 'msal-python'));
    const source = await onlySource();
    const receipt = await signOutAtSource(source, await accountOf(source, 'ada'));
    writeFileSync(file, documentOf(['ben', 'carl'], 'msal-python'));
    await receipt.undo();
    const names = (await readSource(source)).accounts.map(({ username }) => username).sort();
    expect(names).toEqual(['ada@contoso.example', 'ben@contoso.example', 'carl@contoso.example']);
    expect(readFileSync(file, 'utf8')).toContain('rt-ada');
    await expect(receipt.undo()).rejects.toMatchObject({ code: 'source_failed' });
  });

  it('takes the subscriptions out of Azure CLI’s list, keeping its mark, its fields and a default', async () => {
    put('.azure/msal_token_cache.json', documentOf(['ada', 'ben'], 'msal-python'));
    const profile = put(
      '.azure/azureProfile.json',
      `\ufeff${JSON.stringify({
        installationId: 'i',
        subscriptions: [
          { id: '1', user: { name: 'ADA@contoso.example' }, isDefault: true },
          { id: '2', user: { name: 'ben@contoso.example' }, isDefault: false, extra: 1 },
        ],
      })}`,
    );
    const source = await onlySource();
    const receipt = await signOutAtSource(source, await accountOf(source, 'ada'));
    const text = readFileSync(profile, 'utf8');
    expect(text.startsWith('\ufeff')).toBe(true);
    expect(JSON.parse(text.slice(1))).toEqual({
      installationId: 'i',
      subscriptions: [{ id: '2', user: { name: 'ben@contoso.example' }, isDefault: true, extra: 1 }],
    });
    await receipt.undo();
    expect(readFileSync(profile, 'utf8')).toContain('ADA@contoso.example');
  });

  it('puts subscriptions back in whatever order accounts are signed in again, and beside what the program wrote', async () => {
    put('.azure/msal_token_cache.json', documentOf(['ada', 'ben', 'carl'], 'msal-python'));
    const subscriptions = ['ada', 'ben', 'carl'].map((name, index) => ({
      id: String(index),
      user: { name: `${name}@contoso.example` },
      isDefault: index === 0,
    }));
    const text = JSON.stringify({ subscriptions });
    const profile = put('.azure/azureProfile.json', text);
    const source = await onlySource();
    const leave = async (name: string) => signOutAtSource(source, await accountOf(source, name));
    const names = (): unknown[] =>
      (JSON.parse(readFileSync(profile, 'utf8')) as { subscriptions: typeof subscriptions }).subscriptions
        .map(({ user }) => user.name.split('@')[0])
        .sort();
    let receipts = [await leave('ada'), await leave('ben')];
    for (const receipt of receipts.reverse()) await receipt.undo();
    expect(readFileSync(profile, 'utf8')).toBe(text);
    receipts = [await leave('ada'), await leave('ben')];
    for (const receipt of receipts) await receipt.undo();
    expect(names()).toEqual(['ada', 'ben', 'carl']);
    const carl = await leave('carl');
    writeFileSync(profile, 'half a li');
    await expect(carl.undo()).rejects.toThrow('Run az account list --refresh');
    writeFileSync(profile, JSON.stringify({ subscriptions: subscriptions.slice(0, 1) }));
    await carl.undo();
    expect(names()).toEqual(['ada', 'carl']);
  });

  it('leaves a list that is none, and an account without a name, alone', () => {
    expect(azureProfileWithout('no json', 'ada')).toBeNull();
    expect(azureProfileWithout('{"subscriptions":[{"user":{"name":""}}]}', '')).toBeNull();
    expect(azureProfileWithout('{"subscriptions":"x"}', 'ada')).toBeNull();
  });
});

it('quotes a name in a command for a shell, and on Windows offers no command that needs quotes', () => {
  const leaving = { by: 'command', command: 'gh auth logout -h HOST -u NAME' } as const;
  const named = (name: string) => ({ name, at: 'github.com' });
  const source = { leaving, name: 'GitHub CLI' };
  expect(commandToLeave(source, named("a'b c"))).toBe("gh auth logout -h github.com -u 'a'\\''b c'");
  expect(commandToLeave(source, named('--all'))).toBeNull(); // an option, in quotes too
  vi.spyOn(process, 'platform', 'get').mockReturnValue('win32');
  try {
    expect(commandToLeave(source, named('ada@contoso.example'))).toContain('-u ada@contoso.example');
    for (const name of ["a'&calc&'", 'a b', '@splat', '-x', '%PATH%', '$(calc)', '']) {
      expect(commandToLeave(source, named(name)), name).toBeNull();
      expect(howToLeave(source, named(name)), name).toBe(
        'To sign out, run: gh auth logout -h github.com -u NAME',
      );
    }
  } finally {
    vi.restoreAllMocks();
  }
});

it('follows a source through each folder on the way to it, and blocks for none of them', async () => {
  const file = join(home, '.azure/one/two/msal_token_cache.json');
  const calls = ['existsSync', 'realpathSync', 'statSync', 'lstatSync'] as const;
  const spies = calls.map((name) => vi.spyOn(fs, name));
  syncBuiltinESMExports();
  let tell: () => void = () => undefined;
  const stop = watchSource({ file }, () => tell());
  const next = (change: () => void) => {
    const told = new Promise<void>((resolve) => (tell = resolve));
    change();
    return told;
  };
  try {
    // Each is made only after the one above was noticed.
    for (const folder of ['.azure', '.azure/one', '.azure/one/two'])
      await next(() => mkdirSync(join(home, folder)));
    await next(() => writeFileSync(file, '{}'));
    expect(spies.map((spy) => spy.mock.calls)).toEqual(calls.map(() => []));
  } finally {
    stop();
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  }
});

it('reports once that a source was replaced, and not after it was stopped', async () => {
  const file = put('.azure/msal_token_cache.json', '{}');
  const source = await onlySource();
  let told = 0;
  let tell: () => void = () => undefined;
  const stop = watchSource(source, () => {
    told += 1;
    tell();
  });
  const next = new Promise<void>((resolve) => (tell = resolve));
  writeFileSync(file, documentOf(['ada'], 'msal-python'));
  await next;
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(told).toBe(1);
  stop();
  writeFileSync(file, '{}');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(told).toBe(1);
});
