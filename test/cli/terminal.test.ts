/** The command on a real terminal (tmux), with a keyring and without one. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { EXIT } from '../../src-main/cli/world.ts';
import { tokenResponse } from '../../src-main/testing/index.ts';
import { bundle } from '../support/bundle.ts';
import { type OwnKeyring, startKeyring } from '../support/keyring.ts';
import { type Shell, terminal as terminalIn } from './tmux.ts';

let program: string;
let keyring: OwnKeyring;
let folder: string;
const response = tokenResponse({ username: 'ada@example.org' });

beforeAll(async () => {
  program = await bundle('src-main/cli/main.ts');
  keyring = await startKeyring();
  folder = mkdtempSync(join(tmpdir(), 'tokenkeep-tmux-'));
  const script = `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`;
  writeFileSync(join(folder, 'tokenkeep'), script);
  chmodSync(join(folder, 'tokenkeep'), 0o755);
}, 60_000);
afterAll(async () => {
  await keyring.close();
  for (const path of [folder, dirname(program)]) rmSync(path, { recursive: true, force: true });
});

const terminal = (env: Record<string, string>, task: (shell: Shell) => Promise<void>) =>
  terminalIn(folder, env, task);

function azureCli(home: string): string {
  const cache = new SerializableTokenCache();
  for (const username of ['ada@example.org', 'ben@example.org']) cache.add(tokenResponse({ username }));
  mkdirSync(join(home, '.azure'));
  const file = join(home, '.azure/msal_token_cache.json');
  writeFileSync(file, cache.serialize({ dialect: 'msal-python' }), { mode: 0o600 });
  return file;
}

describe('with a keyring', () => {
  it('imports, lists, prints no token to the screen, asks before a sign-out, and undoes nothing of others', async () => {
    await terminal(keyring.env, async ({ home, run, begin, seen, type, enter, coloured }) => {
      const file = azureCli(home);
      const secrets = [...readFileSync(file, 'utf8').matchAll(/"secret": ?"([^"]+)"/g)].map(
        ([, secret]) => secret!,
      );
      expect(secrets.length).toBeGreaterThan(3);
      expect(await run(`tokenkeep import ${file}`)).toMatchObject({ code: EXIT.ok });
      const list = await run('tokenkeep list');
      expect(list).toMatchObject({
        code: EXIT.ok,
        text: expect.stringMatching(/ada@example\.org .*vault, azure-cli/) as string,
      });
      const scope = String(response.scope);
      const get = `tokenkeep get --account ada@example.org --scope '${scope}'`;
      const refused = await run(get);
      expect(refused.code).toBe(EXIT.notPrinted);
      expect(refused.text).toContain('Not printed: standard output is a terminal');
      const counted = await run(`${get} --header | wc -l`);
      expect(counted.text).toMatch(/^1$/m);
      for (const { text } of [list, refused, counted])
        for (const secret of secrets) expect(text).not.toContain(secret);

      // git asks its credential helper, as it does for a fetch.
      const helper = `!tokenkeep credential --account ada@example.org --scope ${scope}`;
      const git = `printf 'protocol=https\\nhost=dev.example\\n\\n' | git -c credential.helper='${helper}' credential fill`;
      expect((await run(`${git} > filled && grep -c '^username=oauth2$' filled`)).text).toMatch(/^1$/m);
      expect(secrets).toContain(/^password=(.+)$/m.exec(readFileSync(join(home, 'filled'), 'utf8'))?.[1]);

      const declined = begin('tokenkeep signout ada@example.org');
      expect(await seen(/Sign out of 2 places\? \[y\/N\]/)).toMatch(/vault .*the encryption key is rotated/);
      type('n');
      enter();
      expect((await declined()).code).toBe(EXIT.cancelled);
      const done = begin('tokenkeep signout ada@example.org');
      await seen(/Sign out of 2 places\? \[y\/N\]/);
      type('y');
      enter();
      await seen(/Press Enter to finish, or type “undo” to put back what was removed from azure-cli/);
      expect(readFileSync(file, 'utf8')).not.toContain('ada@example.org');
      type('undo');
      enter();
      const undone = await done();
      expect(undone.text).toMatch(/Undone +azure-cli +ada@example\.org is signed in again\./);
      expect(undone.code).toBe(EXIT.stillSignedIn);
      expect(readFileSync(file, 'utf8')).toContain('ada@example.org');
      expect((await run('tokenkeep list')).text).toMatch(/ada@example\.org .* azure-cli$/m);
      await run(`tokenkeep import ${file}`);

      const again = begin('tokenkeep signout ada@example.org');
      await seen(/Sign out of 2 places\? \[y\/N\]/);
      type('y');
      enter();
      await seen(/Press Enter to finish/);
      enter();
      const { code, text } = await again();
      expect(code).toBe(EXIT.ok);
      expect(text).toMatch(
        /Signed out +vault +3 tokens removed, none left \(checked again\), old key destroyed/,
      );
      expect(text).toMatch(/Signed out +azure-cli +3 tokens removed/);
      expect(coloured()).toContain('\u001b[32mSigned out');
      expect(readFileSync(file, 'utf8')).toContain('ben@example.org');
      expect(readFileSync(file, 'utf8')).not.toContain('ada@example.org');
    });
  }, 90_000);

  it('changes nothing where a question is answered by Ctrl+C or Ctrl+D, and finishes where undo was offered', async () => {
    await terminal(keyring.env, async ({ home, run, begin, seen, type, enter, press }) => {
      const file = azureCli(home);
      await run(`tokenkeep import ${file}`);
      for (const key of ['C-c', 'C-d']) {
        const exported = begin('tokenkeep export copy.age');
        await seen(/Passphrase:/);
        press(key);
        expect(await exported()).toMatchObject({
          code: EXIT.cancelled,
          text: expect.stringContaining('Cancelled. Nothing was changed.') as string,
        });
        const asked = begin('tokenkeep signout ada@example.org');
        await seen(/Sign out of 2 places\? \[y\/N\]/);
        press(key);
        expect((await asked()).code).toBe(EXIT.cancelled);
      }
      expect(readFileSync(file, 'utf8')).toContain('ada@example.org');
      const done = begin('tokenkeep signout ada@example.org');
      await seen(/Sign out of 2 places\? \[y\/N\]/);
      type('y');
      enter();
      await seen(/Press Enter to finish/);
      press('C-c');
      expect((await done()).code).toBe(EXIT.ok);
      expect(readFileSync(file, 'utf8')).not.toContain('ada@example.org');
    });
  }, 90_000);

  it('asks for a passphrase twice, and shows neither', async () => {
    await terminal(keyring.env, async ({ home, run, begin, seen, type, enter }) => {
      await run(`tokenkeep import ${azureCli(home)}`);
      const exported = begin('tokenkeep export copy.age');
      await seen(/Passphrase:/);
      type('seven-warm-lanterns-drift-north');
      enter();
      await seen(/Confirm passphrase:/);
      type('something-else-altogether-here');
      enter();
      const { text, code } = await exported();
      expect(code).toBe(EXIT.cancelled);
      expect(text).toContain('The two passphrases differ. Nothing was written.');
      expect(text).not.toMatch(/lanterns|altogether/);
    });
  }, 60_000);
});

/** How each shell is started without the user's configuration, and how it loads its completions. */
const SHELLS = {
  bash: ['bash --norc --noprofile', 'source <(tokenkeep completion bash)'],
  zsh: ['zsh -f', 'autoload -Uz compinit && compinit -u -D && source <(tokenkeep completion zsh)'],
  fish: ['fish --private --no-config', 'tokenkeep completion fish | source'],
} as const;

describe.each(Object.entries(SHELLS))('completions in %s', (_, [shell, source]) => {
  it('complete verbs, options and the words of an operand', async () => {
    await terminalIn(
      folder,
      { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere' },
      async ({ type, enter, press, seen }) => {
        type(`${source}; echo source''d`);
        enter();
        await seen(/^sourced/m);
        type('tokenkeep signo');
        press('Tab');
        await seen(/tokenkeep signout/);
        type('--vault-o');
        press('Tab');
        await seen(/tokenkeep signout --vault-only/);
        press('C-u');
        type('tokenkeep credential er');
        press('Tab');
        await seen(/tokenkeep credential erase/);
      },
      shell,
    );
  }, 60_000);
});

describe('without a keyring', () => {
  it('shows the caches of other programs, and says why the vault can’t be opened', async () => {
    const env = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere' };
    await terminal(env, async ({ home, run }) => {
      const file = azureCli(home);
      expect(await run('tokenkeep list')).toMatchObject({
        code: EXIT.ok,
        text: expect.stringMatching(/ben@example\.org .*azure-cli/) as string,
      });
      expect(await run('tokenkeep sources')).toMatchObject({
        code: EXIT.ok,
        text: expect.stringContaining('no vault yet') as string,
      });
      const imported = await run(`tokenkeep import ${file}`);
      expect(imported.code).toBe(EXIT.noKeychain);
      expect(imported.text).toMatch(/^tokenkeep: \S/m);
      expect((await run('tokenkeep signout ada@example.org --yes')).code).toBe(EXIT.ok);
      expect(readFileSync(file, 'utf8')).not.toContain('ada@example.org');
    });
  }, 60_000);
});
