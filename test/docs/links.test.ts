import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { anchorsOf, blocksOf, COMPILED, linksOf, PAGES } from './page.ts';

it('every link within the clone leads to a file, and to a heading of it', () => {
  const broken = PAGES.flatMap((page) =>
    linksOf(page)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => !leads(page, target))
      .map((target) => `${page}: ${target}`),
  );
  expect(PAGES).toContain('README.md');
  expect(PAGES.flatMap(linksOf).length).toBeGreaterThan(50);
  expect(broken).toEqual([]);
});

function leads(page: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : join(page, '..', decodeURIComponent(path));
  if (!existsSync(file)) return false;
  if (anchor === undefined) return true;
  return statSync(file).isFile() && file.endsWith('.md') && anchorsOf(file).includes(anchor);
}

it('every command that a page gives is one of package.json, or a file that is there', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const wrong = PAGES.filter((page) => page !== 'CHANGELOG.md').flatMap((page) => {
    const folder = existsSync(join(page, '..', 'package.json')) ? join(page, '..') : '.';
    const own = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { scripts?: object };
    const text = readFileSync(page, 'utf8');
    const named = [...text.matchAll(/\bnpm run ([\w:-]+)/g)].map(([, name]) => name ?? '');
    const files = [...text.matchAll(/\bnode ((?:scripts|test|bench|examples)\/[\w./-]+)/g)];
    return [
      ...named.filter((name) => !(name in scripts || name in { ...own.scripts })),
      ...files.map(([, file]) => file ?? '').filter((file) => !existsSync(file)),
    ].map((name) => `${page}: ${name}`);
  });
  expect(wrong).toEqual([]);
});

it('every block of code is in a language that is compiled, or in none', () => {
  const others = PAGES.flatMap((page) =>
    blocksOf(page)
      .filter(({ language }) => ![...COMPILED, 'sh', ''].includes(language))
      .map(({ language, line }) => `${page}:${line} is ${language}`),
  );
  expect(others).toEqual([]);
});
