import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { about, type AboutPorts } from '../../app/about.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

function build(changes: Partial<AboutPorts>, packageJson = '{}') {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'package.json'), packageJson);
  const opened: string[] = [];
  const shown: string[] = [];
  const app = about({
    packaged: true,
    commit: '3f2a91c04b7e',
    appFolder: folder,
    licenses: [],
    openInBrowser: (url) => Promise.resolve(void opened.push(url)),
    showFile: (file) => void shown.push(file),
    ...changes,
  });
  return { app, folder, opened, shown };
}

it('says which commit was built, for which system, and what is no release', () => {
  const system = `${process.platform} ${process.arch}`;
  expect(build({}).app.build).toBe(`commit 3f2a91c04b7e, ${system}`);
  expect(build({ packaged: false, commit: '' }).app.build).toBe(`development, commit not known, ${system}`);
});

it('opens the page that its package names', async () => {
  const { app, opened } = build({}, '{"homepage":"https://contoso.example/tokenkeep"}');
  expect(app.homepage).toBe('https://contoso.example/tokenkeep');
  await app.openHomepage();
  expect(opened).toEqual(['https://contoso.example/tokenkeep']);
});

it('says which page to open where the system opens no browser', async () => {
  const { app } = build(
    { openInBrowser: () => Promise.reject(new Error('no handler')) },
    '{"homepage":"https://contoso.example/"}',
  );
  await expect(app.openHomepage()).rejects.toThrow(/Open https:\/\/contoso\.example\/ yourself/);
});

it.each([
  ['nobody’s address', '{"homepage":"https://tokenkeep.invalid/"}'],
  ['an address without encryption', '{"homepage":"http://contoso.example/"}'],
  ['a file', '{"homepage":"file:///etc/passwd"}'],
  ['a program', '{"homepage":"vscode://run"}'],
  ['no address', '{"homepage":"contoso"}'],
  ['no text', '{"homepage":7}'],
  ['none', '{}'],
  ['damaged JSON', '{'],
])('names no page and opens nothing for %s', async (_what, packageJson) => {
  const { app, opened } = build({}, packageJson);
  expect(app.homepage).toBeNull();
  await app.openHomepage();
  expect(opened).toEqual([]);
});

it('names no page in development', () => {
  expect(build({ packaged: false }, '{"homepage":"https://contoso.example/"}').app.homepage).toBeNull();
});

it('shows the first file with license texts that is there', () => {
  const folder = temporaryFolder();
  const [notices, license] = [join(folder, 'THIRD-PARTY-NOTICES.txt'), join(folder, 'LICENSE')];
  const { app, shown } = build({ licenses: [notices, license] });
  expect(() => app.showLicenses()).toThrow(/are missing from this installation/);
  writeFileSync(license, '');
  app.showLicenses();
  writeFileSync(notices, '');
  app.showLicenses();
  expect(shown).toEqual([license, notices]);
});
