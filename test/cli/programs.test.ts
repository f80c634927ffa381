/** The command as a helper of curl and git, at a server that takes bearer tokens. */
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { tokenResponse } from '../../src-main/testing/index.ts';
import { bundle } from '../support/bundle.ts';
import { type OwnKeyring, startKeyring } from '../support/keyring.ts';

const ADA = tokenResponse({ username: 'ada@example.org' });
const HELPER = `--account ada@example.org --scope ${String(ADA.scope)}`;
const REF = 'a'.repeat(40);
let program: string;
let keyring: OwnKeyring;
let folder: string;
let server: Server;
let url: string;
/** The Authorization headers that the server received. */
let asked: (string | undefined)[];

beforeAll(async () => {
  program = await bundle('src-main/cli/main.ts');
  keyring = await startKeyring();
  folder = mkdtempSync(join(tmpdir(), 'tokenkeep-helper-'));
  writeFileSync(join(folder, 'tokenkeep'), `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`);
  chmodSync(join(folder, 'tokenkeep'), 0o755);
  const certificate =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost';
  const made = spawnSync('openssl', [...certificate.split(' '), '-keyout', 'key.pem', '-out', 'ca.pem'], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(made.status, made.stderr).toBe(0);
  const [key, cert] = ['key.pem', 'ca.pem'].map((name) => readFileSync(join(folder, name)));
  server = createServer({ key: key!, cert: cert! }, ({ headers, url: path }, response) => {
    asked.push(headers.authorization);
    const secret = String(ADA.response.access_token);
    const basic = `Basic ${Buffer.from(`oauth2:${secret}`).toString('base64')}`;
    if (headers.authorization !== `Bearer ${secret}` && headers.authorization !== basic)
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    else if (path?.startsWith('/repo.git/info/refs'))
      response.writeHead(200, { 'content-type': 'text/plain' }).end(`${REF}\trefs/heads/main\n`);
    else response.end('{"value":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://localhost:${(server.address() as AddressInfo).port}`;
  const cache = new SerializableTokenCache();
  cache.add(ADA);
  writeFileSync(join(folder, 'seed.json'), cache.serialize());
  expect((await sh('tokenkeep import seed.json')).stderr).toBe('');
  rmSync(join(folder, 'seed.json'));
}, 60_000);
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await keyring.close();
  for (const path of [folder, dirname(program)]) rmSync(path, { recursive: true, force: true });
});
beforeEach(() => {
  asked = [];
});

/** Runs a line in a shell without blocking this process, which is also the server. */
function sh(line: string, input = ''): Promise<{ status: number; stdout: string; stderr: string }> {
  const env = {
    ...keyring.env,
    HOME: folder,
    XDG_CONFIG_HOME: join(folder, 'config'),
    PATH: `${folder}:/usr/bin:/bin`,
    CURL_CA_BUNDLE: join(folder, 'ca.pem'),
    GIT_SSL_CAINFO: join(folder, 'ca.pem'),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
  };
  return new Promise((resolve) => {
    const child = execFile('bash', ['-c', line], { cwd: folder, env }, (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
    child.stdin?.on('error', () => undefined); // A program that does not read its input may have ended.
    child.stdin?.end(input);
  });
}

it.each([
  ['in a pipe', `tokenkeep get ${HELPER} --header | curl -sS --header @- "$URL"`],
  ['in a substitution', `curl -sS -H "$(tokenkeep get ${HELPER} --header)" "$URL"`],
])('curl gets the header %s', async (_, line) => {
  expect(await sh(line.replace('$URL', `${url}/subscriptions`))).toEqual({
    status: 0,
    stdout: '{"value":[]}',
    stderr: '',
  });
  expect(asked).toEqual([`Bearer ${String(ADA.response.access_token)}`]);
});

it('git asks its helper for a fetch, and only for the host that it is set up for', async () => {
  const set = `git config --global credential.${url}.helper '!tokenkeep credential ${HELPER}'`;
  expect((await sh(set)).status).toBe(0);
  expect((await sh(`git ls-remote ${url}/repo.git`)).stdout).toBe(`${REF}\trefs/heads/main\n`);
  // From 2.46 on, git takes a bearer token from its helper; before, it sends the token as a password.
  const [, major, minor] = /(\d+)\.(\d+)/.exec((await sh('git --version')).stdout)!.map(Number);
  const secret = String(ADA.response.access_token);
  expect(asked.at(-1)).toBe(
    major! > 2 || minor! >= 46
      ? `Bearer ${secret}`
      : `Basic ${Buffer.from(`oauth2:${secret}`).toString('base64')}`,
  );
  const filled = await sh('git credential fill', `url=${url}/repo.git\n\n`);
  expect(filled.stdout).toContain(`password=${String(ADA.response.access_token)}\n`);
  const other = await sh('git credential fill', 'url=https://elsewhere.example/repo.git\n\n');
  expect(other.stdout + other.stderr).not.toContain(String(ADA.response.access_token));
  expect(other.status).not.toBe(0);
  // `git credential reject` reports that the host refused a password; it must not remove the account.
  await sh('git credential reject', `url=${url}/repo.git\nusername=oauth2\npassword=x\n\n`);
  expect((await sh('tokenkeep list')).stdout).toContain('ada@example.org');
});
