import { cpSync, existsSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InvalidArgumentError } from '../errors.ts';
import { makeFoldersSync } from '../folders.ts';

/** What a bundler leaves external: the packages with native code that Tokenkeep loads. */
export const PACKAGES = ['keytar', 'fs-native-extensions'];
/** As other folders of a package are: the app may be installed for all users. */
const READABLE = 0o755;
/** Sources, which a started program does not need. */
const NEEDLESS = /^(?:src|include|script|binding\.(?:c|gyp)|CMakeLists\.txt)$/;

/**
 * Copies the packages with native code that Tokenkeep needs, and what they need in turn, into the `node_modules` of a packaged app, with
 * the binaries of one platform only. For packagers that leave out `node_modules` because the code is bundled, such as Electron Forge with
 * its plugins for webpack and Vite.
 *
 * @param from absolute path of the app's own folder, whose `node_modules` has Tokenkeep; installed by npm, pnpm or Yarn
 * @param to absolute path of the folder that is packaged
 * @param platform default: the one that this runs on, such as `linux-x64`
 * @returns the names of the packages that were copied
 * @throws InvalidArgumentError if one of them is not installed, or has no binary for the platform; StorageError `path_invalid` or
 *   `name_too_long` if `to` can't be a folder
 * @example
 * import { copyNativeCode } from 'tokenkeep/native-code';
 *
 * export default {
 *   packagerConfig: { asar: { unpack: '**\/*.node' } },
 *   hooks: {
 *     packageAfterCopy: async (_config: unknown, packaged: string, _electron: string, platform: string, arch: string) => {
 *       copyNativeCode(process.cwd(), packaged, `${platform}-${arch}`);
 *     },
 *   },
 * };
 */
export function copyNativeCode(
  from: string,
  to: string,
  platform = `${process.platform}-${process.arch}`,
): readonly string[] {
  // From Tokenkeep's own place, since pnpm gives a package only what it names itself.
  const tokenkeep = join(from, 'node_modules', 'tokenkeep');
  const start = existsSync(tokenkeep) ? realpathSync(tokenkeep) : from;
  const copied = new Set<string>();
  const copy = (name: string, wantedBy: string): void => {
    if (copied.has(name)) return;
    const source = folderOf(name, wantedBy);
    if (source === null) {
      throw new InvalidArgumentError(
        `copyNativeCode: the package ${name} is not installed in ${from}, so the packaged app could not load it. Install it, and package again.`,
        { field: 'from' },
      );
    }
    copied.add(name);
    const target = join(to, 'node_modules', name);
    makeFoldersSync(dirname(target), READABLE);
    rmSync(target, { recursive: true, force: true });
    makeFoldersSync(target, READABLE);
    for (const part of readdirSync(source)) {
      if (part === 'node_modules' || part === 'prebuilds' || NEEDLESS.test(part)) continue;
      cpSync(join(source, part), join(target, part), { recursive: true });
    }
    if (existsSync(join(source, 'prebuilds'))) {
      const binaries = join(source, 'prebuilds', platform);
      if (!existsSync(binaries)) {
        throw new InvalidArgumentError(
          `copyNativeCode: the package ${name} has no binary for ${platform}, so the packaged app could not run there.`,
          { field: 'platform' },
        );
      }
      cpSync(binaries, join(target, 'prebuilds', platform), { recursive: true });
    }
    const { dependencies = {} } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>;
    };
    // Header files for compilers.
    for (const other of Object.keys(dependencies)) if (other !== 'node-addon-api') copy(other, source);
  };
  for (const name of PACKAGES) copy(name, start);
  return [...copied];
}

/** Where Node would find a package: in the `node_modules` of the folder or of one above it. */
export function folderOf(name: string, below: string): string | null {
  for (let folder = below; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name);
    if (existsSync(join(found, 'package.json'))) return realpathSync(found);
    if (folder === dirname(folder)) return null;
  }
}
