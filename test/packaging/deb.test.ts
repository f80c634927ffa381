/** The packages that the deb asks for: electron-builder's own list, but for what Electron no longer uses. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';

const builder = createRequire(createRequire(import.meta.url).resolve('electron-builder'));
const { load } = builder('js-yaml') as { load: (text: string) => { deb: Record<List, string[]> } };
type List = 'depends' | 'recommends';
const { deb } = load(readFileSync(new URL('../../electron-builder.yml', import.meta.url), 'utf8'));

interface Target {
  getDefaultDepends: (target: string) => string[];
  getDefaultRecommends: (target: string) => string[];
}
const { default: FpmTarget } = builder('app-builder-lib/out/targets/FpmTarget.js') as {
  default: { prototype: Target };
};
const defaults = [
  ...FpmTarget.prototype.getDefaultDepends('deb'),
  ...FpmTarget.prototype.getDefaultRecommends('deb'),
];
/** What electron-builder asks for, and Electron neither links nor loads; an icon in the tray goes over D-Bus. */
const UNUSED = ['libxss1', 'libxtst6', 'libuuid1', 'libappindicator3-1'];
const named = (...lists: List[]): string[] => lists.flatMap((list) => deb[list]);
const inUbuntu = (name: string): string => `${name} | ${name}t64`;

describe('the deb', () => {
  it('asks for all that electron-builder would ask for and Electron uses', () => {
    expect(defaults.length).toBeGreaterThan(UNUSED.length);
    const asked = named('depends', 'recommends').map((one) => one.replace(/ .*/, ''));
    expect(defaults.filter((name) => !asked.includes(name)).sort()).toEqual([...UNUSED].sort());
  });

  it('needs what a sign-in needs: a window, a keychain and a browser', () => {
    expect(named('depends')).toEqual(
      expect.arrayContaining([inUbuntu('libgtk-3-0'), 'libsecret-1-0', 'xdg-utils']),
    );
  });

  it('names both packages of a library that Ubuntu has renamed', () => {
    for (const name of ['libgtk-3-0', 'libatspi2.0-0', 'libasound2'])
      expect(named('depends').filter((one) => one.startsWith(name))).toEqual([inUbuntu(name)]);
  });
});
