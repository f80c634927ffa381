import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ensureBuilt } from '../../scripts/setup/build.mjs';
import { missingPackages, namesHere } from '../../scripts/setup/debian.mjs';
import { ensureNodeModules, holdsWhatIsLocked } from '../../scripts/setup/node-modules.mjs';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'clone-'));
});
afterEach(() => rm(root, { recursive: true }));

async function put(path: string, content: unknown) {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
}

describe('node_modules', () => {
  const locked = {
    '': { name: 'clone' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/b': { version: '1.0.0', integrity: 'sha512-b', optional: true },
  };
  const present = { 'node_modules/a': locked['node_modules/a'] };

  it.each([
    ['complete, but for an optional package', present, true],
    ['of another version', { 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } }, false],
    ['of other contents', { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-x' } }, false],
    ['without a package', {}, false],
  ])('%s', async (_, packages, expected) => {
    await put('package-lock.json', { packages: locked });
    await put('node_modules/.package-lock.json', { packages });
    expect(holdsWhatIsLocked(root)).toBe(expected);
  });

  it('is left alone where it is a link to those of another clone', async () => {
    await put('package-lock.json', { packages: locked });
    await put('elsewhere/.package-lock.json', { packages: {} });
    await symlink(join(root, 'elsewhere'), join(root, 'node_modules'));
    expect(() => ensureNodeModules(root)).toThrow('is a link');
    expect(await readFile(join(root, 'elsewhere/.package-lock.json'), 'utf8')).toBe('{"packages":{}}');
  });

  it('absent, or left by an installation that was cut short', async () => {
    await put('package-lock.json', { packages: locked });
    expect(holdsWhatIsLocked(root)).toBe(false);
    await put('node_modules/.package-lock.json', '{"packages":{"node_mod');
    expect(holdsWhatIsLocked(root)).toBe(false);
  });
});

describe('the build', () => {
  const builds = async () => (await readFile(join(root, 'builds'), 'utf8')).length;
  beforeEach(async () => {
    const build = `node -e "fs.mkdirSync('out',{recursive:true});fs.cpSync('app/main.ts','out/main.cjs');fs.appendFileSync('builds','x')"`;
    await put('package.json', { scripts: { build } });
    await put('app/main.ts', 'one');
  });

  it('is made once, and again when a source, an output or the configuration is another', async () => {
    ensureBuilt(root);
    ensureBuilt(root);
    expect(await builds()).toBe(1);
    await put('app/main.ts', 'two');
    ensureBuilt(root);
    ensureBuilt(root);
    expect(await builds()).toBe(2);
    await put('out/main.cjs', 'by hand');
    ensureBuilt(root);
    expect(await builds()).toBe(3);
    await put('tsconfig.json', '{}');
    ensureBuilt(root);
    expect(await builds()).toBe(4);
    expect(await readFile(join(root, 'out/main.cjs'), 'utf8')).toBe('two');
  });

  it('is made again for another client ID', async () => {
    ensureBuilt(root);
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv('TOKENKEEP_CLIENT_ID', 'another');
    ensureBuilt(root);
    ensureBuilt(root);
    expect(await builds()).toBe(2);
    vi.unstubAllEnvs();
    ensureBuilt(root);
    expect(await builds()).toBe(3);
  });

  it('that fails is an error with what it said, and is tried again', async () => {
    await put('package.json', {
      scripts: { build: `node -e "console.error('no such entry');process.exit(3)"` },
    });
    expect(() => ensureBuilt(root)).toThrow('no such entry');
    expect(() => ensureBuilt(root)).toThrow('no such entry');
  });
});

it.runIf(process.platform === 'linux')('a missing Debian package is told from one that is there', () => {
  expect(missingPackages(['dpkg', 'tokenkeep-no-such-package'])).toEqual(['tokenkeep-no-such-package']);
});

it('a package has the name that this Debian gives it', () => {
  const show = (names: string[]): string =>
    names.includes('libasound2t64') ? 'Package: libasound2t64\nVersion: 1.2.14\n' : '';
  expect(namesHere(['libasound2', 'xvfb'], show)).toEqual(['libasound2t64', 'xvfb']);
  expect(namesHere(['libasound2', 'xvfb'], () => '')).toEqual(['libasound2', 'xvfb']);
});
