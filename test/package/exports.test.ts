/** Every entry of the package, whichever there are: loaded, typed and bundled as embedders do. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { build as viteBuild } from 'vite';
import manifest from '../../package.json' with { type: 'json' };
import { compile, installPacked, link, run, type Stranger } from './stranger.ts';

const ENTRIES = Object.keys(manifest.exports)
  .filter((path) => path !== './package.json')
  .map((path) => path.replace(/^\./, 'tokenkeep'));
/** Entries for which Electron is needed. Nothing else needs any of the peers to be loaded. */
const ELECTRON = ['tokenkeep/electron', 'tokenkeep/preload'];
const NATIVE = Object.keys(manifest.dependencies);
const PEERS = Object.keys(manifest.peerDependencies);

// Compilers of the whole package: a minute each on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

let stranger: Stranger;
beforeAll(() => {
  stranger = installPacked();
}, 120_000);
afterAll(() => stranger.remove());

const fileFor = (entry: string, extension: string): string => `${entry.replaceAll('/', '-')}.${extension}`;
function write(file: string, text: string): string {
  writeFileSync(join(stranger.folder, file), text);
  return file;
}

describe('loaded, with no peer installed', () => {
  const names = (entry: string, how: 'import' | 'require'): string =>
    run(
      process.execPath,
      how === 'import'
        ? ['--input-type=module', '-e', `console.log(Object.keys(await import('${entry}')).sort().join())`]
        : ['-e', `console.log(Object.keys(require('${entry}')).sort().join())`],
      stranger.folder,
    ).trim();

  it.each(ENTRIES.filter((entry) => !ELECTRON.includes(entry)))(
    '%s gives both worlds the same names',
    (entry) => {
      const imported = names(entry, 'import').split(',');
      expect(imported.length).toBeGreaterThan(0);
      expect(imported).not.toContain('default');
      expect(
        names(entry, 'require')
          .split(',')
          .filter((name) => name !== '__esModule'),
      ).toEqual(imported);
    },
  );

  it.each(ENTRIES.filter((entry) => !ELECTRON.includes(entry)))(
    '%s is the same thing to both: nothing is there twice in one process',
    (entry) => {
      const program = `const required = require('${entry}');
        import('${entry}').then((imported) =>
          console.log(Object.keys(imported).filter((name) => imported[name] !== required[name]).join()));`;
      expect(run(process.execPath, ['-e', program], stranger.folder).trim()).toBe('');
    },
  );

  it.each(ELECTRON)('%s asks for Electron by name', (entry) => {
    expect(() => names(entry, 'import')).toThrow(/'electron'/);
    expect(() => names(entry, 'require')).toThrow(/'electron'/);
  });
});

describe('typed under strict', () => {
  const sources = (entries: readonly string[]): string[] =>
    entries.flatMap((entry) =>
      // Names that have decayed to any would let this number be one.
      ['mts', 'cts'].map((extension) =>
        write(
          fileFor(entry, extension),
          `import * as entry from '${entry}';
          type Any<T> = 0 extends 1 & T ? true : false;
          type Decayed = { [K in keyof typeof entry]: Any<(typeof entry)[K]> extends true ? K : never }[keyof typeof entry];
          export const none: Decayed extends never ? true : false = true;`,
        ),
      ),
    );

  it('without any peer, but for the entries whose types are those of one', () => {
    const complaints = compile(stranger, ['--module', 'nodenext'], sources(ENTRIES));
    const beyond = complaints.filter(
      (line) => !/Cannot find module '(electron|@azure\/msal-node)'/.test(line),
    );
    expect(beyond).toEqual([]);
    for (const line of complaints) expect(line).toMatch(/dist\/(electron|preload|msal)\./);
  });

  it.each([
    ['skipLibCheck off, nodenext', ['--module', 'nodenext', '--skipLibCheck', 'false']],
    ['skipLibCheck on, nodenext', ['--module', 'nodenext', '--skipLibCheck', 'true']],
    [
      'skipLibCheck off, bundler',
      ['--module', 'esnext', '--moduleResolution', 'bundler', '--skipLibCheck', 'false'],
    ],
  ])('with them: %s', (_name, options) => {
    if (options.includes('false') && options.includes('nodenext')) {
      link(stranger, 'electron');
      link(stranger, '@azure/msal-node', 'msal-node-7');
    }
    const files = sources(ENTRIES).filter((file) => !options.includes('bundler') || file.endsWith('.mts'));
    // What other packages' own types say about themselves is theirs to mend.
    const complaints = compile(stranger, options, files).filter(
      (line) => !/node_modules\/(?!tokenkeep)/.test(line),
    );
    expect(complaints).toEqual([]);
  });
});

it('typed where only `typesVersions` is known: moduleResolution node, target ES5', () => {
  const lines = ENTRIES.map(
    (entry, index) => `import * as entry${index} from '${entry}';\nvoid entry${index};`,
  );
  const file = write('old-resolution.ts', `${lines.join('\n')}\n`);
  const tsc = join(process.cwd(), 'node_modules/typescript/bin/tsc');
  const options = [
    ...['--strict', '--noEmit', '--skipLibCheck', '--target', 'es5', '--module', 'commonjs'],
    ...['--moduleResolution', 'node10', '--ignoreDeprecations', '6.0', '--lib', 'es2022,dom'],
    ...['--types', 'node', '--typeRoots', join(process.cwd(), 'node_modules/@types')],
  ];
  expect(run(process.execPath, [tsc, ...options, file], stranger.folder)).toBe('');
  expect(Object.keys(manifest.typesVersions['*']).map((path) => `tokenkeep/${path}`)).toEqual(
    ENTRIES.filter((entry) => entry !== 'tokenkeep'),
  );
});

describe('bundled', () => {
  const builtin = (name: string): boolean => name.startsWith('node:') || builtinModules.includes(name);

  it.each(ENTRIES)('%s by esbuild, with what carries native code left outside', async (entry) => {
    const { metafile, warnings } = await build({
      stdin: { contents: `export * from '${entry}';`, resolveDir: stranger.folder },
      bundle: true,
      write: false,
      metafile: true,
      logLevel: 'silent',
      platform: 'node',
      format: entry === 'tokenkeep/preload' ? 'cjs' : 'esm',
      external: [...NATIVE, 'electron'],
    });
    expect(warnings).toEqual([]);
    const outside = Object.values(metafile.outputs)
      .flatMap(({ imports }) => imports.map(({ path }) => path))
      .filter((path) => !builtin(path));
    const allowed = ELECTRON.includes(entry) ? ['electron', ...NATIVE] : NATIVE;
    expect(outside.filter((path) => !allowed.includes(path))).toEqual([]);
    // A web app's stores and MSAL's plugin need no native code, and a page's script has none.
    if (/partitions|msal|preload/.test(entry))
      expect(outside.filter((path) => NATIVE.includes(path))).toEqual([]);
    expect(outside.filter((path) => PEERS.includes(path) && path !== 'electron')).toEqual([]);
  });

  it('by esbuild as an ES module, and it runs', async () => {
    const contents = `import { TokenCache } from 'tokenkeep';
      import { msalCachePlugin } from 'tokenkeep/msal';
      console.log(typeof msalCachePlugin, new TokenCache().accounts().length);`;
    await build({
      stdin: { contents, resolveDir: stranger.folder },
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: NATIVE,
      outfile: join(stranger.folder, 'esbuild.mjs'),
      logLevel: 'error',
    });
    expect(run(process.execPath, ['esbuild.mjs'], stranger.folder).trim()).toBe('function 0');
  });

  it('by vite, and it runs', async () => {
    write(
      'bundled.mjs',
      `import { memoryKeychain, openVault } from 'tokenkeep';
      const vault = await openVault({ file: process.argv[2], keychain: memoryKeychain() });
      console.log(vault.status.state);
      await vault.close();`,
    );
    await viteBuild({
      root: stranger.folder,
      configFile: false,
      logLevel: 'error',
      ssr: { noExternal: true, external: NATIVE },
      build: {
        ssr: 'bundled.mjs',
        outDir: 'bundle',
        target: 'node20',
        rolldownOptions: { external: NATIVE },
      },
    });
    const file = join(
      'bundle',
      readdirSync(join(stranger.folder, 'bundle')).find((name) => /\.m?js$/.test(name))!,
    );
    expect(run(process.execPath, [file, join(stranger.folder, 'a.vault')], stranger.folder).trim()).toBe(
      'ready',
    );
  });
});

const markdownIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
    .map((name) => join(folder, name));

it('every import in the documentation is one that works', () => {
  const pages = ['README.md', ...['docs', 'src-main', 'examples'].flatMap(markdownIn)];
  const imports = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/^import (?:type )?\{[^}]*\} from '(tokenkeep[^']*)';/gms)].map(
      ([text]) => text,
    ),
  );
  expect(imports.length).toBeGreaterThan(5);
  const named = imports.map((text, index) =>
    text.replace(/\{([^}]*)\}/s, (_braces, list: string) => {
      const parts = list
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
      return `{ ${parts.map((part) => `${part.replace(/ as .*/, '')} as documented${index}_${part.replace(/\W/g, '')}`).join(', ')} }`;
    }),
  );
  const file = write('documented.mts', `${named.join('\n')}\n`);
  expect(compile(stranger, ['--module', 'nodenext', '--skipLibCheck'], [file])).toEqual([]);
});
