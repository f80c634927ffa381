/** The conditions of a release, checked without making one. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { debControl, debVersion } from '../../scripts/packaging/deb-control.mjs';
import { ownerOptions } from '../../scripts/packaging/electron-builder.mjs';
import refuse from '../../scripts/packaging/refuse-unowned-release.cjs';

describe('a release names who stands for it', () => {
  const build = (version: string, maintainer?: string, homepage?: string) => () =>
    refuse({ packager: { appInfo: { version }, config: { linux: { maintainer } }, metadata: { homepage } } });

  it('and is refused without, or with the addresses that reach no one', () => {
    expect(build('1.0.0', 'Ada <ada@example.org>', 'https://example.org/')).not.toThrow();
    expect(build('1.0.0')).toThrow('TOKENKEEP_MAINTAINER and TOKENKEEP_HOMEPAGE');
    expect(build('1.0.0', 'A <a@tokenkeep.invalid>', 'https://example.org/')).toThrow(
      'Set TOKENKEEP_MAINTAINER:',
    );
    expect(build('1.0.0-development', 'A <a@tokenkeep.invalid>')).not.toThrow();
  });

  it('by the environment', () => {
    expect(ownerOptions({})).toEqual([]);
    expect(ownerOptions({ TOKENKEEP_HOMEPAGE: 'https://example.org/' })).toEqual([
      '-c.extraMetadata.homepage=https://example.org/',
    ]);
  });

  it('and takes updates over https only', () => {
    const from = (url: string) => () => ownerOptions({ TOKENKEEP_UPDATES_URL: url });
    expect(from('https://updates.example.org/tokenkeep/')()).toContain(
      '-c.publish.url=https://updates.example.org/tokenkeep/',
    );
    expect(from('http://updates.example.org/')).toThrow('must begin with https:');
    expect(from('http://127.0.0.1:8080/')).not.toThrow();
  });
});

it('an AppImage is not started without the sandbox', async () => {
  const builder = createRequire(createRequire(import.meta.url).resolve('electron-builder'));
  const { load } = builder('js-yaml') as { load: (text: string) => { linux: object } };
  const { default: AppImageTarget } = builder('app-builder-lib/out/targets/appimage/AppImageTarget.js') as {
    default: new (...args: unknown[]) => { desktopEntry: { value: Promise<string> } };
  };
  const config = load(readFileSync(new URL('../../electron-builder.yml', import.meta.url), 'utf8'));
  const helper = { computeDesktopEntry: (_: unknown, command: string) => Promise.resolve(command) };
  const packager = { platformSpecificBuildOptions: config.linux, config, appInfo: { buildVersion: '1' } };
  expect(await new AppImageTarget('AppImage', packager, helper, '/').desktopEntry.value).toBe('AppRun %U');
});

it('a development version is older than its release, for apt as well', () => {
  expect(debVersion('0.1.0-development')).toBe('0.1.0~development');
  const control = debControl(
    {
      name: 'a',
      version: '1.0.0',
      architecture: 'amd64',
      maintainer: 'A <a@b>',
      description: 'what\n it is\n',
      depends: ['b', 'c | d'],
    },
    12,
  );
  expect(control).toContain('Depends: b, c | d\n');
  expect(control).toMatch(/Description: what\n it is\n$/);
});
