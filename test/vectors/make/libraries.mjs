/** The libraries that write the vectors, and how to run each of them. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

/** Debian's python3-msal belongs to Debian's own Python, which need not be the first one in the PATH. */
const PYTHON = '/usr/bin/python3';

/** The releases of MSAL Python whose documents are kept: of Debian 12, and of Debian 13. */
const python = (name, release) => ({
  name,
  library: 'msal-python',
  profile: 'msal-python',
  release,
  command: [PYTHON, here('./msal_python.py')],
});

const node = (major) => ({
  name: `msal-node-${major}`,
  library: 'msal-node',
  // Keys end differently up to version 3.
  profile: major > 3 ? 'msal-node' : 'msal-node-3',
  command: [process.execPath, here('./msal-node.mjs'), String(major)],
});

export const LIBRARIES = [
  python('msal-python', '1.21'),
  python('msal-python-1.32', '1.32'),
  node(2),
  node(3),
  node(5),
  node(7),
];

let installed;

/** Whether this machine can write the library's documents: it has one release of MSAL Python, and all of MSAL Node. */
export function isInstalled({ release }) {
  if (release === undefined) return true;
  installed ??= play(python('MSAL Python'), []).version;
  return installed.startsWith(`${release}.`);
}

/**
 * Plays cases with one library, in a process of its own.
 * @param {{ name: string, command: string[] }} library
 * @param {object[]} cases
 * @returns {{ version: string, documents: Record<string, string> }} the documents by the names of the cases
 */
export function play(library, cases) {
  const [command, ...args] = library.command;
  const child = spawnSync(command, args, {
    input: JSON.stringify(cases),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (child.status !== 0) throw new Error(`${library.name} failed:\n${child.stderr || child.error}`);
  return JSON.parse(child.stdout);
}
