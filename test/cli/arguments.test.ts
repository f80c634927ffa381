/** Each verb with arguments that it does not take, and with files that do not exist. Only the error is printed. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Verb } from '../../src-main/cli/arguments.ts';
import { VERBS } from '../../src-main/cli/verbs.ts';
import { EXIT } from '../../src-main/cli/world.ts';
import { memoryKeychain } from '../../src-main/index.ts';
import { command } from './command.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-arguments-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const run = (...words: string[]) => command({ home, keychain: memoryKeychain() }, words);

describe.each(Object.entries<Verb>(VERBS))('%s', (name, { options, least, most }) => {
  const enough = Array.from({ length: least }, () => 'x');
  const values = Object.entries(options).filter(([, { value }]) => value !== undefined);
  const switches = Object.entries(options).filter(([, { value }]) => value === undefined);
  const wrong: string[][] = [
    [...enough, '--nonsense'],
    [...enough, '-Z'],
    [...Array.from({ length: most }, () => 'x'), 'too-much'],
    ...(least === 0 ? [] : [[]]),
    ...values.flatMap(([option, { many }]) => [
      [...enough, `--${option}`],
      [...enough, `--${option}=`],
      ...(many === true ? [] : [[...enough, `--${option}=a`, `--${option}=b`]]),
    ]),
    ...switches.map(([option]) => [...enough, `--${option}=yes`]),
  ];

  it('refuses what it does not take, says where to read on, and does nothing', async () => {
    for (const words of wrong) {
      const { code, out, err } = await run(name, ...words);
      expect([code, out], words.join(' ')).toEqual([EXIT.usage, '']);
      expect(err, words.join(' ')).toMatch(new RegExp(`^tokenkeep: \\S.+ See: tokenkeep ${name} --help\\n$`));
    }
    expect(readdirSync(home)).toEqual([]);
  });

  it('has a help that names each of its options', async () => {
    const { code, out } = await run(name, '--help');
    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(new RegExp(`^Usage: tokenkeep ${name}`));
    for (const option of Object.keys(options)) expect(out).toContain(`--${option}`);
  });
});

it.each([
  [['list', '--file', 'gone.json'], EXIT.notFound],
  [['show', 'ada', '--file', 'gone.json'], EXIT.notFound],
  [['sources', '--file', 'gone.json'], EXIT.notFound],
  [['signout', 'ada', '--yes', '--file', 'gone.json'], EXIT.notFound],
  [['import', 'gone.json'], EXIT.failed],
  [['list'], EXIT.ok], // no vault yet: nobody is signed in
  [['verify'], EXIT.notFound],
  [['doctor'], EXIT.notFound],
  [['doctor', '--repair'], EXIT.notFound],
  [['export', 'gone.age', '--passphrase-stdin'], EXIT.notFound],
  ...Object.entries(VERBS)
    .filter(([name, { options }]) => name !== 'import' && 'vault' in options)
    .map(
      ([name, { least }]) =>
        [
          [name, ...Array.from({ length: least }, () => 'get'), '--vault', 'gone.vault'],
          name === 'signout' ? EXIT.usage : EXIT.notFound,
        ] as const,
    ),
  [['signout', 'ada', '--yes', '--vault', 'gone.vault'], EXIT.notFound],
  [['completion', 'tcsh'], EXIT.usage],
  [['credential', 'approve', '--account', 'a', '--scope', 's'], EXIT.usage],
  [['signout'], EXIT.usage],
  [['signout', 'ada', '--expired'], EXIT.usage],
  [['get', '--account', 'ada'], EXIT.usage],
  [['show', ''], EXIT.notFound],
  [['show', 'nobody@example.org'], EXIT.notFound],
  [['decode', ''], EXIT.failed],
] as const)('%j ends with %i, and creates nothing', async (words, code) => {
  const own = words.map((word: string) => (/^gone/.test(word) ? join(home, word) : word));
  const ran = await command({ home, keychain: memoryKeychain() }, own, {
    stdin: 'protocol=https\nhost=x.example\n',
  });
  expect(ran.code, ran.err).toBe(code);
  if (code !== EXIT.ok) expect(ran.err).toMatch(/^tokenkeep: \S/);
  expect(readdirSync(home)).toEqual([]);
});

it('takes what follows -- as it is, and a file whose name begins with a dash', async () => {
  writeFileSync(join(home, '-x.json'), '{"Account":{}}');
  expect((await run('show', '--', '--all')).err).toContain('--all');
  expect((await run('list', `--file=${join(home, '-x.json')}`)).code).toBe(EXIT.ok);
});
