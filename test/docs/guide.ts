/**
 * Type-checks and runs the code of the documentation's pages, unchanged. Its imports may be replaced (`electron` in plain Node, a network,
 * a keychain); host.d.ts declares what it takes from its host app.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import ts from 'typescript';
import { type Block, codeOf } from './page.ts';

const root = resolve(import.meta.dirname, '..', '..');

/** The files of the package's entries and its peers in this clone. */
const ENTRIES: Readonly<Record<string, string>> = {
  tokenkeep: 'src-main/index.ts',
  'tokenkeep/azure-identity': 'src-main/msal/azure-identity.ts',
  'tokenkeep/cache': 'src-main/cache/index.ts',
  'tokenkeep/doctor': 'src-main/doctor/index.ts',
  'tokenkeep/errors': 'src-main/errors.ts',
  'tokenkeep/express': 'src-main/express/index.ts',
  'tokenkeep/keychain': 'src-main/keychain/index.ts',
  'tokenkeep/keychain/conformance': 'src-main/keychain/conformance.ts',
  'tokenkeep/mcp': 'src-main/oauth/mcp/index.ts',
  'tokenkeep/msal': 'src-main/msal/index.ts',
  'tokenkeep/testing/provider': 'examples/provider/test-provider.ts',
  'tokenkeep/vault': 'src-main/vault/index.ts',
  'tokenkeep/electron': 'src-main/electron/index.ts',
  'tokenkeep/native-code': 'src-main/native-code/index.ts',
  'tokenkeep/oauth': 'src-main/oauth/index.ts',
  'tokenkeep/partitions': 'src-main/partitions/index.ts',
  'tokenkeep/partitions/redis': 'src-main/partitions/stores/redis-store.ts',
  'tokenkeep/partitions/postgres': 'src-main/partitions/stores/postgres-store.ts',
  'tokenkeep/partitions/sqlite': 'src-main/partitions/stores/sqlite-store.ts',
};

/** Pages whose blocks together form one module. On other pages, each block is a module. */
const STORIES = ['docs/msal.md', 'docs/other-libraries.md'];

/**
 * The types of GitHub's whole API, 10 MB, which would be a third of the work. Octokit imports them, but no page uses one, so they are
 * replaced by their names. The judges compile the guides with the real ones (test/package/oauth-guides.test.ts).
 */
const GITHUB_API = '/@octokit/openapi-types/types.d.ts';
const GITHUB_NAMES = ['components', 'operations', 'paths', 'webhooks']
  .map((name) => `export type ${name} = any;`)
  .join('\n');

/** Returns a page's code as modules, with the line of the page in which each begins. */
function modules(page: string): { code: string; line: number }[] {
  const blocks = codeOf(page);
  if (!STORIES.includes(page)) return blocks;
  // Empty lines replace the prose, so that the line numbers are the page's.
  let code = '';
  for (const block of blocks) code = code.padEnd(code.length + block.line - lines(code), '\n') + block.code;
  return [{ code, line: 1 }];
}

const lines = (text: string): number => text.split('\n').length;

/** Code of the documentation, and its position. */
export interface Code {
  /** Path from the clone's root. */
  readonly page: string;
  /** The line of the page in which the code begins. */
  readonly line: number;
  readonly code: string;
}

/** Returns the code of the pages, as modules. */
export const codeOfPages = (pages: readonly string[]): Code[] =>
  pages.flatMap((page) => modules(page).map((code) => ({ page, ...code })));

/** Compiles the code and the package's entries in one program, which takes seconds. */
export function compile(code: readonly Code[]): ts.Program {
  const sources = new Map(code.map((one) => [fileOf(one), one.code]));
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const msal = join(root, 'node_modules/msal-node-7'); // whichever major a guide's reader has
  const checked: ts.CompilerOptions = {
    ...options,
    // A guide may declare what only its reader uses, and access data whose contents only its reader knows.
    noUnusedLocals: false,
    noUnusedParameters: false,
    noUncheckedIndexedAccess: false,
    paths: { ...options.paths, '@azure/msal-node': [msal] },
  };
  const host = ts.createCompilerHost(checked);
  // Most of the time is spent on parsing the packages that the pages use, and much of that on comments, of which only ours are read.
  const parse = host.getSourceFile.bind(host);
  const JSDocParsing = ts.JSDocParsingMode;
  host.getSourceFile = (path, options, ...more) => {
    const jsDocParsingMode = path.includes('/node_modules/') ? JSDocParsing.ParseNone : JSDocParsing.ParseAll;
    return parse(
      path,
      { ...(typeof options === 'object' ? options : { languageVersion: options }), jsDocParsingMode },
      ...more,
    );
  };
  host.readFile = (path) => {
    if (path.endsWith(GITHUB_API)) return GITHUB_NAMES;
    return sources.has(path) ? `${sources.get(path) ?? ''}\nexport {};\n` : ts.sys.readFile(path);
  };
  host.fileExists = (path) => sources.has(path) || ts.sys.fileExists(path);
  return ts.createProgram([...sources.keys(), join(root, 'test/docs/host.d.ts')], checked, host);
}

/** Returns the module in which the code is compiled. It is beside the page, so that relative imports work. */
const fileOf = ({ page, line }: Code): string =>
  join(root, page, '..', `.${page.replaceAll(/\W/g, '-')}-${line}.ts`);

/** Returns the compiler's errors in the code; empty if there are none. */
export function complaints(program: ts.Program, code: readonly Code[]): string[] {
  return code.flatMap((one) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(fileOf(one)))
      .map(({ messageText, start = 0 }) => {
        const at = one.line + lines(one.code.slice(0, start)) - 1;
        return `${one.page}:${at}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
      }),
  );
}

/**
 * Runs the blocks of a page in order, as one module.
 *
 * @param names declarations of the page that the test uses
 * @param standIns modules by name, as source text; in it, `real:<name>` is the module itself
 * @param which the blocks to run, and replacements for names that exist only on the reader's machine
 */
export async function run(
  guide: string,
  names: readonly string[],
  standIns: Readonly<Record<string, string>> = {},
  which: { only?: (block: Block) => boolean; replacing?: Readonly<Record<string, string>> } = {},
): Promise<Record<string, unknown>> {
  const artifacts = join(root, 'artifacts');
  mkdirSync(artifacts, { recursive: true });
  const outfile = join(mkdtempSync(join(artifacts, 'guide-')), 'guide.mjs');
  let code = codeOf(guide)
    .filter(which.only ?? (() => true))
    .map((block) => block.code)
    .join('\n');
  if (code === '') throw new Error(`${guide} has no such code`);
  for (const [there, here] of Object.entries(which.replacing ?? {})) code = code.replaceAll(there, here);
  const { outputFiles } = await build({
    stdin: {
      contents: `${code}\nexport { ${names.join(', ')} };\n`,
      loader: 'ts',
      resolveDir: join(root, guide, '..'),
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
