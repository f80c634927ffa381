import { copyFileSync, chmodSync, mkdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

/**
 * Returns the arguments with the file of --import as an absolute path.
 *
 * @param {string[]} args the app's arguments; both `--import FILE` and `--import=FILE`
 * @param {string} folder the folder that a relative path is relative to
 */
export function absoluteImport(args, folder) {
  return mapImport(args, (file) => resolve(folder, file));
}

/**
 * Returns the arguments with a file of --import that `user` can read: if that is not the caller, a private copy in the session's folder,
 * which is removed with the session. A path that isn't a readable file is passed on, and the app reports it.
 *
 * @param {import('./session/ordinary-user.mjs').OrdinaryUser} user
 * @param {string} directory the session's folder
 */
export function importFor(user, directory, args) {
  if (!user.other) return args;
  return mapImport(args, (file) => {
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
    const folder = join(directory, 'import');
    const copy = join(folder, basename(file)); // keeps the file's name, which the app shows
    mkdirSync(folder, { mode: 0o700 });
    copyFileSync(file, copy);
    chmodSync(copy, 0o600);
    user.own(folder);
    return copy;
  });
}

function mapImport(args, map) {
  return args.map((arg, index) => {
    if (index > 0 && args[index - 1] === '--import') return map(arg);
    return arg.startsWith('--import=') ? `--import=${map(arg.slice('--import='.length))}` : arg;
  });
}
