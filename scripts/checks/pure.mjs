import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { modules, root } from '../lint/graph.mjs';
import { resolveImport } from '../lint/resolve.mjs';

/** Modules that a pure test does not import, directly or not: those for other processes, servers, and tools that take seconds to load. */
const heavy =
  /^(child_process|worker_threads|net|https?|dgram|eslint|typescript|esbuild|express|redis|pg|oidc-provider|@playwright\/test|@azure\/msal-node|msal-node-\d)$/;

/**
 * Matches what a formatted module loads by a literal name. Every run of vitest asks for the pure tests, and parsing all modules would take
 * four seconds.
 */
const LOADED =
  /^(?:import|export)\s(?!type\b)(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]|\b(?:import|require|URL)\(\s*['"]([^'"]+)['"]/gm;

/**
 * Returns the test files that need nothing but Node and a temporary folder: neither they nor what they import of test/, scripts/ or
 * examples/ starts a process or a server, or loads a large third party. They share the modules that they load, so none of them replaces
 * (mocks) a module.
 *
 * @returns {string[]} paths from the root of the clone
 */
export function pureTests() {
  const files = modules(['test', 'scripts', 'examples', 'bench']);
  const loaded = new Map(files.map((file) => [file, loadedBy(file)]));
  const isHeavy = (file) => loaded.get(file).some(({ kind, name }) => kind !== 'file' && heavy.test(name));
  return files.filter(
    (file) => /\.test\.tsx?$/.test(file) && !replacesModules(file) && !reached(loaded, file).some(isHeavy),
  );
}

/**
 * Returns the test files that can't share the modules that they load with others: they replace (mock) modules, or turn the clock, and a
 * module may keep a timer of that clock, which then never fires again.
 *
 * @returns {string[]} paths from the root of the clone
 */
export function lonelyTests() {
  return modules(['test']).filter(
    (file) => /\.test\.tsx?$/.test(file) && (replacesModules(file) || turnsClock(file)),
  );
}

/**
 * Returns those of the test files that `npm run check` runs. A test file that takes seconds of computing says so in a line of its own:
 * `// Not in npm run check: …`, with the reason.
 *
 * @param {string[]} files paths from the root of the clone
 */
export function quickTests(files) {
  return files.filter(
    (file) => !/^\/\/ Not in npm run check: \S/m.test(readFileSync(join(root, file), 'utf8')),
  );
}

function replacesModules(file) {
  return /^vi\.(?:mock|doMock)\(/m.test(readFileSync(join(root, file), 'utf8'));
}

function turnsClock(file) {
  return readFileSync(join(root, file), 'utf8').includes('vi.useFakeTimers(');
}

function loadedBy(file) {
  const path = join(root, file);
  return [...readFileSync(path, 'utf8').matchAll(LOADED)].map(([, from, called]) =>
    resolveImport(from ?? called, path, root),
  );
}

/** Returns the file and the files of the map that it loads, directly or not. */
function reached(loaded, file) {
  const seen = new Set([file]);
  for (const of of seen)
    for (const { kind, name } of loaded.get(of)) if (kind === 'file' && loaded.has(name)) seen.add(name);
  return [...seen];
}
