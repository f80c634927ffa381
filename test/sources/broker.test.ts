/** The broker of Linux, over a fake session bus, which answers with bytes of the D-Bus protocol. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { brokerSignIns } from '../../src-main/sources/broker.ts';
import { findSources } from '../../src-main/sources/find.ts';
import { readSource } from '../../src-main/sources/read.ts';
import { type SessionBus, sessionBus, text, uint32 } from '../support/session-bus.ts';

let home: string;
let started: SessionBus | undefined;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-broker-'));
});
afterEach(async () => {
  await started?.close();
  started = undefined;
  rmSync(home, { recursive: true, force: true });
});

async function bus(isRunning: boolean, accounts: string): Promise<SessionBus['env']> {
  started = await sessionBus(join(home, 'bus'), (member) => ({
    body:
      member === 'NameHasOwner'
        ? ['b', uint32(Number(isRunning))]
        : ['s', text(member === 'Hello' ? ':1.1' : accounts)],
  }));
  return started.env;
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
  expect(started?.called).toEqual(['Hello', 'NameHasOwner']);
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
