/** Every entry of the package, loaded, typed and bundled as embedders do. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { build as viteBuild } from 'vite';
import manifest from '../../package.json' with { type: 'json' };
import { compile, installPacked, link, run, type Stranger } from './stranger.ts';

const ENTRIES = Object.keys(manifest.exports)
  .filter((path) => path !== './package.json')
  .map((path) => path.replace(/^\./, 'tokenkeep'));
/** Entries that need Electron. No other entry needs a peer dependency to load. */
const ELECTRON = ['tokenkeep/electron', 'tokenkeep/preload'];
const NATIVE = Object.keys(manifest.dependencies);
const PEERS = Object.keys(manifest.peerDependencies);

// Compiling the whole package takes a minute each time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let stranger: Stranger;
beforeAll(() => {
  stranger = installPacked();
}, 120_000);
afterAll(() => stranger.remove());

/** A program that compiles only if the types have not decayed to any. */
const TYPED = `import { openVault, memoryKeychain, VaultError, type SignOutReceipt, type Vault } from 'tokenkeep';
      import { msalCachePlugin, type CachePlugin } from 'tokenkeep/msal';
      export const plugin = (vault: Vault): CachePlugin => msalCachePlugin(vault);
      export async function signOut(file: string): Promise<SignOutReceipt> {
        const vault: Vault = await openVault({ file, keychain: memoryKeychain() });
        // @ts-expect-error a state is one of those of VaultState: the types have not decayed to any
        if (vault.status.state === 'bogus') throw new VaultError('vault_busy', 'busy');
        const [account] = await vault.read((cache) => cache.accounts({ username: 'ada@contoso.example' }));
        return vault.signOut(account?.home_account_id ?? '');
      }`;

const fileFor = (entry: string, extension: string): string => `${entry.replaceAll('/', '-')}.${extension}`;
function write(file: string, text: string): string {
  writeFileSync(join(stranger.folder, file), text);
  return file;
}

describe('loaded, with no peer installed', () => {
  /** Runs an ES module in the folder of the package, and returns its output. */
  const said = (program: string): unknown =>
    JSON.parse(run(process.execPath, ['--input-type=module', '-e', program], stranger.folder));
  const loadable = ENTRIES.filter((entry) => !ELECTRON.includes(entry));

  it('each entry gives both worlds the same things, and nothing is there twice in one process', () => {
    const program = `import { createRequire } from 'node:module';
      const require = createRequire(import.meta.url);
      const all = {};
      for (const entry of ${JSON.stringify(loadable)}) {
        const [required, imported] = [require(entry), await import(entry)];
        const here = Object.keys(imported).filter((name) => !['default', 'module.exports', '__esModule'].includes(name));
        all[entry] = {
          imported: here.sort(),
          required: Object.keys(required).filter((name) => name !== '__esModule').sort(),
          twice: here.filter((name) => imported[name] !== required[name]),
        };
      }
      console.log(JSON.stringify(all));`;
    const found = said(program) as Record<string, Record<'imported' | 'required' | 'twice', string[]>>;
    expect(Object.keys(found)).toEqual(loadable);
    for (const [entry, { imported, required, twice }] of Object.entries(found)) {
      expect([entry, imported.length > 0]).toEqual([entry, true]);
      expect([entry, imported]).toEqual([entry, required]);
      expect([entry, twice]).toEqual([entry, []]);
    }
  });

  it.each(ELECTRON)('%s asks for Electron by name', (entry) => {
    expect(() => said(`await import('${entry}')`)).toThrow(/'electron'/);
    expect(() => run(process.execPath, ['-e', `require('${entry}')`], stranger.folder)).toThrow(/'electron'/);
  });
});

describe('typed under strict', () => {
  const sources = (entries: readonly string[]): string[] =>
    entries.flatMap((entry) =>
      // Does not compile if a name has decayed to any.
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

  // Code that compiles with skipLibCheck off also compiles with it on.
  it('with them, skipLibCheck off, nodenext: entries, a program, and every import of the documentation', () => {
    link(stranger, 'electron');
    link(stranger, '@azure/msal-node', 'msal-node-7');
    const programs = ['mts', 'cts'].map((extension) => write(`typed.${extension}`, TYPED));
    const files = [...sources(ENTRIES), ...programs, documentedImports()];
    expect(compile(stranger, ['--module', 'nodenext', '--skipLibCheck', 'false'], files)).toEqual([]);
  });

  // The same declarations as above, found in another way.
  it('with them, bundler', () => {
    const files = sources(ENTRIES).filter((file) => file.endsWith('.mts'));
    const options = ['--module', 'esnext', '--moduleResolution', 'bundler', '--skipLibCheck'];
    expect(compile(stranger, options, files)).toEqual([]);
  });
});

it('typed where only `typesVersions` is known: moduleResolution node, target ES5', () => {
  const lines = ENTRIES.map(
    (entry, index) => `import * as entry${index} from '${entry}';\nvoid entry${index};`,
  );
  const file = write('old-resolution.ts', `${lines.join('\n')}\n`);
  const options = [
    ...['--skipLibCheck', '--target', 'es5', '--module', 'commonjs', '--exactOptionalPropertyTypes', 'false'],
    ...['--moduleResolution', 'node10', '--ignoreDeprecations', '6.0', '--lib', 'es2022,dom'],
  ];
  expect(compile(stranger, options, [file])).toEqual([]);
  expect(Object.keys(manifest.typesVersions['*']).map((path) => `tokenkeep/${path}`)).toEqual(
    ENTRIES.filter((entry) => entry !== 'tokenkeep'),
  );
});

it('declarations lead to their source, which is in the package', () => {
  const root = join(stranger.folder, 'node_modules/tokenkeep');
  const maps = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.d.cts.map'),
  );
  expect(maps.length).toBeGreaterThanOrEqual(ENTRIES.length);
  const missing = maps.flatMap((map) => {
    const { sources } = JSON.parse(readFileSync(join(root, 'dist', map), 'utf8')) as { sources: string[] };
    const own = sources.filter((source) => !source.includes('node_modules'));
    return own.filter((source) => !existsSync(join(root, 'dist', dirname(map), source)));
  });
  expect(missing).toEqual([]);
});

describe('bundled', () => {
  const builtin = (name: string): boolean => name.startsWith('node:') || builtinModules.includes(name);

  it('each entry by esbuild, with what carries native code left outside', async () => {
    const bundle = async (entries: readonly string[], format: 'esm' | 'cjs') => {
      const { metafile, warnings } = await build({
        entryPoints: entries.map((entry) => write(fileFor(entry, 'bundle.mjs'), `export * from '${entry}';`)),
        absWorkingDir: stranger.folder,
        outdir: 'bundles',
        bundle: true,
        write: false,
        metafile: true,
        logLevel: 'silent',
        platform: 'node',
        format,
        external: [...NATIVE, 'electron', 'oidc-provider'],
      });
      expect(warnings).toEqual([]);
      return Object.entries(metafile.outputs);
    };
    const preload = 'tokenkeep/preload';
    const outputs = [
      ...(await bundle(
        ENTRIES.filter((entry) => entry !== preload),
        'esm',
      )),
      ...(await bundle([preload], 'cjs')),
    ];
    expect(outputs).toHaveLength(ENTRIES.length);
    for (const entry of ENTRIES) {
      const [, output] = outputs.find(([file]) => file === `bundles/${fileFor(entry, 'bundle.js')}`)!;
      const outside = output.imports.map(({ path }) => path).filter((path) => !builtin(path));
      // The test provider itself says that it needs this package.
      const provider = entry === 'tokenkeep/testing/provider' ? ['oidc-provider'] : [];
      const allowed = [...NATIVE, ...provider, ...(ELECTRON.includes(entry) ? ['electron'] : [])];
      expect([entry, outside.filter((path) => !allowed.includes(path))]).toEqual([entry, []]);
      // A web app's stores and MSAL's plugin need no native code, and a page's script has none.
      if (/partitions|msal|preload/.test(entry))
        expect([entry, outside.filter((path) => NATIVE.includes(path))]).toEqual([entry, []]);
      expect([
        entry,
        outside.filter((path) => PEERS.includes(path) && !['electron', ...provider].includes(path)),
      ]).toEqual([entry, []]);
    }
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

/** A module with every import of the documentation. */
function documentedImports(): string {
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
  return write('documented.mts', `${named.join('\n')}\n`);
}
