/** The command as a process: in a pipe, in a terminal, and without a keyring. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src-main/cli/world.ts';
import { bundle } from '../support/bundle.ts';

let program: string;
let keeper: string;
let home: string;

beforeAll(async () => {
  program = await bundle('src-main/cli/main.ts');
  keeper = await bundle('test/cli/held-program.ts');
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-command-'));
  mkdirSync(join(home, '.config/gh'), { recursive: true });
  writeFileSync(join(home, '.config/gh/hosts.yml'), 'github.com:\n    user: ada\n');
}, 60_000);
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
  for (const bundled of [program, keeper]) rmSync(dirname(bundled), { recursive: true, force: true });
});

const environment = () => ({
  PATH: process.env['PATH'],
  HOME: home,
  DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere',
});
function piped(words: readonly string[], input = '') {
  return spawnSync(process.execPath, [program, ...words], { env: environment(), encoding: 'utf8', input });
}
/** In a pseudo-terminal of util-linux, which prints what a user would see. */
function inTerminal(words: string, typed = '') {
  const command = `${process.execPath} ${program} ${words}`;
  return spawnSync('script', ['-qec', command, '/dev/null'], {
    env: { ...environment(), TERM: 'xterm' },
    encoding: 'utf8',
    input: typed,
  });
}

/** Each verb on a system with no keyring and no vault, where GitHub CLI has one account. */
const VERBS: readonly (readonly [string, number])[] = [
  ['list', EXIT.ok],
  ['show ada', EXIT.ok],
  ['show nobody', EXIT.notFound],
  ['sources --json', EXIT.ok],
  ['get --account ada --scope s', EXIT.noKeychain],
  ['credential get --account ada --scope s', EXIT.noKeychain],
  ['signout ada', EXIT.cancelled],
  ['signout ada --yes', EXIT.stillSignedIn],
  ['decode opaque', EXIT.ok],
  ['doctor', EXIT.noKeychain],
  ['verify', EXIT.noKeychain],
  ['export copy.age --passphrase-stdin', EXIT.noKeychain],
  ['import nowhere.age', EXIT.failed],
  ['completion bash', EXIT.ok],
  ['lists', EXIT.usage],
];

describe('a signal', () => {
  /** Runs a program that holds signals back, sends these while it does, lets it go on, and returns what it came to. */
  async function held(...signals: NodeJS.Signals[]) {
    const child = spawn(process.execPath, [keeper]);
    const said = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text));
    const end = once(child, 'close');
    await expect.poll(() => said.out, { timeout: 20_000 }).toBe('sent\n');
    for (const [index, signal] of signals.entries()) {
      child.kill(signal);
      if (index === 0) await expect.poll(() => said.err, { timeout: 20_000 }).toContain('Ctrl+C again');
    }
    if (signals.length < 2) child.stdin.end('go on\n');
    const [code, ended] = (await end) as [number | null, string | null];
    return { out: said.out, code, ended };
  }

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s waits until the answer is saved', async (signal) => {
    expect(await held(signal)).toEqual({ out: 'sent\nkept\n', code: null, ended: signal });
  });

  it('ends the command at once if it comes twice', async () => {
    expect(await held('SIGINT', 'SIGINT')).toEqual({ out: 'sent\n', code: null, ended: 'SIGINT' });
  });

  it('that does not come ends nothing', async () => {
    expect(await held()).toEqual({ out: 'sent\nkept\n', code: 0, ended: null });
  });
});

describe('in a pipe', () => {
  it('lists the sources where no keyring runs and no vault has been made', () => {
    const { status, stdout } = piped(['sources']);
    expect(stdout).toMatch(/^SOURCE.*\nvault +no vault yet/);
    expect(stdout).toMatch(/gh +open, view only, changed [^/]+1 +~\/\.config\/gh\/hosts\.yml/);
    expect(status).toBe(0);
  });

  it('reads standard input, and ends with its number', () => {
    expect(piped(['decode'], 'opaque').stdout).toContain('opaque');
    expect(piped(['decode'], '').status).toBe(EXIT.failed);
  });

  it.each(['decode', 'credential get --account ada --scope s', 'import x.age --passphrase-stdin'])(
    '%s does not read an input that never ends',
    (words) => {
      writeFileSync(join(home, 'x.age'), 'age-encryption.org/v1\n');
      const line = `cd "${home}"; yes | head -c 200M | "${process.execPath}" "${program}" ${words}`;
      const { status, stderr } = spawnSync('bash', ['-c', line], { env: environment(), encoding: 'utf8' });
      expect(stderr).toContain('Standard input has more than 16 MB');
      expect(status).toBe(EXIT.failed);
    },
  );

  it('ends quietly where its reader has seen enough', () => {
    const { status, stderr } = spawnSync(
      'bash',
      ['-o', 'pipefail', '-c', `"${process.execPath}" "${program}" --help | head -1`],
      {
        env: environment(),
        encoding: 'utf8',
      },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it.each(VERBS)('%s ends with %i also where its reader reads nothing', (words, code) => {
    // The pause lets the reader end before anything is written.
    const line = `(sleep 0.3; printf 'protocol=https\\n' | "${process.execPath}" "${program}" ${words}) | true; exit "\${PIPESTATUS[0]}"`;
    expect(spawnSync('bash', ['-c', line], { env: environment(), encoding: 'utf8' }).status).toBe(code);
  });

  it('says that its output could not be written', () => {
    const line = `"${process.execPath}" "${program}" sources > /dev/full`;
    const { status, stderr } = spawnSync('bash', ['-c', line], { env: environment(), encoding: 'utf8' });
    expect({ status, stderr }).toEqual({
      status: EXIT.failed,
      stderr: 'tokenkeep: The output could not be written (ENOSPC).\n',
    });
  });

  it.each(['', 'relative/home'])('says that the home folder is unknown where HOME is “%s”', (HOME) => {
    const ran = spawnSync(process.execPath, [program, 'list'], {
      env: { ...environment(), HOME },
      encoding: 'utf8',
    });
    expect(ran.stderr).toMatch(/^tokenkeep: The home folder of this user is unknown, .+\n$/);
    expect(ran.status).toBe(EXIT.failed);
  });

  it.each(VERBS)('%s ends with %i where no keyring runs', (words, code) => {
    const { status, stdout, stderr } = piped(words.split(' '), 'protocol=https\nhost=x.example\n');
    expect(status, stderr).toBe(code);
    if (code !== EXIT.ok) expect(stderr + stdout).toMatch(/^(?:tokenkeep: |Still signed in)/m);
  });
});

describe('in a terminal', () => {
  it('prints no token, and says what to do instead', () => {
    const { status, stdout } = inTerminal('get --account ada --scope s');
    expect(stdout).toContain('Not printed: standard output is a terminal');
    expect(status).toBe(EXIT.notPrinted);
  });

  it('shows its help', () => {
    expect(inTerminal('--help').stdout).toContain('Usage: tokenkeep VERB');
  });

  it('ends each verb as in a pipe, but prints no token, and asks before a sign-out', () => {
    const inAny = VERBS.filter(([words]) => !/^(?:get|credential|export|signout ada$)/.test(words));
    const script = inAny.map(
      ([words]) => `${process.execPath} ${program} ${words} </dev/null; echo ended=$?`,
    );
    writeFileSync(join(home, 'verbs.sh'), script.join('\n'));
    const { stdout } = spawnSync('script', ['-qec', 'sh verbs.sh', '/dev/null'], {
      cwd: home,
      env: { ...environment(), TERM: 'xterm' },
      encoding: 'utf8',
      input: '',
    });
    const ended = [...stdout.matchAll(/^ended=(\d+)/gm)].map(([, code]) => Number(code));
    expect(ended).toEqual(inAny.map(([, code]) => code));
    const { status, stdout: asked } = inTerminal('signout ada', 'y\n');
    expect(asked).toMatch(
      /Sign out ada\?\r\n +gh +can’t be changed by Tokenkeep\. To sign out, run: gh auth logout/,
    );
    expect(status).toBe(EXIT.stillSignedIn);
  });
});
