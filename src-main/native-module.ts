import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from './error-code.ts';
import { RESTART_TO_FINISH } from './errors.ts';

/**
 * Node's `createRequire`, obtained at run time: webpack follows calls of the imported function at build time, and puts `undefined` in place
 * of those that it can't follow.
 */
const requireAt = (place: string): NodeJS.Require =>
  process.getBuiltinModule('node:module').createRequire(place);

/** What to do if code that belongs to the program can't be loaded. */
export const RESTART_IF_UPDATED = `${RESTART_TO_FINISH}, if the app was updated while it was running.`;

/** Why a native module could not be loaded. */
export type NativeFailureReason =
  | 'not-found' // the package is not installed beside the program, or a bundler swallowed it
  | 'not-loaded' // the package is there, but its binary is missing, is for another platform, or lacks a library
  | 'runtime'; // this runtime ends the process when it loads such a module

/** A native module that could not be loaded. Callers wrap it in an error of their own. */
export class NativeModuleFailure extends Error {
  readonly reason: NativeFailureReason;

  constructor(reason: NativeFailureReason, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'NativeModuleFailure';
    this.reason = reason;
  }
}

/** The result of a dynamic `import`: CommonJS exports are in `default` if Node can't find them by name. */
type Imported<T> = T | { readonly default: T };

/**
 * Returns a function that loads a native module once and gives it to every caller. A failure is not kept: the next call
 * tries again, because a missing system library can be installed while the program runs.
 *
 * Node remembers a failed `import()` for the life of the process, so the second try goes through `require`, which does
 * not. The `import` comes first and is written out at the call, so that bundlers see the dependency.
 *
 * @param name the package's name, for `require`
 * @param importIt `() => import('name')`
 * @param binary the specifier of the binary inside the package, to learn why the package's own loader failed
 */
export function nativeModule<T extends object>(
  name: string,
  importIt: () => Promise<Imported<T>>,
  binary?: string,
): () => Promise<T> {
  let loading: Promise<T> | undefined;
  let failure: unknown;
  const load = async (): Promise<T> => {
    if ('deno' in process.versions) {
      throw new NativeModuleFailure('runtime', new Error(`Deno ends the process when it loads ${name}.`));
    }
    if (failure !== undefined) return requireIt(name, failure, binary) as T;
    try {
      return unwrapped(await importIt());
    } catch (cause) {
      failure = explained(cause, name, binary);
      throw failure;
    }
  };
  return () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}

function requireIt(name: string, failure: unknown, binary: string | undefined): object {
  const require = requireFor(name);
  if (require === undefined) throw failure;
  try {
    return unwrapped(requirePackage(require, name));
  } catch (cause) {
    throw explained(cause, name, binary);
  }
}

/**
 * Node also remembers for the life of the process that a folder had no package.json. If a package was missing for a moment, as in an
 * upgrade in place, Node no longer finds it by its name, so its main file is required by its path.
 */
function requirePackage(require: NodeJS.Require, name: string): object {
  try {
    // eslint-disable-next-line house/walls -- the package that the caller named in its import, once more
    return require(name) as object;
  } catch (cause) {
    if (!MISSING.includes(codeOf(cause))) throw cause;
    // eslint-disable-next-line house/walls -- looks for the package, and loads nothing
    const manifest = require.resolve(`${name}/package.json`);
    const { main = 'index.js' } = JSON.parse(readFileSync(manifest, 'utf8')) as { main?: string };
    // eslint-disable-next-line house/walls -- the main file of that same package
    return require(join(dirname(manifest), main)) as object;
  }
}

function unwrapped<T extends object>(module: Imported<T>): T {
  return 'default' in module ? module.default : module;
}

/**
 * Returns a `require` that finds the package; `undefined` if none does. A bundler may omit `import.meta.url` or replace it with a path of
 * the build machine, so the program's own places are tried as well. The working directory is not among them, because others may be able to
 * write there.
 */
function requireFor(name: string): NodeJS.Require | undefined {
  const { resourcesPath } = process as { resourcesPath?: string };
  const places = [
    import.meta.url as string | undefined,
    process.argv[1],
    ...(resourcesPath === undefined ? [] : [`${resourcesPath}/app.asar/`, `${resourcesPath}/app/`]),
  ];
  for (const place of places) {
    try {
      const require = requireAt(place ?? '');
      // eslint-disable-next-line house/walls -- looks for the package, and loads nothing
      require.resolve(`${name}/package.json`);
      return require;
    } catch {
      // Not found from this place.
    }
  }
  return undefined;
}

/** The native binaries that this process has loaded, by their paths. */
export function loadedBinaries(): string[] {
  const here = import.meta.url as string | undefined;
  return Object.keys(requireAt(here ?? process.execPath).cache).filter((path) => path.endsWith('.node'));
}

const MISSING = ['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'];

function explained(cause: unknown, name: string, binary: string | undefined): NativeModuleFailure {
  const code = codeOf(cause);
  const require = requireFor(name);
  // If the package can't be found although its loader ran, a bundler has put the loader into the program's file.
  if (require === undefined) return new NativeModuleFailure('not-found', cause);
  if (binary === undefined || MISSING.includes(code))
    return new NativeModuleFailure('not-loaded', deepest(cause));
  try {
    // eslint-disable-next-line house/walls -- the binary of that same package
    require(binary);
    return new NativeModuleFailure('not-loaded', cause);
  } catch (why) {
    // The package's own loader may hide why its binary did not load. The error of the system's loader says why.
    return new NativeModuleFailure('not-loaded', why);
  }
}

function deepest(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? deepest(error.cause) : error;
}
