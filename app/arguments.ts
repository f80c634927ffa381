import { resolve } from 'node:path';

/** What someone asked for on the command line. */
export interface Arguments {
  /** Absolute path of a cache document to import, or null. */
  importFile: string | null;
  demo: boolean;
}

/** An argument that is ours and wrong. The message is for people. */
export class ArgumentsError extends Error {}

/**
 * `--import FILE` or `--import=FILE`, and `--demo`. Switches that are not ours belong to Chromium, which takes them
 * from the same line, and are left alone; a bare word is nothing that we know and is ignored as well, since desktops
 * add some.
 *
 * @param args without the executable and, in development, without the script.
 * @param folder what relative paths start from.
 */
export function parseArguments(args: readonly string[], folder: string): Arguments {
  const files: string[] = [];
  let demo = false;
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (arg === '--demo') demo = true;
    else if (arg === '--import') files.push(fileAfter(args, ++index));
    else if (arg.startsWith('--import=')) files.push(fileIn(arg.slice('--import='.length)));
    else if (arg.startsWith('--demo=')) throw new ArgumentsError('--demo takes no value.');
  }
  if (files.length > 1) throw new ArgumentsError('--import takes one file at a time.');
  return { importFile: files[0] === undefined ? null : resolve(folder, files[0]), demo };
}

function fileAfter(args: readonly string[], index: number): string {
  const file = args[index] ?? '';
  return fileIn(file.startsWith('--') ? '' : file);
}

function fileIn(file: string): string {
  if (file === '') throw new ArgumentsError('--import needs a file: --import FILE.');
  return file;
}

/** What a second start handed over. It is another process: believed only after a look. */
export function isArguments(value: unknown): value is Arguments {
  return (
    typeof value === 'object' &&
    value !== null &&
    'importFile' in value &&
    (value.importFile === null || typeof value.importFile === 'string') &&
    'demo' in value &&
    typeof value.demo === 'boolean'
  );
}
