/** The next version of a packaged app, and what stands in for the system that installs it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { createPackageWithOptions, extractAll } from '@electron/asar';

/** In the package, as in the one that is released. */
const PLACE = 'opt/Tokenkeep-Development';

/** @returns a deb of the app's code as it is, but for its version; Electron's own files, which stay, are not in it */
export async function nextVersion(app: string, version: string, folder: string): Promise<Buffer> {
  const [code, tree, deb] = ['code', 'tree', 'next.deb'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const resources = join(tree, PLACE, 'resources');
  extractAll(join(dirname(app), 'resources/app.asar'), code);
  const manifest = join(code, 'package.json');
  const content = JSON.parse(readFileSync(manifest, 'utf8')) as object;
  writeFileSync(manifest, JSON.stringify({ ...content, version }));
  mkdirSync(resources, { recursive: true });
  await createPackageWithOptions(code, join(resources, 'app.asar'), { unpack: '**/*.node' });
  const control = `Package: tokenkeep-development\nVersion: ${version}\nArchitecture: amd64\nMaintainer: nobody\nDescription: next\n`;
  mkdirSync(join(tree, 'DEBIAN'));
  writeFileSync(join(tree, 'DEBIAN/control'), control);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, deb]);
  return readFileSync(deb);
}

/**
 * Puts the public key of updates into the app in a folder, as a release has it: in the package.json inside the asar. The asar is
 * replaced, not written to, because the folder's files are links.
 *
 * @param folder of the app, with `resources/` in it
 * @param scratch an empty folder
 */
export async function putUpdatesKey(folder: string, updatesKey: string, scratch: string): Promise<void> {
  const asar = join(folder, 'resources/app.asar');
  const code = join(scratch, 'with-key');
  extractAll(asar, code);
  const manifest = join(code, 'package.json');
  writeFileSync(
    manifest,
    JSON.stringify({ ...(JSON.parse(readFileSync(manifest, 'utf8')) as object), updatesKey }),
  );
  // Written anew, the binaries would change under the apps that run from the same files.
  for (const path of [asar, `${asar}.unpacked`]) rmSync(path, { recursive: true });
  await createPackageWithOptions(code, asar, { unpack: '**/*.node' });
}

export interface System {
  env: Record<string, string>;
  /** From now on somebody gives the password. */
  agree: () => void;
}

/**
 * Programs that come first in the app's PATH: a pkexec for which nobody gives the password until `agree`, and a dpkg that
 * unpacks over the app in `program`'s folder and keeps no list. Neither is root.
 */
export function systemAround(program: string, folder: string, env: Record<string, string>): System {
  const bin = join(folder, 'bin');
  const agreed = join(folder, 'agreed');
  mkdirSync(bin);
  const script = (name: string, text: string): void =>
    writeFileSync(join(bin, name), `#!/bin/sh\nset -e\n${text}\n`, { mode: 0o755 });
  script('pkexec', `[ -e "${agreed}" ] || exit 126\nshift\nexec "$@"`);
  script('dpkg-query', 'exit 0'); // the program belongs to a package
  script(
    'dpkg',
    `[ "$1" = -i ]\ndpkg-deb -x "$2" "${folder}/unpacked"\ncp -r --remove-destination "${folder}/unpacked/${PLACE}/." "${dirname(program)}"`,
  );
  return {
    env: { ...env, PATH: [bin, env['PATH'] ?? ''].join(delimiter) },
    agree: () => writeFileSync(agreed, ''),
  };
}
