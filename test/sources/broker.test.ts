/** The broker of Linux, over a session bus that is stood in for: its answers are bytes of the D-Bus protocol. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { brokerSignIns } from '../../src-main/sources/broker.ts';
import { findSources } from '../../src-main/sources/find.ts';
import { readSource } from '../../src-main/sources/read.ts';

let home: string;
let server: Server | undefined;
let called: string[];
const sockets = new Set<Socket>();
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-broker-'));
  called = [];
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  const closing = server;
  server = undefined;
  if (closing !== undefined) await new Promise((resolve) => closing.close(resolve));
  rmSync(home, { recursive: true, force: true });
});

/** A method return with one text or one truth value (D-Bus Specification, Message Protocol). */
function reply(serial: number, body: string | boolean): Buffer {
  const bytes =
    typeof body === 'boolean'
      ? uint32(Number(body))
      : Buffer.concat([uint32(Buffer.byteLength(body)), Buffer.from(`${body}\0`)]);
  const signature = typeof body === 'boolean' ? 'b' : 's';
  // REPLY_SERIAL, then SIGNATURE, each on a boundary of eight bytes.
  const fields = Buffer.concat([
    Buffer.from([5, 1, 'u'.charCodeAt(0), 0]),
    uint32(serial),
    Buffer.from([8, 1, 'g'.charCodeAt(0), 0, 1, signature.charCodeAt(0), 0]),
  ]);
  const head = Buffer.concat([
    Buffer.from([0x6c, 2, 1, 1]),
    uint32(bytes.length),
    uint32(7),
    uint32(fields.length),
    fields,
  ]);
  return Buffer.concat([head, Buffer.alloc((8 - (head.length % 8)) % 8), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

async function bus(isRunning: boolean, accounts: string): Promise<{ DBUS_SESSION_BUS_ADDRESS: string }> {
  const path = join(home, 'bus');
  const answers: Readonly<Record<string, string | boolean>> = {
    Hello: ':1.1',
    NameHasOwner: isRunning,
    getAccounts: accounts,
  };
  const started = createServer((socket) => {
    sockets.add(socket);
    let isGreeted = false;
    socket.on('data', (chunk: Buffer) => {
      let rest = chunk;
      if (!isGreeted) {
        isGreeted = true;
        socket.write('OK 0123\r\n');
        return;
      }
      const begin = rest.indexOf('BEGIN\r\n');
      if (begin >= 0) rest = rest.subarray(begin + 7);
      while (rest.length >= 16) {
        const length = Math.ceil((16 + rest.readUInt32LE(12)) / 8) * 8 + rest.readUInt32LE(4);
        const message = rest.subarray(0, length);
        rest = rest.subarray(length);
        const member = Object.keys(answers).find((name) => message.includes(name)) ?? '';
        called.push(member);
        socket.write(reply(message.readUInt32LE(8), answers[member] ?? ''));
      }
    });
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(path, resolve));
  return { DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` };
}

const ACCOUNTS = JSON.stringify({
  accounts: [
    { username: 'ada@contoso.example', homeAccountId: 'u.t', environment: 'login.windows.net' },
    { homeAccountId: 'without a name' },
  ],
});

it('tells whom it has signed in, by name', async () => {
  const env = await bus(true, ACCOUNTS);
  expect(await brokerSignIns(env)).toEqual([{ name: 'ada@contoso.example', at: 'login.windows.net' }]);
});

it('is not started if it does not run', async () => {
  expect(await brokerSignIns(await bus(false, ACCOUNTS))).toBeNull();
  expect(called).toEqual(['Hello', 'NameHasOwner']);
});

it.each(['', 'no JSON', '{}', '{"accounts":{}}', '[]'])(
  'that answers %j is of an unknown version',
  async (answer) => {
    expect(await brokerSignIns(await bus(true, answer))).toBeNull();
  },
);

it('is not there without a session bus', async () => {
  expect(await brokerSignIns({})).toBeNull();
  expect(await brokerSignIns({ DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(home, 'none')}` })).toBeNull();
});

it('is a source where the session bus knows it, never changed, with a state for each case', async () => {
  const services = join(home, '.local', 'share', 'dbus-1', 'services');
  mkdirSync(services, { recursive: true });
  writeFileSync(join(services, 'com.microsoft.identity.broker1.service'), '');
  const found = await findSources({ home, platform: 'linux' });
  const source = found.find(({ file, program }) => program === 'broker' && file.startsWith(home))!;
  const env = await bus(true, ACCOUNTS);
  const secrets = { broker: () => brokerSignIns(env) };
  expect(await readSource(source, { secrets })).toMatchObject({
    state: 'accounts',
    names: [{ name: 'ada@contoso.example' }],
    cache: null,
  });
  expect(await readSource(source, { secrets: { broker: () => Promise.resolve(null) } })).toMatchObject({
    state: 'sealed',
    problem: expect.stringContaining('does not start it') as string,
  });
  const fails = { broker: () => Promise.reject(new Error('It did not answer.')) };
  expect(await readSource(source, { secrets: fails })).toMatchObject({ state: 'sealed' });
});
