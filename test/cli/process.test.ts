/** The command as a process: in a pipe, in a terminal, and without a keyring. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src-main/cli/world.ts';
import { bundle } from '../support/bundle.ts';

let program: string;
let home: string;

beforeAll(async () => {
  program = await bundle('src-main/cli/main.ts');
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-command-'));
  mkdirSync(join(home, '.config/gh'), { recursive: true });
  writeFileSync(join(home, '.config/gh/hosts.yml'), 'github.com:\n    user: ada\n');
}, 60_000);
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
  rmSync(dirname(program), { recursive: true, force: true });
});

const environment = () => ({
  PATH: process.env['PATH'],
  HOME: home,
  DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere',
});
function piped(words: readonly string[], input = '') {
  return spawnSync(process.execPath, [program, ...words], { env: environment(), encoding: 'utf8', input });
}
/** In a pseudo-terminal of util-linux, which prints what a person would see. */
function inTerminal(words: string, typed = '') {
  const command = `${process.execPath} ${program} ${words}`;
  return spawnSync('script', ['-qec', command, '/dev/null'], {
    env: { ...environment(), TERM: 'xterm' },
    encoding: 'utf8',
    input: typed,
  });
}

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
    expect(piped(['lists']).status).toBe(EXIT.usage);
  });

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

  it('asks nobody', () => {
    expect(piped(['import', '/nowhere.age']).status).toBe(EXIT.failed);
    expect(piped(['show', 'ada']).status).toBe(EXIT.notFound);
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
});
