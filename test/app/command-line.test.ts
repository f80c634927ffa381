import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { commandWords, isCommand, startCommand } from '../../app/command-line.ts';

it.each([
  [['list'], true],
  [['signout', 'ada@example.org'], true],
  [['nonsense'], true], // The command says that there is no such verb.
  [['--help'], true],
  [['-h'], true],
  [['--version'], true],
  [[], false],
  [[''], false],
  [['--demo'], false],
  [['--import', 'list'], false],
  [['--ozone-platform=x11', 'list'], false],
  [['/home/ada/list'], false],
  [['https://example.org'], false],
  [['-psn_0_1'], false],
  [['List'], false],
])('the arguments %j start the command: %s', (args, expected) => {
  expect(isCommand(args)).toBe(expected);
});

let program: string;
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'command-line-'));
  program = join(folder, 'program');
  writeFileSync(program, '#!/bin/sh\nprintf "%s\\n" "$@" >"$0.said"\neval "$(tail -n 1 "$0.said")"\n');
  chmodSync(program, 0o755);
});
afterAll(() => rmSync(join(program, '..'), { recursive: true }));

const said = (): string[] =>
  spawnSync('cat', [`${program}.said`], { encoding: 'utf8' })
    .stdout.split('\n')
    .slice(0, -1);

it('hands all words over behind the switches, so that Chromium reads none of them, and gives the exit code', () => {
  expect(startCommand(program, ['list', '--no-sandbox', '--', 'exit 5'], ['main.cjs'])).toBe(5);
  expect(said()[0]).toBe('main.cjs');
  expect(commandWords(said().slice(1))).toEqual(['list', '--no-sandbox', '--', 'exit 5']);
});

it('gives the exit code of a shell where a signal has ended the command', () => {
  expect(startCommand(program, ['kill -INT $$'])).toBe(130);
  expect(startCommand(program, ['kill -KILL $$'])).toBe(137);
});

it('does not run as the command if it was started in another way', () => {
  expect(commandWords(['--ozone-platform=headless', '--', 'list'])).toBeNull();
  expect(commandWords(['list'])).toBeNull();
  expect(commandWords([])).toBeNull();
});

it('reports the system’s error if the program is missing', () => {
  expect(() => startCommand(`${program}-gone`, ['list'])).toThrow('ENOENT');
});
