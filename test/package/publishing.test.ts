/** The package can't be published without provenance: npm refuses before it uploads anything. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';

const { name, version, publishConfig } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  name: string;
  version: string;
  publishConfig?: object;
};

/** Publishes a package to a registry on this computer, outside the workflows in which npm issues provenance. */
async function publish(manifest: object): Promise<{ said: string; uploads: string[] }> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  const uploads: string[] = [];
  const registry = createServer((request, response) => {
    if (request.method === 'PUT') uploads.push(request.url ?? '');
    request.resume();
    response.setHeader('content-type', 'application/json').end('{}');
  }).listen(0, '127.0.0.1');
  await once(registry, 'listening');
  const host = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
  try {
    const said = await new Promise<string>((resolve) => {
      execFile(
        'npm',
        [
          'publish',
          `--registry=http://${host}/`,
          `--//${host}/:_authToken=none`,
          `--cache=${join(folder, 'cache')}`,
        ],
        {
          cwd: folder,
          env: { ...process.env, CI: '', GITHUB_ACTIONS: '', GITLAB_CI: '' },
          shell: process.platform === 'win32',
        },
        (_error, stdout, stderr) => resolve(stdout + stderr),
      );
    });
    return { said, uploads };
  } finally {
    registry.closeAllConnections();
    registry.close();
  }
}

it('is refused where npm issues no provenance, before anything is uploaded', async () => {
  const { said, uploads } = await publish({ name, version, publishConfig });
  expect(said).toMatch(/provenance/i);
  expect(uploads).toEqual([]);
}, 120_000);

it('would be uploaded without the setting', async () => {
  expect((await publish({ name, version })).uploads).toEqual([`/${name}`]);
}, 120_000);
