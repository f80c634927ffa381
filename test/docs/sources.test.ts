/** docs/sources.md names every program, place and variable of the table, and no program that is not in it. */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROGRAMS } from '../../src-main/sources/programs.ts';

const page = readFileSync('docs/sources.md', 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| -') && line.split('|').length === 6)
  .slice(1);
const HOME = '/home/ada';

describe.each(PROGRAMS.map((program) => [program.name, program] as const))('%s', (name, program) => {
  const asked = new Set<string>();
  const env = new Proxy<Record<string, string>>(
    {},
    { get: (_, variable) => void asked.add(String(variable)) },
  );
  const places = program.places({ platform: 'linux', home: HOME, env });
  const row = rows.find((line) => line.split('|')[1]?.includes(name)) ?? '';

  it('has a row', () => {
    expect(row).not.toBe('');
    for (const other of program.sharedBy ?? []) expect(page).toContain(other);
  });

  it('is looked for where the row says', () => {
    if (places.length === 0) {
      // A program of Windows only.
      const local = 'C:\\Users\\ada\\AppData\\Local';
      const there = program.places({
        platform: 'win32',
        home: 'C:\\Users\\ada',
        env: { LOCALAPPDATA: local },
      });
      expect(there.length).toBeGreaterThan(0);
      for (const { file } of there) expect(row).toContain(file.split(/[\\/]/).at(-1));
    }
    for (const { file } of places) {
      const path = relative(HOME, file);
      // Places outside the user's home are named from the root.
      const isNamed = path.startsWith('..')
        ? row.includes(`\`${join(file, '..')}\``)
        : path.split('/').some((_, index, parts) => row.includes(`~/${join(...parts.slice(0, index + 1))}`));
      expect(isNamed, `~/${path} is not in: ${row}`).toBe(true);
    }
  });

  it('is moved by the variables that the row or the page names', () => {
    for (const variable of asked) expect(page, variable).toContain(`\`${variable}\``);
  });

  it('says how to sign out', () => {
    const { leaving } = program;
    if (leaving.by === 'command') expect(row).toContain(`\`${leaving.command}\``);
    if (leaving.by === 'program') expect(row).toMatch(/in (?:the program|Windows|the Intune portal)/);
    if (leaving.by === 'tokenkeep') expect(row).toContain('| here');
  });
});

it('names no program that is not looked for', () => {
  const known = PROGRAMS.map(({ name }) => name);
  for (const line of rows) {
    const [, first = ''] = line.split('|');
    expect(
      known.some((name) => first.includes(name)),
      line,
    ).toBe(true);
  }
});
