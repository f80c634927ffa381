/**
 * Measures a vault of one size, and the machine's own limits, in its own process: `node vault-cell.mjs ACCOUNTS
 * ROUNDS`. Sends its parent the milliseconds of each run, by row; runs of the vault and of the machine alternate.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { fstatSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { open, readFile, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { accountsToExamine, examine } from '../src-main/doctor/index.ts';
import { memoryKeychain, openVault, type Vault } from '../src-main/index.ts';
import { app, documentOf, person, tokenResponse } from './generate.ts';
import { msalNode } from './msal-node.ts';
import { memory } from './operations.ts';

/** Milliseconds of each run, by row; `heap` and `buffers` in bytes. */
export type Costs = Record<string, number[]>;

const accounts = Number(process.argv[2]);
const rounds = Number(process.argv[3]);
if (process.send === undefined) throw new Error('Run by vault.ts only');
const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-bench-'));
const file = join(folder, 'bench.vault');
const keychain = memoryKeychain();
const costs: Costs = {};

async function timed<T>(row: string, run: () => Promise<T> | T): Promise<T> {
  const begin = performance.now();
  const result = await run();
  (costs[row] ??= []).push(performance.now() - begin);
  return result;
}

/** Does what `timed` does, and also measures the longest time that the event loop was blocked. */
async function watched<T>(row: string, run: () => Promise<T>): Promise<T> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  // Earlier garbage must not count here, and the histogram needs a turn of the event loop to start.
  await new Promise((resolve) => setTimeout(resolve, 20));
  delays.enable();
  await new Promise((resolve) => setTimeout(resolve, 5));
  delays.reset();
  try {
    return await timed(row, run);
  } finally {
    await new Promise((resolve) => setTimeout(resolve, 5));
    delays.disable();
    (costs[`  longest stretch, ${row}`] ??= []).push(delays.max / 1e6);
  }
}

const openBench = (): Promise<Vault> => openVault({ file, keychain });
const collect = (): void => globalThis.gc?.();

function responseFor(index: number, salt: number) {
  const { scopes } = person(index);
  const token_endpoint = `https://${app.host}/${app.tenant}/oauth2/v2.0/token`;
  return {
    client_id: app.client_id,
    scope: [...scopes],
    token_endpoint,
    response: tokenResponse(index, salt),
  };
}

// What updates are given is made before they are measured: making a response costs as much as adding it.

const refresh = (vault: Vault, event: ReturnType<typeof responseFor>, part?: string): Promise<void> =>
  vault.update((cache) => {
    const begin = performance.now();
    cache.add(event);
    if (part !== undefined) (costs[part] ??= []).push(performance.now() - begin);
  });

/** Replaces one token: the smallest possible update. */
const touch = (vault: Vault, home_account_id: string, salt: number): Promise<void> =>
  vault.update((cache) => {
    const [token] = cache.find('RefreshToken', { query: { home_account_id } });
    if (token === undefined) throw new Error('Wrong result: the account has no refresh token');
    cache.modify('RefreshToken', token, { secret: `${token.secret.slice(0, 1200)}${String(salt)}` });
  });

/** Returns a function that reads and opens a document of one account as a file's frame is read: without waiting. */
function frameReader(): () => unknown {
  const [key, nonce] = [randomBytes(32), randomBytes(12)];
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const blob = join(folder, 'frame');
  writeFileSync(blob, Buffer.concat([cipher.update(documentOf(1), 'utf8'), cipher.final()]));
  const tag = cipher.getAuthTag();
  const fd = openSync(blob, 'r');
  return () => {
    const bytes = Buffer.allocUnsafe(fstatSync(fd).size);
    readSync(fd, bytes, 0, bytes.length, 0);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce);
    decipher.setAuthTag(tag);
    const plain = decipher.update(bytes);
    decipher.final();
    return JSON.parse(plain.toString('utf8')) as unknown;
  };
}

async function updates(): Promise<void> {
  const readFrame = frameReader();
  const [vault, other] = [await openBench(), await openBench()];
  const log = await open(join(folder, 'log'), 'a');
  const frame = randomBytes(7500);
  let salt = 1;
  const next = (): number => (salt += 1) % accounts;
  const nextId = (): string => person(next()).home_account_id;
  const nextResponse = () => responseFor(next(), salt);
  // Warms up, so that the code is compiled as in a program that has been running for a while.
  for (let round = 0; round < 300; round += 1) await refresh(vault, nextResponse());
  for (let round = 0; round < rounds; round += 1) {
    await other.read(() => undefined); // Otherwise it would also catch up with the tens of the previous round.
    await timed('append, fdatasync', async () => {
      await log.write(frame);
      await log.datasync();
    });
    const [id, response] = [nextId(), nextResponse()];
    await timed('update: one token', () => touch(vault, id, salt));
    await timed('update: a response', () => refresh(vault, response, '  of it, cache.add'));
    await timed('read, open two frames', () => [readFrame(), readFrame()]);
    await timed('catch up with both', () => other.read(() => undefined));
    const many = Array.from({ length: 10 }, () => [nextId(), responseFor(salt % accounts, salt)] as const);
    await timed('ten: one token each', () => Promise.all(many.map(([each]) => touch(vault, each, salt))));
    await timed('ten: a response each', () => Promise.all(many.map(([, each]) => refresh(vault, each))));
  }
  const last = tokenResponse(1, salt + 1)['access_token'];
  await refresh(vault, responseFor(1, salt + 1));
  const found = await other.read((cache) => cache.find('AccessToken').some(({ secret }) => secret === last));
  if (!found) throw new Error('Wrong result: the other handle does not see the last update');
  await log.close();
  await vault.close();
  await other.close();
}

/** Stores the same tokens as one sealed document and as a vault. */
async function opening(text: string, times: number): Promise<void> {
  const [key, nonce] = [randomBytes(32), randomBytes(12)];
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const blob = join(folder, 'blob');
  writeFileSync(blob, Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]));
  const tag = cipher.getAuthTag();
  for (let time = 0; time < times; time += 1) {
    collect();
    await timed('read, decrypt, parse', async () => {
      const bytes = await readFile(blob);
      const decipher = createDecipheriv('aes-256-gcm', key, nonce);
      decipher.setAuthTag(tag);
      const plain = await timed('  of it, AES-256-GCM', () => decipher.update(bytes));
      decipher.final();
      const document = plain.toString('utf8');
      return timed('  of it, JSON.parse', () => JSON.parse(document) as unknown);
    });
    collect();
    const vault = await watched('open', openBench);
    const listed = await timed('  and list accounts', () => vault.read((cache) => cache.accounts().length));
    if (listed !== accounts) throw new Error('Wrong result: not all accounts');
    const last = (row: string): number => costs[row]?.at(-1) ?? NaN;
    (costs['open and list'] ??= []).push(last('open') + last('  and list accounts'));
    const query = { home_account_id: person(time % accounts).home_account_id };
    const secret = await timed('  and a first token', () =>
      vault.read((cache) => cache.find('RefreshToken', { query })[0]?.secret),
    );
    if (secret === undefined) throw new Error('Wrong result: no token');
    await vault.close();
  }
}

async function signOuts(times: number): Promise<void> {
  const vault = await openBench();
  for (let time = 0; time < Math.min(times, accounts - 1); time += 1) {
    const bytes = readFileSync(file);
    await timed('write, flush, rename', async () => {
      const handle = await open(join(folder, 'new'), 'w');
      await handle.writeFile(bytes);
      await handle.sync();
      await handle.close();
      await rename(join(folder, 'new'), join(folder, 'old'));
      const parent = await open(folder);
      await parent.sync();
      await parent.close();
    });
    const receipt = await timed('sign out', () => vault.signOut(person(time).home_account_id));
    if (receipt.remaining !== 0 || receipt.oldKey !== 'destroyed')
      throw new Error('Wrong result: not signed out');
  }
  await vault.close();
}

async function footprint(): Promise<void> {
  collect();
  const before = process.memoryUsage();
  const vault = await openBench();
  collect();
  const after = process.memoryUsage();
  costs['heap'] = [after.heapUsed - before.heapUsed];
  costs['buffers'] = [after.arrayBuffers - before.arrayBuffers];
  await vault.close();
}

/** Runs the doctor's checks, once without a pause and once yielding to other tasks. */
async function examination(vault: Vault): Promise<void> {
  const found = await watched('examine', () => vault.read((cache) => examine(cache)));
  let again = 0;
  await watched('examine in turns', async () => {
    const left = await vault.read(accountsToExamine);
    while (left.length > 0) {
      const next = left.splice(0, 100);
      const some = await vault.read((cache) => next.flatMap((account) => examine(cache, { account })));
      again += some.length;
      await setImmediate();
    }
  });
  if (again !== found.length) throw new Error('Wrong result: other findings');
}

/** A refresh with MSAL Node and a file, as its cache plugins do it: read, merge, write the whole file, no flush. */
async function peer(text: string, times: number): Promise<void> {
  const document = join(folder, 'document.json');
  writeFileSync(document, text);
  const subject = msalNode(memory());
  for (let time = 0; time < times; time += 1) {
    const index = time % accounts;
    const response = tokenResponse(index, time + 1);
    await timed('MSAL Node: a response', async () => {
      subject.deserialize(readFileSync(document, 'utf8'));
      await subject.add(index, response);
      writeFileSync(document, subject.serialize());
    });
  }
}

try {
  const text = documentOf(accounts);
  const document = join(folder, 'import.json');
  writeFileSync(document, text);
  const vault = await openBench();
  await watched('import', () => vault.importFrom(document));
  await examination(vault);
  await vault.close();
  const few = accounts > 1000 ? 4 : 9;
  await footprint();
  await opening(text, few);
  await updates();
  await signOuts(few);
  await peer(text, accounts > 1000 ? 2 : few);
  process.send(costs);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
