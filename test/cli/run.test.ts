// Not in npm run check: it derives keys from passphrases, and waits for locks.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { peopleIn } from '../../src-main/cli/people.ts';
import { run } from '../../src-main/cli/run.ts';
import { activityOf } from '../../src-main/ipc/activity.ts';
import { appData, cachedAccounts, changeHistory, historyOf, setAppData } from '../../src-main/ipc/index.ts';
import { helpOf, isVerb, VERBS } from '../../src-main/cli/verbs.ts';
import { EXIT, type World } from '../../src-main/cli/world.ts';
import type { Keychain } from '../../src-main/keychain/keychain.ts';
import { memoryKeychain, openVault, type TokenResponseEvent } from '../../src-main/index.ts';
import { tokenResponse } from '../../src-main/testing/index.ts';
import { KeychainError } from '../../src-main/errors.ts';

/** When the test began: the vault uses the computer's clock, and all tests of this file together can take minutes. */
let NOW: number;
const TENANT = '22222222-aaaa-bbbb-cccc-000000000002';
const ARM = 'https://management.azure.com/.default';
let home: string;
let keychain: Keychain;

beforeEach(() => {
  NOW = Math.floor(Date.now() / 1000);
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-cli-'));
  keychain = memoryKeychain();
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
function signIn(name: string, response: Record<string, unknown> = {}) {
  return {
    client_id: '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
    scope: [ARM],
    token_endpoint: `https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/token`,
    response: {
      token_type: 'Bearer',
      expires_in: 3600,
      access_token: `at-${name}`,
      refresh_token: `rt-${name}`,
      client_info: b64({ uid: name, utid: TENANT }),
      id_token: `${b64({ alg: 'none' })}.${b64({ sub: name, oid: name, tid: TENANT, iss: `https://login.microsoftonline.com/${TENANT}/v2.0`, preferred_username: `${name}@contoso.example`, name: `${name} Example` })}.x`,
      ...response,
    },
  };
}

const vaultAt = (): string => join(home, '.config/Tokenkeep/accounts.vault');
async function vaultWith(...events: TokenResponseEvent[]): Promise<void> {
  const vault = await openVault({ file: vaultAt(), name: 'accounts', service: 'Tokenkeep', keychain });
  await vault.update((cache) => {
    for (const event of events) cache.add(event);
  });
  await vault.close();
}

function azureCli(...names: string[]): string {
  const cache = new SerializableTokenCache({ now: () => NOW });
  for (const name of names) cache.add(signIn(name));
  const file = join(home, '.azure/msal_token_cache.json');
  mkdirSync(join(home, '.azure'), { recursive: true });
  writeFileSync(file, cache.serialize({ dialect: 'msal-python' }));
  return file;
}

async function tokenkeep(
  words: string,
  world: Partial<World> & { answers?: string[]; stdin?: string; operand?: string } = {},
) {
  const printed = { out: '', err: '' };
  const { answers = [], stdin = '', operand, ...own } = world;
  const code = await run([...words.split(' '), ...(operand === undefined ? [] : [operand])], {
    version: '1.2.3',
    platform: 'linux',
    home,
    env: {},
    out: { write: (text) => (printed.out += text), isTerminal: false },
    err: { write: (text) => (printed.err += text), isTerminal: false },
    isInteractive: answers.length > 0,
    input: () => Promise.resolve(stdin),
    ask: (question) => {
      printed.err += question;
      return Promise.resolve(answers.shift() ?? '');
    },
    fetch: () => Promise.reject(new Error('no network in this test')),
    // Later than every token that the tests cache, because the vault uses the computer's clock.
    now: () => NOW + 15,
    keychain,
    ...own,
  });
  // No verb prints a secret unless it was asked for.
  if (!/^(?:get|credential|decode)\b/.test(words))
    expect(printed.out + printed.err).not.toMatch(/\b[ar]t-\w+/);
  return { code, ...printed };
}

describe('words', () => {
  it('can be copied from the help into a shell', () => {
    for (const verb of Object.keys(VERBS))
      for (const line of isVerb(verb) ? helpOf(verb).split('\n') : [])
        expect(line.replaceAll(/'[^']*'/g, '')).not.toMatch(/https?:\S*[?*&]/);
  });

  it('prints how it is used, and ends with 2 where nothing was said', async () => {
    expect(await tokenkeep('--help')).toMatchObject({ code: 0 });
    expect((await tokenkeep('')).code).toBe(EXIT.usage);
    expect(await tokenkeep('--version')).toMatchObject({ code: 0, out: '1.2.3\n' });
  });

  it.each(Object.keys(VERBS))('explains %s', async (verb) => {
    const { code, out } = await tokenkeep(`${verb} --help`);
    expect(code).toBe(0);
    expect(out).toContain(`tokenkeep ${verb}`);
  });

  it.each([
    ['lists', 'no verb'],
    ['list --jsn', '--jsn'],
    ['list extra', 'extra'],
    ['show', 'ACCOUNT'],
    ['get --account', '--account'],
    ['get --account a --account b', 'twice'],
    ['list --json=x', 'no value'],
    ['signout', 'Name one'],
    ['completion tcsh', 'bash'],
    ['credential ask', 'get, store'],
  ])('refuses “%s”, naming what is wrong', async (words, named) => {
    const { code, err, out } = await tokenkeep(words);
    expect(code).toBe(EXIT.usage);
    expect(err).toContain(named);
    expect(out).toBe('');
  });

  it.each(['bash', 'zsh', 'fish'])('completes every verb in %s', async (shell) => {
    const { out } = await tokenkeep(`completion ${shell}`);
    for (const verb of Object.keys(VERBS)) expect(out).toContain(verb);
  });

  it('completes verbs, options and operands in a real bash', async () => {
    const { out } = await tokenkeep('completion bash');
    const completed = (...words: string[]): string => {
      const script = `${out}\nCOMP_WORDS=(tokenkeep ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _tokenkeep; echo "\${COMPREPLY[*]}"`;
      return spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' }).stdout.trim();
    };
    expect(completed('si')).toBe('signout');
    expect(completed('get', '--a')).toBe('--account');
    expect(completed('credential', 's')).toBe('store');
    expect(completed('completion', 'z')).toBe('zsh');
  });
});

describe('list, show and sources', () => {
  it('says that nobody is signed in on a fresh computer, and creates nothing', async () => {
    expect(await tokenkeep('list')).toMatchObject({ code: 0, out: 'Nobody is signed in.\n' });
    expect((await tokenkeep('sources')).out).toContain('no vault yet');
    expect(() => readFileSync(vaultAt())).toThrow();
  });

  it('shows a person once, with every place that has them', async () => {
    await vaultWith(signIn('ada'), signIn('ben', { refresh_token: undefined, expires_in: 7200 }));
    azureCli('ada');
    const { out } = await tokenkeep('list');
    expect(out).toMatch(/ada@contoso\.example +contoso\.example +Active +in \d+ min +vault, azure-cli/);
    expect(out).toMatch(/ben@contoso\.example .*Active until \d\d:\d\d/);
    expect(out).toContain('2 accounts.');
    const json = JSON.parse((await tokenkeep('list --json')).out) as {
      username: string;
      sources: unknown[];
    }[];
    expect(json.find(({ username }) => username.startsWith('ada'))?.sources).toHaveLength(2);
    expect((await tokenkeep('list --vault-only')).out).not.toContain('azure-cli');
  });

  it('puts first who has to sign in again', async () => {
    await vaultWith(signIn('ada'), signIn('zoe', { refresh_token: undefined, expires_in: 50 }));
    const later = await tokenkeep('list', { now: () => NOW + 3000 });
    expect(later.out.split('\n')[1]).toMatch(/zoe@.*Needs sign-in +expired/);
    expect(later.out).toContain('1 needs sign-in');
  });

  it('does not show the lifetime that MSAL assumes as one from the provider', async () => {
    await vaultWith(
      signIn('ada', { refresh_token: undefined, expires_in: undefined, access_token: 'opaque' }),
    );
    for (const now of [NOW, NOW + 3000, NOW + 30 * 86_400]) {
      const { out } = await tokenkeep('list', { now: () => now });
      expect(out.split('\n')[1]).toMatch(/ada@.* Unknown +– +vault/);
      expect(out).not.toContain('need');
      expect((await tokenkeep('show ada@contoso.example', { now: () => now })).out).toMatch(
        /access.*vault +–/,
      );
      const [json] = JSON.parse((await tokenkeep('list --json', { now: () => now })).out) as object[];
      expect(json).toMatchObject({ status: 'Unknown', next_expiry: null });
    }
    const got = await tokenkeep(`get --account ada@contoso.example --scope ${ARM} --json`, {
      now: () => NOW + 3000,
    });
    expect(JSON.parse(got.out)).toMatchObject({ access_token: 'opaque', expires_on: null });
    const { out } = await tokenkeep('signout --expired --yes', { now: () => NOW + 3000 });
    expect(out).toContain('so nobody was signed out');
  });

  it.each([
    ['', '', ''],
    ['AADSTS50173: The grant has expired', ', which was revoked', ', AADSTS50173'],
    ['AADSTS700082: The refresh token has expired', ', which has expired', ', AADSTS700082'],
  ])(
    'says who refused which refresh token, and with which code: “%s”',
    async (description, meaning, code) => {
      await vaultWith(signIn('ada', { expires_in: 60 }));
      const answer = { status: 400, headers: { 'content-type': 'application/json' } };
      const body = JSON.stringify({
        error: 'invalid_grant',
        error_description: `${description} secret-hint`,
      });
      const refused = await tokenkeep(`get --account ada@contoso.example --scope ${ARM}`, {
        now: () => NOW + 3000,
        fetch: () => Promise.resolve(new Response(body, answer)),
      });
      expect(refused.code).toBe(EXIT.signInRequired);
      expect(refused.err).not.toContain('secret-hint');
      const later = { now: () => NOW + 3100 };
      expect((await tokenkeep('list', later)).out.split('\n')[1]).toMatch(/ada@.*Needs sign-in +expired/);
      const { out } = await tokenkeep('show ada@contoso.example', later);
      expect(out).toContain(
        `Status  Needs sign-in: login.microsoftonline.com refused Azure CLI’s refresh token${meaning} `,
      );
      expect(out).toMatch(new RegExp(` at \\d\\d:\\d\\d \\(invalid_grant${code}\\)\\n`));
      expect(out).toMatch(/refresh +this app +Azure CLI +vault +refused (?:on .+ )?at \d\d:\d\d/);
      expect(out).toContain('To sign in again, open Tokenkeep.');
      // The refused refresh token was sent once; the next call sends no request.
      const again = await tokenkeep(`get --account ada@contoso.example --scope ${ARM}`, {
        ...later,
        fetch: () => Promise.reject(new Error('The refresh token was sent again.')),
      });
      expect(again).toMatchObject({ code: EXIT.signInRequired });
      expect(again.err).not.toContain('sent again');
    },
  );

  it.each([
    ['a scope that does not exist', { error: 'invalid_scope' }],
    ['a scope without consent', { error: 'invalid_grant', suberror: 'consent_required' }],
    ['a scope that asks for more', { error: 'invalid_grant', suberror: 'basic_action' }],
  ])('does not end a sign-in for %s', async (_what, body) => {
    await vaultWith(signIn('ada'));
    const later = { now: () => NOW + 5 };
    const typo = await tokenkeep(
      'get --account ada@contoso.example --scope https://graph.microsoft.com/Typo',
      {
        ...later,
        fetch: () => Promise.resolve(Response.json(body, { status: 400 })),
      },
    );
    expect(typo.code).toBe(EXIT.signInRequired);
    expect(typo.err).not.toContain('refused the refresh token');
    expect((await tokenkeep('list', later)).out.split('\n')[1]).toMatch(/ada@.*Active/);
    expect((await tokenkeep('show ada@contoso.example', later)).out).toMatch(/refresh +this app .* –/);
    const { out } = await tokenkeep('signout --expired --yes', later);
    expect(out).toContain('so nobody was signed out');
    const vault = await openVault({ file: vaultAt(), name: 'accounts', service: 'Tokenkeep', keychain });
    expect(await vault.read((cache) => activityOf(cache, null, NOW + 5).events)).toEqual([]);
    await vault.close();
  });

  it('marks the refused app’s refresh token, not those of other apps', async () => {
    const other = { client_id: 'my-app', scope: ['api://orders/read'] };
    await vaultWith(signIn('ada', { expires_in: 60 }), {
      ...signIn('ada', { refresh_token: 'rt-2' }),
      ...other,
    });
    const later = { now: () => NOW + 3000 };
    await tokenkeep(`get --account ada@contoso.example --scope ${ARM}`, {
      ...later,
      fetch: () => Promise.resolve(Response.json({ error: 'invalid_grant' }, { status: 400 })),
    });
    expect((await tokenkeep('list', later)).out.split('\n')[1]).toMatch(/ada@.*Active/);
    const { out } = await tokenkeep('show ada@contoso.example', later);
    expect(out).toMatch(/refresh +this app +Azure CLI +vault +refused/);
    expect(out).toMatch(/refresh +this app +my-app +vault +–/);
    const { out: left } = await tokenkeep('signout --expired --yes', later);
    expect(left).toContain('so nobody was signed out');
  });

  it('does not sign a program out because the vault’s own refresh token was refused', async () => {
    await vaultWith(signIn('ada', { expires_in: 60, refresh_token: 'rt-own' }));
    const file = azureCli('ada');
    const ran = await tokenkeep(`get --account ada@contoso.example --scope ${ARM} --refresh`, {
      fetch: () => Promise.resolve(Response.json({ error: 'invalid_grant' }, { status: 400 })),
    });
    expect(ran.code).toBe(EXIT.signInRequired);
    expect((await tokenkeep('list')).out).not.toContain('Needs sign-in');
    expect((await tokenkeep('signout --expired --yes')).out).toContain('nobody was signed out');
    expect(readFileSync(file, 'utf8')).toContain('rt-ada');
    // A copy of the vault's token is refused with it.
    await vaultWith(signIn('ada', { expires_in: 60 }));
    await tokenkeep(`get --account ada@contoso.example --scope ${ARM} --refresh`, {
      fetch: () => Promise.resolve(Response.json({ error: 'invalid_grant' }, { status: 400 })),
    });
    expect((await tokenkeep('list')).out).toContain('Needs sign-in');
  });

  it('shows the tokens of one account without their secrets', async () => {
    await vaultWith(signIn('ada'));
    const { out, code } = await tokenkeep('show ADA@contoso.example --all');
    expect(code).toBe(0);
    expect(out).toContain('ada@contoso.example · contoso.example');
    expect(out).toMatch(/access +Azure Resource Manager +Azure CLI +vault +\d+ min/);
    expect(out).toMatch(/refresh +this app +Azure CLI +vault +–/);
    expect(out).toMatch(/ID +identity/);
    const other = { client_id: 'my-app', scope: ['api://orders/read'] };
    await vaultWith({ ...signIn('ben', { foci: '1' }), ...other });
    const unknown = await tokenkeep('show ben@contoso.example');
    expect(unknown.out).toMatch(/access +orders +my-app +vault/);
    expect(unknown.out).toMatch(/refresh +Microsoft app family +my-app/);
    expect(unknown.out).toContain('1 more: add --all.');
    const nobody = await tokenkeep('show nobody');
    expect(nobody.code).toBe(EXIT.notFound);
    expect(nobody.err).toContain('No account has the user name or ID “nobody”. See: tokenkeep list');
  });

  it('asks for an id where two accounts have the user name', async () => {
    const client_info = b64({ uid: 'ada-too', utid: TENANT });
    await vaultWith(signIn('ada'), signIn('ada', { client_info }));
    const { code, err } = await tokenkeep('show ada@contoso.example');
    expect(code).toBe(EXIT.notFound);
    expect(err).toContain('2 accounts match “ada@contoso.example”. Give the ID of one of them: ada');
    expect(err).toContain(`ada-too.${TENANT} (`);
    expect(err).not.toContain('@login.microsoftonline.com');
  });

  it('asks for an id and its provider where the id is the user name of another', async () => {
    const id = `ada.${TENANT}`;
    const named = { sub: 'b', oid: 'b', tid: TENANT, preferred_username: id };
    const client_info = b64({ uid: 'b', utid: TENANT });
    const id_token = `${b64({ alg: 'none' })}.${b64(named)}.x`;
    await vaultWith(signIn('ada'), signIn('ben', { client_info, id_token }));
    const { code, err } = await tokenkeep('show', { operand: id });
    expect(code).toBe(EXIT.notFound);
    const choice = new RegExp(`${id}@([^\\s,]+)`).exec(err)?.[1] ?? '';
    expect((await tokenkeep('show', { operand: `${id}@${choice}` })).out).toContain('ada@contoso.example');
  });

  it('takes an ID with its provider where two accounts have the same', async () => {
    mkdirSync(join(home, '.config/gh'), { recursive: true });
    const hosts = 'github.com:\n    users:\n        ada:\nghe.example:\n    users:\n        ada:\n';
    writeFileSync(join(home, '.config/gh/hosts.yml'), hosts);
    const { code, err } = await tokenkeep('show ada');
    expect(code).toBe(EXIT.notFound);
    const choices = err.trim().split('Give the ID of one of them: ')[1]!.split(', ');
    expect(choices.sort()).toEqual(['ada@ghe.example', 'ada@github.com']);
    for (const choice of choices) {
      const shown = await tokenkeep(`show ${choice} --json`);
      expect(shown.code).toBe(0);
      expect(JSON.parse(shown.out)).toMatchObject({ environment: choice.split('@')[1] });
    }
  });

  it('counts only what can’t be read as that', async () => {
    mkdirSync(join(home, '.docker'));
    writeFileSync(join(home, '.docker/config.json'), '{}');
    expect((await tokenkeep('list')).err).toBe('');
    writeFileSync(join(home, '.docker/config.json'), 'no json');
    expect((await tokenkeep('list')).err).toBe('1 source can’t be read: see tokenkeep sources.\n');
  });

  it('lists whom programs name whose tokens it does not read, beside the others or alone', async () => {
    await vaultWith(signIn('ada'));
    mkdirSync(join(home, '.config/gh'), { recursive: true });
    const hosts = 'github.com:\n    users:\n        ada:\n        ADA@contoso.example:\n';
    writeFileSync(join(home, '.config/gh/hosts.yml'), hosts);
    mkdirSync(join(home, '.aws/sso/cache'), { recursive: true });
    const session = {
      startUrl: 'https://x.awsapps.example/start',
      accessToken: 't',
      expiresAt: '2020-01-01T00:00:00Z',
    };
    writeFileSync(join(home, '.aws/sso/cache/a.json'), JSON.stringify(session));
    const { out } = await tokenkeep('list');
    expect(out).toMatch(/ada@contoso\.example .*Active .*vault, gh\n/);
    expect(out).toMatch(/ada +github\.com +Unknown +– +gh\n/);
    expect(out).toMatch(/https:\/\/x\.awsapps\S+ +– +Unknown +expired +aws\n/);
    expect(out).toContain('3 accounts.');
    expect((await tokenkeep('show ada@contoso.example')).out).toContain(
      'Also signed in with gh. To sign out, run: gh auth logout -h github.com -u ADA@contoso.example',
    );
    const json = JSON.parse((await tokenkeep('list --json')).out) as { sources: { name: string }[] }[];
    expect(json[0]?.sources.map(({ name }) => name)).toEqual(['gh']);
    const left = await tokenkeep('signout ada@contoso.example --yes');
    expect(left.code).toBe(EXIT.stillSignedIn);
    expect(left.out).toMatch(/^Still signed in +gh +To sign out, run: gh auth logout -h github\.com -u ADA@/);
    const alone = await tokenkeep('signout ada', { answers: ['y'] });
    expect(alone.code).toBe(EXIT.stillSignedIn);
    expect(alone.err).toContain('Tokenkeep can’t sign out of these places. Nothing was changed.');
  });

  it('quotes a name that a shell would take for a command', async () => {
    mkdirSync(join(home, '.azure'), { recursive: true });
    const file = join(home, '.azure/service_principal_entries.json');
    const name = "x';reboot;'";
    writeFileSync(file, JSON.stringify([{ client_id: name, tenant: 't' }]));
    expect((await tokenkeep(`show ${name}`)).out).toContain(`az logout --username 'x'\\'';reboot;'\\'''`);
  });

  it('lists each source with its state', async () => {
    await vaultWith(signIn('ada'));
    azureCli('ada', 'ben');
    mkdirSync(join(home, '.config/gh'), { recursive: true });
    writeFileSync(join(home, '.config/gh/hosts.yml'), 'github.com:\n    user: ada\n');
    const { out } = await tokenkeep('sources');
    expect(out).toMatch(/vault +open +1 +~\/\.config\/Tokenkeep\/accounts\.vault/);
    expect(out).toMatch(/azure-cli +open, changed \d+ s ago +2/);
    expect(out).toMatch(/gh +open, view only, changed \d+ s ago +1/);
  });

  it('takes out what a terminal would take for a command', async () => {
    await vaultWith(
      signIn('ada', {
        id_token: `${b64({ alg: 'none' })}.${b64({ sub: 'ada', oid: 'ada', tid: TENANT, preferred_username: 'a\u001b[2Jda@x', name: '\u202eevil' })}.x`,
      }),
    );
    const { out } = await tokenkeep('list');
    expect(out).not.toContain('\u001b');
    expect((await tokenkeep(`show ada.${TENANT}`)).out).not.toMatch(/[\u001b\u202e]/);
  });
});

describe('get', () => {
  const words = `get --account ada@contoso.example --scope ${ARM}`;
  const later = (): number => NOW + 60;

  it('prints the token to a pipe, and to no terminal', async () => {
    await vaultWith(signIn('ada'));
    expect(await tokenkeep(words)).toMatchObject({ code: 0, out: 'at-ada\n' });
    expect((await tokenkeep(`${words} --header`)).out).toBe('Authorization: Bearer at-ada\n');
    expect(JSON.parse((await tokenkeep(`${words} --json`)).out)).toMatchObject({ access_token: 'at-ada' });
    const refused: string[] = [];
    const terminal = { write: (text: string) => void refused.push(text), isTerminal: true };
    expect((await tokenkeep(words, { out: terminal })).code).toBe(EXIT.notPrinted);
    expect(refused).toEqual([]);
    expect((await tokenkeep(`${words} --reveal`, { out: terminal })).code).toBe(0);
    expect(refused).toEqual(['at-ada\n']);
  });

  it('refreshes a token that is due, at its own provider, and keeps what it got', async () => {
    await vaultWith(signIn('ada', { expires_in: 30 }));
    const asked: { url: string; body: string }[] = [];
    const fetch = (url: unknown, request?: RequestInit): Promise<Response> => {
      asked.push({ url: String(url), body: String(request?.body as URLSearchParams) });
      const { response } = signIn('ada', { access_token: 'at-new', refresh_token: 'rt-new' });
      return Promise.resolve(Response.json(response));
    };
    expect(await tokenkeep(words, { fetch, now: later })).toMatchObject({
      err: '',
      out: 'at-new\n',
    });
    expect(asked).toHaveLength(1);
    expect(new URL(asked[0]!.url).host).toMatch(/^login\./);
    expect(asked[0]!.body).toContain('refresh_token=rt-ada');
    expect((await tokenkeep(words, { now: later })).out).toBe('at-new\n');
  });

  it('is not ended by a signal from the moment when it sends the refresh token until the answer is saved', async () => {
    await vaultWith(signIn('ada', { expires_in: 30 }));
    const steps: string[] = [];
    const file = () => readFileSync(vaultAt()).toString('latin1');
    let before = '';
    const { code } = await tokenkeep(words, {
      now: later,
      hold: () => {
        steps.push('held');
        before = file();
        return () => steps.push(file() === before ? 'not saved' : 'saved');
      },
      fetch: () => {
        steps.push('sent');
        return Promise.resolve(Response.json(signIn('ada', { access_token: 'at-new' }).response));
      },
    });
    expect({ code, steps }).toEqual({ code: 0, steps: ['held', 'sent', 'saved'] });
    steps.length = 0;
    await tokenkeep(words, { hold: () => () => steps.push('held') });
    expect(steps).toEqual([]);
  });

  it('asks once before it refreshes an imported account, which another program may use', async () => {
    const cache = new SerializableTokenCache({ now: () => NOW });
    cache.add(signIn('ada', { expires_in: 30 }));
    const file = join(home, 'cache.json');
    writeFileSync(file, cache.serialize());
    expect((await tokenkeep('import', { operand: file })).code).toBe(0);
    const sent: string[] = [];
    const fetch = (_url: unknown, request?: RequestInit): Promise<Response> => {
      sent.push(String(request?.body as URLSearchParams));
      const { response } = signIn('ada', { access_token: `at-${sent.length}`, refresh_token: 'rt-new' });
      return Promise.resolve(Response.json(response));
    };
    // A token that is still fresh is printed without a request.
    expect(await tokenkeep(words, { fetch })).toMatchObject({ code: 0, out: 'at-ada\n', err: '' });

    const script = await tokenkeep(words, { fetch, now: later });
    expect(script).toMatchObject({ code: EXIT.signInRequired, out: '' });
    expect(script.err).toContain(`ada@contoso.example was imported from ${file}.`);
    expect(script.err).toContain('so nothing was sent');
    const no = await tokenkeep(words, { fetch, now: later, answers: ['n'] });
    expect(no).toMatchObject({ code: EXIT.cancelled, out: '' });
    expect(sent).toEqual([]);

    const yes = await tokenkeep(words, { fetch, now: later, answers: ['y'] });
    expect(yes).toMatchObject({ code: 0, out: 'at-1\n' });
    expect(yes.err).toContain('may be signed out');
    expect(sent).toEqual([expect.stringContaining('refresh_token=rt-ada')]);
    const again = await tokenkeep(`${words} --refresh`, { fetch, now: later });
    expect(again).toMatchObject({ code: 0, out: 'at-2\n', err: '' });
  });

  it('asks before an imported refresh token is used for another app of its family', async () => {
    const [azure, powershell] = [signIn('ada').client_id, '1950a258-227b-4e31-a9cf-717495945fc2'];
    const cache = new SerializableTokenCache({ now: () => NOW });
    cache.add(signIn('ada', { foci: '1', refresh_token: 'rt-imported' }));
    const file = join(home, 'cache.json');
    writeFileSync(file, cache.serialize());
    expect((await tokenkeep('import', { operand: file })).code).toBe(0);
    const vault = await openVault({ file: vaultAt(), name: 'accounts', service: 'Tokenkeep', keychain });
    await vault.update((own) => {
      own.add({ ...signIn('ada', { foci: '1', refresh_token: 'rt-own' }), client_id: powershell });
      for (const id of cachedAccounts(own).byId.keys()) changeHistory(own, id, { ownClients: [powershell] });
    });
    await vault.close();
    const sent: (string | null)[] = [];
    const fetch = (_url: unknown, request?: RequestInit): Promise<Response> => {
      const token = new URLSearchParams(String(request?.body as URLSearchParams)).get('refresh_token');
      sent.push(token);
      return Promise.resolve(
        token === 'rt-own'
          ? Response.json({ error: 'invalid_grant' }, { status: 400 })
          : Response.json(signIn('ada', { access_token: 'at-new', refresh_token: 'rt-new' }).response),
      );
    };
    const get = `${words} --refresh --client`;
    const script = await tokenkeep(`${get} ${powershell}`, { fetch });
    expect(script).toMatchObject({ code: EXIT.signInRequired, out: '' });
    expect(script.err).toContain(`ada@contoso.example was imported from ${file}.`);
    expect(sent).toEqual(['rt-own']);
    expect((await tokenkeep(`${get} ${azure}`, { fetch })).code).toBe(EXIT.signInRequired);
    expect(sent).not.toContain('rt-imported');
    const yes = await tokenkeep(`${get} ${powershell}`, { fetch, answers: ['y'] });
    expect(yes).toMatchObject({ code: 0, out: 'at-new\n' });
    expect(sent.at(-1)).toBe('rt-imported');
  });

  it('does not ask again about a refresh token that it obtained with another app’s of the family', async () => {
    const [azure, powershell] = [signIn('ada').client_id, '1950a258-227b-4e31-a9cf-717495945fc2'];
    const cache = new SerializableTokenCache({ now: () => NOW });
    cache.add(signIn('ada', { foci: '1' }));
    cache.add({ ...signIn('ada', { refresh_token: 'rt-third' }), client_id: 'third-app' });
    const file = join(home, 'cache.json');
    writeFileSync(file, cache.serialize());
    expect((await tokenkeep('import', { operand: file })).code).toBe(0);
    const sent: (string | null)[] = [];
    const fetch = (_url: unknown, request?: RequestInit): Promise<Response> => {
      sent.push(new URLSearchParams(String(request?.body as URLSearchParams)).get('refresh_token'));
      const { response } = signIn('ada', { refresh_token: `rt-new-${sent.length}`, foci: '1' });
      return Promise.resolve(Response.json(response));
    };
    const get = `${words} --refresh --client`;
    expect((await tokenkeep(`${get} ${powershell}`, { fetch, answers: ['y'] })).code).toBe(0);
    expect(await tokenkeep(`${get} ${powershell}`, { fetch })).toMatchObject({ code: 0, err: '' });
    expect(sent).toEqual(['rt-ada', 'rt-new-1']);
    // What was imported still is.
    expect((await tokenkeep(`${get} third-app`, { fetch })).code).toBe(EXIT.signInRequired);
    expect((await tokenkeep(`${get} ${azure}`, { fetch })).code).toBe(0);
  });

  it.each(['imports it again', 'imports other tokens'])(
    'takes a yes for no other import: while the question is open, another program %s',
    async (what) => {
      const files = ['first', 'second'].map((name) => {
        const cache = new SerializableTokenCache({ now: () => NOW });
        cache.add(signIn('ada', { expires_in: 30, refresh_token: `rt-${name}` }));
        const file = join(home, `${name}.json`);
        writeFileSync(file, cache.serialize());
        return file;
      }) as [string, string];
      expect((await tokenkeep('import', { operand: files[0] })).code).toBe(0);
      const sent: string[] = [];
      const fetch = (_url: unknown, request?: RequestInit): Promise<Response> => {
        sent.push(String(request?.body as URLSearchParams));
        return Promise.resolve(Response.json(signIn('ada', { access_token: 'at-new' }).response));
      };
      const questions: string[] = [];
      const ask = async (question: string): Promise<string> => {
        questions.push(question);
        if (questions.length > 1) return 'n';
        const vault = await openVault({ file: vaultAt(), name: 'accounts', service: 'Tokenkeep', keychain });
        await vault.update((own) => {
          for (const id of cachedAccounts(own).byId.keys())
            if (what === 'imports it again') changeHistory(own, id, { source: files[1] });
            else own.add(signIn('ada', { expires_in: 30, refresh_token: 'rt-second' }));
        });
        await vault.close();
        return 'y';
      };
      const ran = await tokenkeep(words, { fetch, now: later, ask, isInteractive: true });
      expect(ran).toMatchObject({ code: EXIT.cancelled, out: '' });
      expect(questions).toHaveLength(2);
      expect(sent).toEqual([]);
    },
  );

  it('takes a yes for one app for no other app', async () => {
    const cache = new SerializableTokenCache({ now: () => NOW });
    cache.add(signIn('ada', { expires_in: 30 }));
    cache.add({ ...signIn('ada', { expires_in: 30, refresh_token: 'rt-other' }), client_id: 'other' });
    const file = join(home, 'cache.json');
    writeFileSync(file, cache.serialize());
    expect((await tokenkeep('import', { operand: file })).code).toBe(0);
    const fetch = (): Promise<Response> =>
      Promise.resolve(Response.json(signIn('ada', { access_token: 'at-new' }).response));
    const get = (client: string, answers: string[] = []) =>
      tokenkeep(`${words} --refresh --client ${client}`, { fetch, now: later, answers });
    const { client_id } = signIn('ada');
    expect((await get(client_id, ['y'])).code).toBe(0);
    expect(await get(client_id)).toMatchObject({ code: 0, err: '' });
    expect((await get('other')).code).toBe(EXIT.signInRequired);
    expect((await get('other', ['y'])).code).toBe(0);
    expect(await get('other')).toMatchObject({ code: 0, err: '' });
  });

  it('asks nothing about a token of an imported account that was obtained here', async () => {
    const cache = new SerializableTokenCache({ now: () => NOW });
    cache.add(signIn('ada', { expires_in: 30 }));
    const file = join(home, 'cache.json');
    writeFileSync(file, cache.serialize());
    expect((await tokenkeep('import', { operand: file })).code).toBe(0);
    const vault = await openVault({ file: vaultAt(), name: 'accounts', service: 'Tokenkeep', keychain });
    await vault.update((own) => {
      for (const id of cachedAccounts(own).byId.keys())
        changeHistory(own, id, { ownClients: [signIn('ada').client_id] });
    });
    await vault.close();
    const fetch = (): Promise<Response> =>
      Promise.resolve(Response.json(signIn('ada', { access_token: 'at-new' }).response));
    expect(await tokenkeep(words, { fetch, now: later })).toMatchObject({
      code: 0,
      out: 'at-new\n',
      err: '',
    });
  });

  it.each([
    [
      'metadata',
      '{"issuer":"https://id.example/acme","token_endpoint":"https://id.example/a","token_endpoint":"https://id.example/b"}',
    ],
    ['a token response', '{"access_token":"at-1","access_token":"at-2","expires_in":3600}'],
  ])('takes nothing from %s with two fields of one name', async (what, text) => {
    const issuer = 'https://id.example/acme';
    await vaultWith(tokenResponse({ username: 'eve@id.example', issuer }));
    const posted: string[] = [];
    const fetch = (url: unknown, request?: RequestInit): Promise<Response> => {
      if (request?.method === 'POST') posted.push(String(url));
      else if (what !== 'metadata')
        return Promise.resolve(Response.json({ issuer, token_endpoint: 'https://id.example/token' }));
      return Promise.resolve(new Response(text));
    };
    const { code, out, err } = await tokenkeep('get --account eve@id.example --scope files.read --refresh', {
      fetch,
    });
    expect({ code, out }).toEqual({ code: EXIT.failed, out: '' });
    expect(err).toContain('two fields with the same name');
    expect(posted).toHaveLength(what === 'metadata' ? 0 : 1);
  });

  describe('sends the refresh token of an account without an issuer in the cache', () => {
    const idToken = (claims: object): string => `${b64({ alg: 'none' })}.${b64(claims)}.x`;
    /** Answers as the issuer, and records what is sent. */
    function provider(issuer: string) {
      const sent: { url: string; body: URLSearchParams }[] = [];
      const fetch = (input: unknown, request?: RequestInit): Promise<Response> => {
        if (request?.method !== 'POST')
          return Promise.resolve(Response.json({ issuer, token_endpoint: `${issuer}/token` }));
        sent.push({ url: String(input), body: new URLSearchParams(String(request.body as URLSearchParams)) });
        return Promise.resolve(Response.json({ access_token: 'at-new', expires_in: 3600, scope: 'files' }));
      };
      return { sent, fetch };
    }
    const get = 'get --account eve@contoso.example --scope files --refresh';

    it('of AD FS to the issuer that its ID tokens name, with the scopes that were asked for', async () => {
      const issuer = 'https://sts.contoso.example/adfs';
      await vaultWith({
        client_id: 'my-app',
        scope: ['files'],
        token_endpoint: `${issuer}/oauth2/token`,
        response: {
          access_token: 'at-old',
          refresh_token: 'rt-old',
          expires_in: 3600,
          id_token: idToken({ iss: issuer, sub: 'eve', upn: 'eve@contoso.example' }),
        },
      });
      const { sent, fetch } = provider(issuer);
      expect(await tokenkeep(get, { fetch })).toMatchObject({ err: '', out: 'at-new\n' });
      expect(sent.map(({ url }) => url)).toEqual([`${issuer}/token`]);
      expect(sent[0]?.body.get('scope')).toBe('files'); // RFC 6749 §6: no scope that was not granted
      expect(sent[0]?.body.has('client_info')).toBe(false);
    });

    const POLICY = 'https://contoso.b2clogin.com/tfp/22222222-aaaa-bbbb-cccc-000000000002/b2c_1_in/v2.0';
    const inB2C = () =>
      vaultWith({
        client_id: 'my-app',
        scope: ['files'],
        token_endpoint: `${POLICY.replace('/v2.0', '')}/oauth2/v2.0/token`,
        response: {
          access_token: 'at-old',
          refresh_token: 'rt-old',
          expires_in: 3600,
          client_info: b64({ uid: 'eve-b2c_1_in', utid: TENANT }),
          id_token: idToken({
            iss: POLICY,
            sub: 'eve',
            tid: TENANT,
            emails: ['eve@contoso.example'],
            preferred_username: 'eve@contoso.example',
          }),
        },
      });

    it('of B2C to nobody, because no token names the policy', async () => {
      await inB2C();
      const { sent, fetch } = provider(POLICY);
      const { code, err } = await tokenkeep(get, { fetch });
      expect({ code, sent }).toEqual({ code: EXIT.signInRequired, sent: [] });
      expect(err).toContain('does not say which issuer on contoso.b2clogin.com');
    });

    it('of B2C to the issuer that the user signed in at with this app', async () => {
      await inB2C();
      const vault = await openVault({ file: vaultAt(), name: 'accounts', service: 'Tokenkeep', keychain });
      await vault.update((cache) => {
        for (const id of cachedAccounts(cache).byId.keys())
          changeHistory(cache, id, { issuers: { 'my-app': POLICY } });
      });
      await vault.close();
      const { sent, fetch } = provider(POLICY);
      expect(await tokenkeep(get, { fetch })).toMatchObject({ err: '', out: 'at-new\n' });
      expect(sent.map(({ url }) => url)).toEqual([`${POLICY}/token`]);
    });
  });

  it('asks once before a refresh token goes to a host other than its issuer’s, as the app does', async () => {
    const issuer = 'https://id.example/acme';
    await vaultWith(tokenResponse({ username: 'eve@id.example', issuer }));
    const get = 'get --account eve@id.example --scope files.read --refresh';
    const posted: string[] = [];
    let host = 'tokens.example';
    const fetch = (url: unknown, request?: RequestInit): Promise<Response> => {
      if (request?.method !== 'POST')
        return Promise.resolve(Response.json({ issuer, token_endpoint: `https://${host}/token` }));
      posted.push(new URL(String(url)).host);
      return Promise.resolve(Response.json({ access_token: `at-${posted.length}`, expires_in: 3600 }));
    };
    const script = await tokenkeep(get, { fetch });
    expect(script).toMatchObject({ code: EXIT.signInRequired, out: '' });
    expect(script.err).toContain(`${issuer} has its token endpoint on another host, tokens.example.`);
    expect(await tokenkeep(get, { fetch, answers: ['n'] })).toMatchObject({ code: EXIT.cancelled });
    expect(posted).toEqual([]);
    expect(await tokenkeep(get, { fetch, answers: ['y'] })).toMatchObject({ code: 0, out: 'at-1\n' });
    expect(await tokenkeep(get, { fetch })).toMatchObject({ code: 0, out: 'at-2\n', err: '' });

    host = 'elsewhere.example'; // the provider may change its metadata at any time
    expect(await tokenkeep(get, { fetch })).toMatchObject({ code: EXIT.signInRequired, out: '' });
    expect(posted).toEqual(['tokens.example', 'tokens.example']);
  });

  it.each([
    ['https://id.example@evil.example/', 'is not the address of an issuer'],
    ['https:evil.example', 'is not the address of an issuer'],
    ['http://id.example', 'is not the address of an issuer'],
    ['https://id.\u0435xample', 'names https://id.xn--xample-2of as its provider'],
    ['https://ID.example:443/evil/../acme', 'names https://id.example/acme as its provider'],
  ])('shows the issuer of an imported account as it is asked, or sends nothing: %s', async (issuer, says) => {
    const user = { home_account_id: 'u1', environment: 'id.example' };
    const file = join(home, 'cache.json');
    const refreshToken = { credential_type: 'RefreshToken', secret: 'rt-u1', client_id: 'app', target: '' };
    writeFileSync(
      file,
      JSON.stringify({
        Account: {
          a: {
            ...user,
            realm: '',
            local_account_id: 'u1',
            username: 'u1',
            authority_type: 'Generic',
            issuer,
          },
        },
        RefreshToken: { r: { ...user, ...refreshToken, issuer } },
      }),
    );
    await tokenkeep('import', { operand: file });
    const sent: string[] = [];
    const fetch = (url: unknown): Promise<Response> => {
      sent.push(String(url));
      return Promise.resolve(new Response('', { status: 404 }));
    };
    const { err } = await tokenkeep('get --account u1 --scope files', { fetch });
    expect(err).toContain(says);
    expect(sent).toEqual([]);
  });

  it.each([
    ['invalid_grant', EXIT.signInRequired],
    ['bad_refresh_token', EXIT.signInRequired], // GitHub's own code
    ['interaction_required', EXIT.signInRequired],
    ['login_required', EXIT.signInRequired],
    ['consent_required', EXIT.signInRequired],
    ['account_selection_required', EXIT.signInRequired],
    ['invalid_scope', EXIT.signInRequired],
    ['invalid_client', EXIT.failed],
    ['temporarily_unavailable', EXIT.failed],
  ])('ends in its own way where the provider says %s', async (error, code) => {
    await vaultWith(signIn('ada', { expires_in: 30 }));
    const fetch = (() =>
      Promise.resolve(Response.json({ error }, { status: 400 }))) as typeof globalThis.fetch;
    expect(await tokenkeep(words, { fetch, now: later })).toMatchObject({ code, out: '' });
  });

  it('says who was not reached, and leaves the vault as it was', async () => {
    await vaultWith(signIn('ada', { expires_in: 30 }));
    const { code, err } = await tokenkeep(words, { now: later });
    expect(code).toBe(EXIT.failed);
    expect(err).toContain('was not reached');
    expect(err).not.toContain('rt-ada');
  });

  it.each([
    [
      'a redirect',
      new TypeError('fetch failed', { cause: new Error('unexpected redirect') }),
      'with a redirect',
    ],
    [
      'a certificate that is not trusted',
      new TypeError('fetch failed', {
        cause: Object.assign(new Error('x'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' }),
      }),
      'is not trusted on this computer (SELF_SIGNED_CERT_IN_CHAIN)',
    ],
    ['one in Electron', new Error('net::ERR_CERT_DATE_INVALID'), '(net::ERR_CERT_DATE_INVALID)'],
  ])('names %s, which passes by no new attempt', async (_what, error, says) => {
    await vaultWith(signIn('ada', { expires_in: 30 }));
    const { code, err } = await tokenkeep(words, { now: later, fetch: () => Promise.reject(error) });
    expect(code).toBe(EXIT.failed);
    expect(err).toContain(says);
    expect(err).not.toMatch(/was not reached|try again/i);
  });

  it.each([
    [503, '{}', /HTTP 503\).+Try again later\.\n$/],
    [408, '{}', /HTTP 408\).+Try again later\.\n$/],
    [400, '{"error":"unauthorized_client"}', /\(unauthorized_client\).+ask whoever registered the app\.\n$/],
    [200, '<html>', /something other than a token response.+Report it/],
  ])('says after status %d what to do', async (status, body, says) => {
    await vaultWith(signIn('ada', { expires_in: 30 }));
    const { code, err } = await tokenkeep(words, {
      now: later,
      fetch: () => Promise.resolve(new Response(body, { status })),
    });
    expect(code).toBe(EXIT.failed);
    expect(err).toMatch(says);
  });

  it('stops reading an answer that has no end', async () => {
    await vaultWith(signIn('ada', { expires_in: 60 }));
    let sent = 0;
    const endless = new ReadableStream({
      pull: (controller) => {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(0x20));
      },
    });
    const { code, err } = await tokenkeep(`get --account ada@contoso.example --scope ${ARM}`, {
      now: () => NOW + 3000,
      fetch: () => Promise.resolve(new Response(endless)),
    });
    expect(code).toBe(EXIT.failed);
    expect(err).toContain('answered with something other than a token response');
    expect(sent).toBeLessThan(2 * 1024 * 1024);
  });

  it('needs an account and a scope', async () => {
    await vaultWith(signIn('ada'));
    expect((await tokenkeep('get')).code).toBe(EXIT.usage);
    expect((await tokenkeep(`get --account ben --scope ${ARM}`)).code).toBe(EXIT.notFound);
  });

  it.each(['at\nquit=1', 'at\r\nX-Other: 1', 'at\u001b[2J'])(
    'prints nothing of what is no token, so that nothing in it begins another line: %j',
    async (access_token) => {
      await vaultWith(signIn('ada', { access_token }));
      const git = words.replace('get ', 'credential get ');
      for (const [command, stdin] of [
        [words, ''],
        [`${words} --header`, ''],
        [`${words} --json`, ''],
        [git, 'protocol=https\nhost=dev.azure.com\n'],
      ] as const) {
        const { code, out, err } = await tokenkeep(command, { stdin });
        expect({ code, out }).toEqual({ code: EXIT.failed, out: '' });
        expect(err).toContain('Nothing was printed');
        expect(err).not.toContain('quit=1');
      }
    },
  );

  it('names the scheme `Bearer` in a header where the token type could end it', async () => {
    await vaultWith(signIn('ada', { token_type: 'x\r\nX-Other: 1' }));
    expect((await tokenkeep(`${words} --header`)).out).toBe('Authorization: Bearer at-ada\n');
  });

  it('answers git, over https only', async () => {
    await vaultWith(signIn('ada'));
    const git = words.replace('get ', 'credential get ');
    const asked = (stdin: string) => tokenkeep(git, { stdin });
    expect((await asked('capability[]=authtype\nprotocol=https\nhost=dev.azure.com\n')).out).toContain(
      'authtype=Bearer\ncredential=at-ada\n',
    );
    const { out } = await asked('protocol=https\nhost=dev.azure.com\n');
    expect(out).toMatch(/^username=oauth2\npassword=at-ada\npassword_expiry_utc=\d+\n$/);
    expect(Number(out.trim().split('=').at(-1)) - NOW - 3600).toBeLessThan(15);
    expect(await asked('protocol=http\nhost=dev.azure.com\n')).toMatchObject({ code: EXIT.failed, out: '' });
    expect(await tokenkeep(git.replace(' get ', ' erase '), { stdin: 'protocol=https\n' })).toMatchObject({
      code: 0,
      out: '',
    });
  });

  it('tells git nothing of an expiry that is unknown', async () => {
    await vaultWith(signIn('ada', { expires_in: undefined }));
    const git = words.replace('get ', 'credential get ');
    const { out } = await tokenkeep(git, { stdin: 'protocol=https\n' });
    expect(out).toBe('username=oauth2\npassword=at-ada\n');
  });

  it.each(['help', 'guide'])(
    'is set up for git as in the %s, and no other helper keeps the token',
    (where) => {
      const text =
        where === 'help'
          ? helpOf('credential')
          : readFileSync(new URL('../../docs/command.md', import.meta.url), 'utf8');
      const [token, disk] = [join(home, 'token'), join(home, '.git-credentials')];
      writeFileSync(token, '#!/bin/sh\n[ "$2" != get ] || printf "username=oauth2\\npassword=secret\\n"\n', {
        mode: 0o755,
      });
      const lines = text.split('\n').filter((line) => /^ *git config .*credential\./.test(line));
      const setUp = lines.map((line) =>
        line
          .replace(/credential\.https:\/\/[^/]+\.helper/, 'credential.https://id.example.helper')
          .replace(/'!.*'/, `'!${token} credential'`),
      );
      const git = (script: string): string => {
        const { status, stdout, stderr } = spawnSync('sh', ['-ec', script], {
          cwd: home,
          env: { PATH: process.env['PATH'], HOME: home, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' },
          encoding: 'utf8',
        });
        expect(status, stderr).toBe(0);
        return stdout;
      };
      git('git init -q . && git config --global credential.helper store');
      // Once more, as a user does who changes the scope.
      git([...setUp, ...setUp].join('\n'));
      const filled = git("printf 'protocol=https\nhost=id.example\n\n' | git credential fill");
      expect(filled).toContain('password=secret');
      git(`printf '${filled}' | git credential approve`);
      expect(existsSync(disk)).toBe(false);
    },
  );
});

describe('signout', () => {
  it('asks, then signs out of the vault and of the other program, and checks', async () => {
    await vaultWith(signIn('ada'), signIn('ben'));
    const file = azureCli('ada', 'ben');
    const { code, out, err } = await tokenkeep('signout ada@contoso.example', { answers: ['y'] });
    expect(err).toContain('Sign out of 2 places? [y/N]');
    expect(code).toBe(0);
    expect(out).toMatch(
      /Signed out +vault +3 tokens removed, none left \(checked again\), old key destroyed/,
    );
    expect(out).toMatch(/Signed out +azure-cli +3 tokens removed/);
    // Microsoft has no endpoint that revokes a refresh token, so the receipt says where the user can revoke access.
    expect(out).toMatch(/Not confirmed +Microsoft +Nothing is revoked there\. .*myaccount\.microsoft\.com/);
    expect(out.split('\n').at(-2)).toMatch(
      /^Receipt of \d{4}-.*Z, kept in the vault: Tokenkeep shows it under Activity\.$/,
    );
    expect(readFileSync(file, 'utf8')).not.toContain('rt-ada');
    expect((await tokenkeep('list')).out).not.toContain('ada@');
    expect((await tokenkeep('list')).out).toContain('ben@');
  });

  it('puts back what it removed from another program, and not what was in the vault', async () => {
    await vaultWith(signIn('ada'), signIn('ben'));
    const file = azureCli('ada', 'ben');
    const before = readFileSync(file, 'utf8');
    const { code, out, err } = await tokenkeep('signout ada@contoso.example', { answers: ['y', 'undo'] });
    expect(err).toContain('type “undo” to put back what was removed from azure-cli: ');
    expect(out).toMatch(/Undone +azure-cli +ada@contoso\.example is signed in again\.\n$/);
    expect(code).toBe(EXIT.stillSignedIn);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(before));
    expect((await tokenkeep('list --vault-only')).out).not.toContain('ada@');
    // With `--yes` nobody is asked; with `--vault-only` there is no file to restore.
    for (const words of ['signout ada@contoso.example --yes', 'signout ben@contoso.example --vault-only'])
      expect((await tokenkeep(words, { answers: ['y', 'undo'] })).out).not.toContain('Undone');
  });

  it('tells several caches of one program apart, each with its own tokens', async () => {
    await vaultWith(signIn('ada'));
    mkdirSync(join(home, '.IdentityService'));
    for (const [name, event] of [
      ['msal.cache', signIn('ada')],
      ['mg.msal.cache', signIn('ada', { refresh_token: undefined })],
    ] as const) {
      const cache = new SerializableTokenCache({ now: () => NOW });
      cache.add(event);
      writeFileSync(join(home, '.IdentityService', name), cache.serialize({ dialect: 'msal-dotnet' }));
    }
    const { out, err } = await tokenkeep('signout ada@contoso.example', { answers: ['y'] });
    for (const [name, tokens] of [
      ['msal.cache', 3],
      ['mg.msal.cache', 2],
    ] as const) {
      const row = `identity-service (~/.IdentityService/${name})`;
      expect(err).toContain(`${row} ${tokens} tokens are removed`);
      expect(out).toContain(`${row} ${tokens} tokens removed`);
    }
  });

  it('writes nothing after JSON, and offers no undo then', async () => {
    await vaultWith(signIn('ada'));
    const file = azureCli('ada');
    const { out, err } = await tokenkeep('signout ada@contoso.example --json', { answers: ['y', 'undo'] });
    expect(JSON.parse(out)).toContainEqual(
      expect.objectContaining({ place: 'azure-cli', result: 'Signed out' }),
    );
    expect(err).not.toContain('undo');
    expect(readFileSync(file, 'utf8')).not.toContain('rt-ada');
  });

  it('puts back what it removed of several accounts, Azure CLI’s subscriptions too', async () => {
    // Both have to sign in again, as the vault has it.
    const ended = { refresh_token: undefined, expires_in: -3600 };
    await vaultWith(signIn('ada', ended), signIn('ben', ended));
    azureCli('ada', 'ben');
    const file = join(home, '.azure/msal_token_cache.json');
    const cache = new SerializableTokenCache({ now: () => NOW });
    for (const name of ['ada', 'ben']) cache.add(signIn(name, ended));
    writeFileSync(file, cache.serialize({ dialect: 'msal-python' }));
    const profile = join(home, '.azure/azureProfile.json');
    const subscriptions = ['ada', 'ben'].map((name) => ({
      id: name,
      user: { name: `${name}@contoso.example` },
      isDefault: name === 'ada',
    }));
    writeFileSync(profile, JSON.stringify({ subscriptions }));
    const { out } = await tokenkeep('signout --expired', { answers: ['y', 'undo'] });
    expect(out.match(/^Undone /gm)).toHaveLength(2);
    expect(JSON.parse(readFileSync(profile, 'utf8'))).toEqual({ subscriptions });
  });

  it.each([[['n']], [[' ']]])('changes nothing after %j', async (answers) => {
    await vaultWith(signIn('ada'));
    const { code } = await tokenkeep('signout ada@contoso.example', { answers });
    expect(code).toBe(EXIT.cancelled);
    expect((await tokenkeep('list')).out).toContain('ada@');
  });

  it('changes nothing without a confirmation, unless --yes is given', async () => {
    await vaultWith(signIn('ada'));
    expect((await tokenkeep('signout ada@contoso.example')).code).toBe(EXIT.cancelled);
    expect((await tokenkeep('signout ada@contoso.example --yes')).code).toBe(0);
  });

  it('says first where the account is still signed in, and ends with 5', async () => {
    await vaultWith(signIn('ada'));
    const file = azureCli('ada');
    writeFileSync(`${file}.lockfile`, `${process.pid} az`);
    const { code, out } = await tokenkeep('signout ada@contoso.example --yes');
    expect(code).toBe(EXIT.stillSignedIn);
    expect(out.split('\n')[0]).toMatch(/^Still signed in +azure-cli/);
    expect(out).toMatch(/Signed out +vault/);
  });

  it('ends with 5 while another program has its own copy, unless only the vault was meant', async () => {
    const copy = join(home, 'copy.json');
    copyFileSync(azureCli('ada'), copy);
    rmSync(join(home, '.azure'), { recursive: true });
    const ends = { '': EXIT.stillSignedIn, ' --vault-only': EXIT.ok };
    for (const [option, code] of Object.entries(ends)) {
      await tokenkeep('import', { operand: copy });
      const left = await tokenkeep(`signout ada@contoso.example --yes${option}`);
      expect(left).toMatchObject({ code, out: expect.stringMatching(/^Other copy +/) as string });
    }
  });

  it('ends with 5 while the old key of the vault is not destroyed', async () => {
    await vaultWith(signIn('ada'));
    const locked = (): Promise<never> =>
      Promise.reject(new KeychainError('keychain_locked', 'The keychain is locked.'));
    const stuck: Keychain = { ...keychain, get: keychain.get.bind(keychain), set: locked, delete: locked };
    const left = await tokenkeep('signout ada@contoso.example --yes', { keychain: stuck });
    expect(left).toMatchObject({
      code: EXIT.stillSignedIn,
      out: expect.stringMatching(/^Pending +vault +/) as string,
    });
  });

  it('says which file keeps its own copy of an imported account, unless it was signed out there too', async () => {
    const file = azureCli('ada');
    const copy = join(home, 'copy\u202eAda.json');
    copyFileSync(file, copy);
    const link = join(home, 'link.json');
    symlinkSync(file, link);
    const sentences = {
      [file]:
        'Only Tokenkeep’s copy is removed. Azure CLI keeps its own copy in ~/.azure/msal_token_cache.json.',
      [link]: 'Only Tokenkeep’s copy is removed. Azure CLI keeps its own copy in ~/link.json.',
      [copy]: 'Only Tokenkeep’s copy is removed. The program that wrote ~/copy Ada.json keeps its own copy.',
    };
    const bringIn = (path: string): Promise<unknown> => tokenkeep('import', { operand: path });
    for (const [path, sentence] of Object.entries(sentences)) {
      await bringIn(path);
      const asked = await tokenkeep('signout ada@contoso.example --vault-only', { answers: ['y'] });
      expect(asked.err.split('\n').filter((line) => line.includes(sentence))).toHaveLength(1);
      expect(asked).toMatchObject({ code: 0, out: expect.stringMatching(/^Other copy +/) as string });
      expect(asked.out).toContain(sentence);

      await bringIn(path);
      const { out } = await tokenkeep('signout ada@contoso.example --vault-only --yes --json');
      expect(JSON.parse(out)).toContainEqual({
        account: 'ada@contoso.example',
        place: path === copy ? expect.stringContaining('Ada.json') : 'Azure CLI',
        result: 'Other copy',
        says: sentence,
      });
    }
    // The account is signed out of the file as well, whichever name it was imported by.
    for (const path of [file, link]) {
      azureCli('ada');
      await bringIn(path);
      expect((await tokenkeep('signout ada@contoso.example --yes')).out).not.toContain('own copy');
    }
    // The file was deleted after the import.
    await bringIn(copy);
    rmSync(copy);
    expect((await tokenkeep('signout ada@contoso.example --yes')).out).not.toContain('own copy');
  });

  it('signs out everyone who has to sign in again', async () => {
    await vaultWith(signIn('ada'), signIn('zoe', { refresh_token: undefined, expires_in: 50 }));
    const { code, out } = await tokenkeep('signout --expired --yes', { now: () => NOW + 3000 });
    expect(code).toBe(0);
    expect(out).toContain('Signed out');
    expect((await tokenkeep('list')).out).not.toContain('zoe@');
    expect((await tokenkeep('signout --expired --yes')).out).toContain('so nobody was signed out.\n');
    expect((await tokenkeep('signout --expired --yes --json')).out).toBe('[]\n');
  });
});

describe('import', () => {
  it('takes nothing but sign-ins from an imported file, and marks them as another program’s', async () => {
    const file = azureCli('ada');
    const hostile = new SerializableTokenCache({ now: () => NOW });
    hostile.deserialize(readFileSync(file, 'utf8'));
    const [id = ''] = cachedAccounts(hostile).byId.keys();
    const client = '04b07795-8ddb-461a-bbee-02f9e1bf7b46';
    changeHistory(hostile, id, { issuers: { [client]: 'https://evil.example' } });
    setAppData(hostile, 'profiles', [{ issuer: 'https://evil.example' }]);
    writeFileSync(file, hostile.serialize());
    expect((await tokenkeep('import', { operand: file })).code).toBe(0);

    const vault = await openVault({ file: vaultAt(), name: 'accounts', service: 'Tokenkeep', keychain });
    const kept = await vault.read((cache) => ({
      history: historyOf(cache, id),
      profiles: appData(cache, 'profiles'),
    }));
    await vault.close();
    expect(kept).toMatchObject({ history: { source: file, shared: true }, profiles: undefined });
    expect(kept.history.issuers).toEqual({});
  });
});

describe('decode', () => {
  it.each([
    ['a token', (jwt: string) => jwt],
    ['a header', (jwt: string) => `Authorization: Bearer ${jwt}`],
    ['a token response', (jwt: string) => JSON.stringify({ access_token: jwt })],
  ])('reads %s', async (_, holding) => {
    const stdin = holding(`${b64({ alg: 'RS256' })}.${b64({ aud: 'api', exp: NOW + 75 })}.c2ln`);
    const { code, out } = await tokenkeep('decode -', { stdin });
    expect(code).toBe(0);
    expect(out).toContain('"aud": "api"');
    expect(out).toContain('in 1 min');
    expect(out).toContain('The signature was not checked.');
    expect(out).not.toContain('c2ln');
  });

  it('prints numbers to the last digit, and members in their order', async () => {
    const claims = Buffer.from('{"uid":1234567890123456789,"7":0.10}').toString('base64url');
    const token = `${b64({ alg: 'RS256' })}.${claims}.c2ln`;
    expect((await tokenkeep('decode -', { stdin: token })).out).toContain(
      '"claims": {\n    "uid": 1234567890123456789,\n    "7": 0.1\n  }',
    );
    expect((await tokenkeep('decode - --json', { stdin: token })).out).toContain(
      '"payload": {\n      "uid": 1234567890123456789,\n      "7": 0.1\n    }',
    );
  });

  it('says what can’t be read', async () => {
    expect((await tokenkeep('decode opaque')).out).toContain('opaque');
    expect((await tokenkeep('decode -', { stdin: '' })).code).toBe(EXIT.failed);
    expect((await tokenkeep('decode -', { stdin: '{"x":1' })).code).toBe(EXIT.failed);
  });
});

describe('the vault as a whole', () => {
  it('verifies, and finds nothing to mend', async () => {
    await vaultWith(signIn('ada'));
    expect(await tokenkeep('verify')).toMatchObject({ code: 0 });
    expect(await tokenkeep('doctor')).toMatchObject({ code: 0 });
  });

  it('repairs, and says what it repaired', async () => {
    await vaultWith(signIn('ada', { refresh_token: undefined }));
    const later = { now: () => NOW + 7200 };
    const found = await tokenkeep('doctor', later);
    expect(found.code).toBe(EXIT.findings);
    expect(found.out).toContain('tokenkeep doctor --repair');
    const says = 'An account has no refresh token and no valid access token.';
    const { out, code } = await tokenkeep('doctor --repair', later);
    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(new RegExp(`^Repaired: ${says}.* \\(3 removed\\)\n$`));
    expect((await tokenkeep('doctor --repair', later)).out).toContain('No duplicates');
  });

  it('lists what it repaired as JSON', async () => {
    await vaultWith(signIn('ada', { refresh_token: undefined }));
    const { out } = await tokenkeep('doctor --repair --json', { now: () => NOW + 7200 });
    expect(JSON.parse(out)).toMatchObject({ repaired: [{ kind: 'account-without-tokens' }], left: [] });
  });

  it('replaces no file by an export without being told to', async () => {
    await vaultWith(signIn('ada'));
    const stdin = 'seven-warm-lanterns-drift-north\n';
    const [file, link] = [join(home, 'thesis.txt'), join(home, 'link')];
    writeFileSync(file, 'Years of work.');
    symlinkSync(file, link);
    for (const taken of [file, link]) {
      const refused = await tokenkeep(`export ${taken} --passphrase-stdin`, { stdin });
      expect(refused).toMatchObject({
        code: EXIT.cancelled,
        err: expect.stringContaining('--replace') as string,
      });
      const asked: string[] = [];
      const ask = (answer: string) => (question: string) => {
        asked.push(question);
        return Promise.resolve(answer);
      };
      const no = { stdin, isInteractive: true, ask: ask('') };
      expect((await tokenkeep(`export ${taken} --passphrase-stdin`, no)).code).toBe(EXIT.cancelled);
      expect(asked).toEqual([`${taken} exists already. Replace it? [y/N] `]);
      expect(readFileSync(taken, 'utf8')).toBe('Years of work.');
    }
    expect((await tokenkeep(`export ${file} --passphrase-stdin --replace`, { stdin })).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain('age-encryption.org');
  });

  it('makes no folder for an export', async () => {
    await vaultWith(signIn('ada'));
    const folder = join(home, 'Dokuments');
    const words = `export ${folder}/copy.age --passphrase-stdin`;
    const { code, err } = await tokenkeep(words, { stdin: 'seven-warm-lanterns-drift-north\n' });
    expect(code).toBe(EXIT.failed);
    expect(err).toContain(`The folder “${folder}” is not there. Nothing was exported.`);
    expect(existsSync(folder)).toBe(false);
  });

  it('makes no folder for a new vault', async () => {
    const folder = join(home, 'Dokuments');
    const { code, err } = await tokenkeep(`import ${azureCli('ada')} --vault ${folder}/new.vault`);
    expect(code).toBe(EXIT.notFound);
    expect(err).toContain(`The folder ${folder} is not there. Nothing was read.`);
    expect(existsSync(folder)).toBe(false);
  });

  it('exports and imports, with a passphrase from standard input', async () => {
    await vaultWith(signIn('ada'));
    const copy = join(home, 'copy.age');
    const stdin = 'seven-warm-lanterns-drift-north\n';
    expect((await tokenkeep(`export ${copy} --passphrase-stdin`, { stdin })).code).toBe(0);
    expect((await tokenkeep(`import ${copy}`)).code).toBe(EXIT.usage);
    const other = join(home, 'other.vault');
    const imported = await tokenkeep(`import ${copy} --vault ${other} --passphrase-stdin`, { stdin });
    expect(imported).toMatchObject({ code: 0, out: expect.stringContaining('1 account and') as string });
    expect((await tokenkeep(`list --vault ${other}`)).out).toContain('ada@');
  }, 60_000);

  it('ends with the number of the state, and says what to do', async () => {
    await vaultWith(signIn('ada'));
    const locked: Keychain = {
      ...keychain,
      get: () => Promise.reject(new KeychainError('keychain_locked', 'The keychain is locked.')),
    };
    const { code, err } = await tokenkeep('list', { keychain: locked });
    expect(code).toBe(EXIT.locked);
    expect(err).toMatch(/^tokenkeep: .+/);
    expect((await tokenkeep('list', { keychain: memoryKeychain() })).code).toBe(EXIT.keyMissing);
    writeFileSync(vaultAt(), Buffer.alloc(5000, 7));
    expect(await tokenkeep('list')).toMatchObject({
      code: EXIT.damaged,
      err: expect.stringContaining('tokenkeep: ') as string,
    });
  });
});

it('writes no character that a terminal would execute, and no line that looks like its own', async () => {
  const odd = '\u009b2J\u202ea\u2028\u061c';
  const claims = { sub: 's', oid: 's', tid: TENANT, preferred_username: `dee${odd}@contoso.example` };
  const id_token = `${b64({ alg: 'none' })}.${b64(claims)}.x`;
  await vaultWith(signIn('dee', { id_token }));
  const outputs = [
    await tokenkeep('list --json'),
    await tokenkeep('decode', { operand: id_token }),
    await tokenkeep('decode --json', { operand: id_token }),
  ];
  for (const { out } of outputs) {
    expect(out).not.toMatch(/[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
    expect(out).toContain('\\u009b2J\\u202ea\\u2028\\u061c');
  }
  expect(JSON.parse(outputs[0]!.out)).toMatchObject([{ username: claims.preferred_username }]);
  const { err } = await tokenkeep('show', { operand: 'x\ntokenkeep: forged' });
  expect(err.trim().split('\n')).toHaveLength(1);
});

it('goes through all accounts once to find each, since it would take the square of the time otherwise', () => {
  const cache = new SerializableTokenCache({ now: () => NOW });
  for (let index = 0; index < 20; index += 1) cache.add(signIn(`user${index}`));
  const all = vi.spyOn(cachedAccounts(cache).byId, 'values');
  const people = peopleIn([{ name: 'vault', cache, accounts: cache.accounts() }], NOW);
  expect(people).toHaveLength(20);
  expect(people.every(({ tokens }) => tokens.length === 3)).toBe(true);
  expect(all).toHaveBeenCalledTimes(1);
});
