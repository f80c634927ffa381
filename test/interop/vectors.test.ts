import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { pythonRelease, withoutPython } from './judges.ts';

const vectors = fileURLToPath(new URL('../vectors/', import.meta.url));
const make = join(vectors, 'make', 'make.mjs');
const made = mkdtempSync(join(tmpdir(), 'vectors-'));

afterAll(() => rmSync(made, { recursive: true, force: true }));

/** Remakes a part of the vectors and compares every file of it, and the index, with those that are kept. */
function remake(part: string, folder: string, files: string[]): void {
  execFileSync(process.execPath, [make, made, part]);
  for (const file of [...files, 'index.json']) {
    const [now, kept] = [made, vectors].map((root) =>
      readFileSync(join(root, folder, file)).toString('latin1'),
    );
    expect(now === kept, `${part} writes ${file} as it is kept`).toBe(true);
  }
}

const stored = (folder: string, prefix = ''): string[] =>
  readdirSync(join(vectors, folder)).filter((file) => file.startsWith(prefix) && file !== 'index.json');

describe('the vectors are what the libraries write', () => {
  it.each(['msal-node-2', 'msal-node-3', 'msal-node-5', 'msal-node-7'])('%s', (library) => {
    const files = stored('documents', `${library}-`);
    expect(files.length).toBeGreaterThanOrEqual(12);
    remake(library, 'documents', files);
  });

  /** The name of the installed MSAL Python in the files. What other releases wrote is kept, and can't be written here. */
  const python = { '1.21': 'msal-python', '1.32': 'msal-python-1.32' }[pythonRelease ?? ''] ?? '';
  const isElsewhere = (name: string): boolean => name.startsWith('msal-python') && name !== python;

  // A run without Debian's python3-msal says so in its list of skipped tests; a build must not do without.
  it.skipIf(withoutPython)('msal-python', () => {
    expect(python, `nothing is kept of MSAL Python ${pythonRelease}`).not.toBe('');
    // Not those of `msal-python-1.32`, whose name begins with `msal-python-`.
    const files = stored('documents', `${python}-`).filter((file) =>
      /^[a-z]/.test(file.slice(python.length + 1)),
    );
    expect(files.length).toBeGreaterThanOrEqual(12);
    remake(python, 'documents', files);
  });

  it.skipIf(withoutPython)('two libraries, one after the other', () => {
    const files = stored('handovers').filter((file) => !file.slice(0, -5).split('-then-').some(isElsewhere));
    expect(files).toHaveLength(4);
    remake('handovers', 'handovers', files);
  });
});

describe('the vectors without a library are what their scripts write', () => {
  it('MSAL.NET, composed by hand', () => {
    remake('msal-dotnet', 'documents', stored('documents', 'msal-dotnet-'));
  });

  it('hostile files', () => {
    remake('hostile', 'hostile', stored('hostile'));
  });
});

describe('the index', () => {
  it.each(['documents', 'handovers', 'hostile'])('names every file of %s once', (folder) => {
    const index: { file: string }[] = JSON.parse(readFileSync(join(vectors, folder, 'index.json'), 'utf8'));
    expect(index.map(({ file }) => file).sort()).toEqual(stored(folder).sort());
  });
});
