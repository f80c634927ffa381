import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { ownAppImage } from '../../app/restart.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

vi.mock('electron', () => ({ app: {} }));

let folder: string;
let mounted: string;
let executable: string;

beforeEach(() => {
  folder = temporaryFolder();
  mounted = join(folder, 'mount');
  mkdirSync(mounted);
  executable = join(mounted, 'tokenkeep');
  writeFileSync(executable, '');
});

it('the app runs from the AppImage whose mount has its executable, also below a link', () => {
  const link = join(folder, 'link');
  symlinkSync(folder, link);
  for (const APPDIR of [mounted, `${mounted}/`, join(link, 'mount')]) {
    const env = { APPIMAGE: '/home/ada/Tokenkeep.AppImage', APPDIR };
    expect(ownAppImage(env, executable)).toBe('/home/ada/Tokenkeep.AppImage');
    expect(env).toHaveProperty('APPIMAGE');
  }
});

it.each<[string, () => string | undefined]>([
  ['has another mount', () => join(folder, 'other')],
  ['has a mount whose name begins alike', () => join(folder, 'mou')],
  ['is gone', () => join(folder, 'gone')],
  ['names no mount', () => undefined],
  ['names an empty one', () => ''],
])('an AppImage that started the app and %s is another program’s', (_why, appDir) => {
  for (const name of ['other', 'mou']) mkdirSync(join(folder, name));
  const env = { APPIMAGE: '/home/ada/Editor.AppImage', APPDIR: appDir() };
  expect(ownAppImage(env, executable)).toBeNull();
  expect(env).not.toHaveProperty('APPIMAGE'); // the updater reads it, too
});
