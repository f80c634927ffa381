import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { developmentMarker, findElectron } from '../../scripts/electron-path.mjs';
import refuse from '../../scripts/packaging/refuse-development-runtime.cjs';
import { checkIntegrity } from '../../scripts/setup/development-runtime.mjs';
import { download, ensureElectron } from '../../scripts/setup/electron.mjs';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'electron-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe("Electron's own download", () => {
  async function from(answer: RequestListener, timeout?: number): Promise<string | undefined> {
    const server = createServer(answer).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      return await attempt(port, timeout);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  function attempt(port: number, timeout = 20_000): Promise<string | undefined> {
    const env = {
      ...process.env,
      ELECTRON_MIRROR: `http://127.0.0.1:${port}/`,
      electron_config_cache: folder,
    };
    return download({ timeout, env });
  }

  it('out of reach fails at once, with the reason', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await promisify(server.close.bind(server))(); // now no one listens on this port
    expect(await attempt(port)).toContain('ECONNREFUSED');
  });

  it('that a server refuses is out of reach', async () => {
    expect(await from((_, response) => response.writeHead(403).end())).toContain('403');
  });

  it('that stalls is aborted', async () => {
    const answer = from((_, response) => response.writeHead(200).write('PK'), 3000);
    expect(await answer).toBe('nothing came for 3 seconds');
  });

  it('that is another file than the one that Electron pinned is not used', async () => {
    expect(await from((_, response) => response.end('not Electron'))).toMatch(/checksum/i);
  });
});

describe('which Electron', () => {
  const name = process.platform === 'win32' ? 'electron.exe' : 'electron';

  it.runIf(process.platform !== 'darwin')('the one that the environment names, and what it is', async () => {
    await writeFile(join(folder, name), '');
    await writeFile(join(folder, 'version'), 'v45.4.1\n');
    const env = { ELECTRON_OVERRIDE_DIST_PATH: folder };
    const expected = { executable: join(folder, name), dist: folder, version: '45.4.1' };
    expect(findElectron({ env })).toEqual({ ...expected, development: false });
    await writeFile(join(folder, developmentMarker), '');
    expect(findElectron({ env })).toEqual({ ...expected, development: true });
  });

  it('none where there is none', () => {
    expect(findElectron({ env: { ELECTRON_OVERRIDE_DIST_PATH: join(folder, 'absent') } })).toBeUndefined();
  });
});

it('a carrier that is not the pinned one is refused', async () => {
  const file = join(folder, 'carrier.tgz');
  await writeFile(file, 'bytes');
  const integrity = `sha512-${createHash('sha512').update('bytes').digest('base64')}`;
  await expect(checkIntegrity(file, integrity)).resolves.toBeUndefined();
  await writeFile(file, 'other bytes');
  await expect(checkIntegrity(file, integrity)).rejects.toThrow('not the file that was pinned');
});

describe('a build of the app', () => {
  const given = (version: string, electronDist?: unknown) => () =>
    refuse({ packager: { config: { electronDist }, appInfo: { version } } });

  it('for users refuses the development runtime', async () => {
    expect(given('1.0.0', folder)).not.toThrow();
    await writeFile(join(folder, developmentMarker), '');
    expect(given('1.0.0', folder)).toThrow('a release is not built with it');
  });

  it('for users refuses an Electron that it cannot look at', () => {
    expect(given('1.0.0', () => folder)).toThrow('must be a folder');
  });

  it('marked as development may have it', async () => {
    await writeFile(join(folder, developmentMarker), '');
    expect(given('0.0.0-development', folder)).not.toThrow();
  });

  it("takes Electron's own release where none is given", () => {
    expect(given('1.0.0')).not.toThrow();
  });
});

it('a variable that names a folder without Electron is told, and nothing is downloaded', async () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('ELECTRON_OVERRIDE_DIST_PATH', folder);
  vi.stubEnv('ELECTRON_MIRROR', 'http://127.0.0.1:1/');
  await expect(ensureElectron(folder)).rejects.toThrow('ELECTRON_OVERRIDE_DIST_PATH');
});
