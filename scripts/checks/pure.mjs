import { graph, modules, specifiers } from '../lint/graph.mjs';

/** What a pure test does without, wherever it is imported from: other processes, servers, and tools that take seconds to load. */
const heavy =
  /^(child_process|worker_threads|net|https?|dgram|eslint|typescript|esbuild|express|redis|pg|oidc-provider|@playwright\/test|@azure\/msal-node|msal-node-\d)$/;

/**
 * Returns the test files that need nothing but Node and a temporary folder: neither they nor what they import of test/, scripts/
 * or examples/ starts a process or a server, or loads a large third party.
 *
 * @returns {string[]} paths from the root of the clone
 */
export function pureTests() {
  const files = modules(['test', 'scripts', 'examples', 'bench']);
  const imports = graph(files);
  const isHeavy = new Set(files.filter((file) => specifiers(file).some((name) => heavy.test(name))));
  return files.filter(
    (file) => /\.test\.tsx?$/.test(file) && !reached(imports, file).some((of) => isHeavy.has(of)),
  );
}

function reached(imports, file) {
  const seen = new Set([file]);
  for (const of of seen) for (const next of imports.get(of) ?? []) seen.add(next);
  return [...seen];
}
