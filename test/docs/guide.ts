/**
 * A guide's code: its ```ts blocks, in order, as one module. It is type-checked and run as it stands in the guide; what it
 * imports may be stood in for (`electron` in plain Node, a network, a keychain).
 */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '..', '..');

/** What the package's entries and its peers are in this clone. */
const ENTRIES: Readonly<Record<string, string>> = {
  tokenkeep: 'src-main/index.ts',
  'tokenkeep/msal': 'src-main/msal/index.ts',
  'tokenkeep/electron': 'src-main/electron/index.ts',
};

export function codeOf(guide: string): string {
  const text = readFileSync(join(root, guide), 'utf8');
  const blocks = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code ?? '');
  if (blocks.length === 0) throw new Error(`${guide} has no code`);
  return blocks.join('\n');
}

/** What the compiler has to say of the guides' code; none where all is well. One program for all: it takes seconds. */
export function complaints(...guides: readonly string[]): string[] {
  const sources = new Map(
    guides.map((guide, index) => [
      join(root, 'test/docs', `guide-${index}.ts`),
      `${codeOf(guide)}\nexport {};\n`,
    ]),
  );
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const msal = join(root, 'node_modules/msal-node-7'); // whichever major a guide's reader has
  const checked: ts.CompilerOptions = {
    ...options,
    // What a guide declares and does not use, it declares for the reader.
    noUnusedLocals: false,
    noUnusedParameters: false,
    paths: { ...options.paths, '@azure/msal-node': [msal] },
  };
  const host = ts.createCompilerHost(checked);
  host.readFile = (path) => sources.get(path) ?? ts.sys.readFile(path);
  host.fileExists = (path) => sources.has(path) || ts.sys.fileExists(path);
  const program = ts.createProgram([...sources.keys()], checked, host);
  return [...sources].flatMap(([file, source], index) =>
    ts.getPreEmitDiagnostics(program, program.getSourceFile(file)).map(({ messageText, start = 0 }) => {
      const line = source.slice(0, start).split('\n').length;
      return `${guides[index] ?? ''}, line ${line} of its code: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    }),
  );
}

/**
 * Runs the code.
 *
 * @param names what it declares and the test wants to use
 * @param standIns modules by name, as source text; in it, `real:<name>` is the module itself
 */
export async function run(
  guide: string,
  names: readonly string[],
  standIns: Readonly<Record<string, string>> = {},
): Promise<Record<string, unknown>> {
  const artifacts = join(root, 'artifacts');
  mkdirSync(artifacts, { recursive: true });
  const outfile = join(mkdtempSync(join(artifacts, 'guide-')), 'guide.mjs');
  const { outputFiles } = await build({
    stdin: {
      contents: `${codeOf(guide)}\nexport { ${names.join(', ')} };\n`,
      loader: 'ts',
      resolveDir: root,
    },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    plugins: [
      {
        name: 'what it imports',
        setup(steps) {
          steps.onResolve({ filter: /^[^./]/ }, ({ path, namespace }) => {
            if (path.startsWith('real:'))
              return { path: entry(path.slice(5)), external: !(path.slice(5) in ENTRIES) };
            if (namespace === 'stand-in') return undefined;
            if (path in standIns) return { path, namespace: 'stand-in' };
            return path in ENTRIES ? { path: entry(path) } : undefined;
          });
          steps.onLoad({ filter: /.*/, namespace: 'stand-in' }, ({ path }) => ({
            contents: standIns[path] ?? '',
            loader: 'ts',
            resolveDir: root,
          }));
        },
      },
    ],
  });
  writeFileSync(outfile, outputFiles[0]?.text ?? '');
  return (await import(pathToFileURL(outfile).href)) as Record<string, unknown>;
}

function entry(name: string): string {
  const file = ENTRIES[name];
  return file === undefined ? name : join(root, file);
}
