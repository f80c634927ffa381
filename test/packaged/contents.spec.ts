/** The contents of the packaged app, which must be complete and contain nothing else. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { extractFile, listPackage } from '@electron/asar';
import { expect } from '@playwright/test';
import { drawIcon } from '../../scripts/packaging/icons.mjs';
import { test } from '../e2e/app.ts';

const resourcesOf = (app: string): string => join(dirname(app), 'resources');
const inAsar = (app: string): string[] =>
  listPackage(join(resourcesOf(app), 'app.asar'), { isPack: false })
    .map((path) => path.slice(1).replaceAll('\\', '/'))
    .filter((path) => /\.\w+$/.test(path) || /LICEN[CS]E$/.test(path));
const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
const own = (app: string, file: string): string =>
  extractFile(join(resourcesOf(app), 'app.asar'), file).toString();

interface Component {
  name: string;
  group?: string;
  version: string;
  licenses?: unknown[];
}
interface Bill {
  bomFormat: string;
  specVersion: string;
  components: Component[];
}

test('the asar holds the bundles, the icon, and the packages with native code', ({ packagedApp }) => {
  const strangers = inAsar(packagedApp).filter(
    (path) =>
      !/^(package\.json|app\/resources\/icon\.png|out\/(preload|(main|command)(-[\w-]+-[\w-]{8})?)\.cjs|out\/renderer\/(index\.html|assets\/(index-.+\.css|(index|Pages|DialogContents|[Hh]ealth(Page)?|rolldown-runtime)-.+\.js)))$/.test(
        path,
      ) &&
      !/^node_modules\/(keytar|fs-native-extensions|require-addon|which-runtime|bare-(addon-resolve|module-resolve|semver))\/(package\.json|LICENSE|(lib\/)?\w+\.js)$/.test(
        path,
      ) &&
      !path.endsWith('.node'),
  );
  expect(strangers).toEqual([]);
});

test('outside the asar there are this platform’s two binaries, papers, and nothing that could be run', ({
  packagedApp,
}) => {
  const resources = resourcesOf(packagedApp);
  const found = filesUnder(resources).map((path) => path.slice(resources.length + 1).replaceAll('\\', '/'));
  const platform = `${process.platform}-${process.arch}`;
  expect(found.sort()).toEqual(
    [
      'THIRD-PARTY-NOTICES.txt',
      'app.asar',
      `app.asar.unpacked/node_modules/fs-native-extensions/prebuilds/${platform}/fs-native-extensions.node`,
      `app.asar.unpacked/node_modules/keytar/prebuilds/${platform}/keytar.node`,
      ...(process.platform === 'linux' ? ['apparmor-profile'] : []),
      'sbom.cdx.json',
    ].sort(),
  );
});

test('no source maps, and no sources', ({ packagedApp }) => {
  for (const path of inAsar(packagedApp).filter((each) => /\.(c?js|css|html)$/.test(each))) {
    expect(path).not.toMatch(/\.map$|\.tsx?$|(^|\/)(test|bench|src-\w+)\//);
    expect(own(packagedApp, path), path).not.toContain('sourceMappingURL=');
  }
});

test('it says that it is a development build, and what it was given', ({ packagedApp }) => {
  const manifest = JSON.parse(own(packagedApp, 'package.json')) as Record<string, string>;
  expect(manifest['name']).toBe('tokenkeep-development');
  expect(manifest['version']).toMatch(/-development$/);
  const runtime = readFileSync(join(dirname(packagedApp), 'version'), 'utf8').trim();
  const wanted = JSON.parse(readFileSync('package.json', 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  const marked = existsSync(join(dirname(packagedApp), 'DEVELOPMENT-RUNTIME.txt'));
  // Checklist item 16: another Electron than the current one is the development runtime, and no release has that.
  expect(marked || runtime === wanted.devDependencies['electron']).toBe(true);
});

test('the bill of materials and the notices name what is in it', ({ packagedApp }) => {
  const bill = JSON.parse(readFileSync(join(resourcesOf(packagedApp), 'sbom.cdx.json'), 'utf8')) as Bill;
  expect(bill).toMatchObject({
    bomFormat: 'CycloneDX',
    specVersion: expect.stringMatching(/^1\.\d$/),
  });
  const named = bill.components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`));
  const installed = inAsar(packagedApp).flatMap((path) => /^node_modules\/([^/]+)\//.exec(path)?.[1] ?? []);
  const bundled = ['age-encryption', '@noble/ciphers', '@noble/hashes', '@scure/base', 'openid-client'];
  const updater = ['electron-updater', 'js-yaml', 'lazy-val'];
  const window = ['react', 'react-dom', 'react-aria-components', 'valibot'];
  const wanted = ['electron', ...window, ...bundled, ...updater, ...installed];
  // keytar is an alias: its own name is that of whoever publishes it.
  for (const name of new Set(wanted)) expect(named).toContain(name === 'keytar' ? '@github/keytar' : name);
  for (const name of ['vitest', 'typescript', '@playwright/test', 'vite']) expect(named).not.toContain(name);
  const electron = bill.components.find(({ name }) => name === 'electron');
  expect(electron?.version).toBe(readFileSync(join(dirname(packagedApp), 'version'), 'utf8').trim());
  const notices = readFileSync(join(resourcesOf(packagedApp), 'THIRD-PARTY-NOTICES.txt'), 'utf8');
  // A title with the license's name, and its text.
  for (const name of named) expect(notices).toMatch(new RegExp(`^${name} \\S+ \\(.+\\)\\n\\n.+`, 'm'));
  expect(notices).not.toContain('no license declared');
});

test('what it takes on the disk', ({ packagedApp }, info) => {
  const folder = dirname(packagedApp);
  const size = (paths: string[]): number => paths.reduce((sum, path) => sum + statSync(path).size, 0) / 1e6;
  const all = size(filesUnder(folder));
  const asar = size([join(folder, 'resources/app.asar')]);
  const report = `installed: ${all.toFixed(0)} MB, of which ${asar.toFixed(2)} MB are Tokenkeep’s own (app.asar), the rest Electron`;
  info.annotations.push({ type: 'size', description: report });
  console.log(report);
  expect(asar).toBeLessThan(4.5); // 1.2 of it is the command
  expect(all).toBeLessThan(320);
});

test('the icons are drawn from the one source', async () => {
  const icon: Buffer = await drawIcon(512);
  expect(readFileSync('app/resources/icon.png').equals(icon), 'node scripts/packaging/icons.mjs').toBe(true);
  const icns = readFileSync('release/icons/icon.icns');
  expect([icns.toString('latin1', 0, 4), icns.readUInt32BE(4)]).toEqual(['icns', icns.length]);
  const ico = readFileSync('release/icons/icon.ico');
  const count = ico.readUInt16LE(4);
  const sizes = Array.from({ length: count }, (_, index) => {
    const at = 6 + 16 * index;
    const image = ico.subarray(
      ico.readUInt32LE(at + 12),
      ico.readUInt32LE(at + 12) + ico.readUInt32LE(at + 8),
    );
    expect(image.toString('latin1', 1, 4)).toBe('PNG');
    expect(image.readUInt32BE(16) % 256).toBe(ico.readUInt8(at));
    return image.readUInt32BE(16);
  });
  expect(sizes).toEqual([16, 24, 32, 48, 64, 128, 256]);
});
