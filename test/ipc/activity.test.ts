import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CacheChange, memoryKeychain, openVault, SerializableTokenCache } from '../../src-main/index.ts';
import {
  ACTIVITY_KEPT,
  activityAccount,
  activityOf,
  clearActivity,
  isOnlyActivity,
  recordActivity,
} from '../../src-main/ipc/activity.ts';
import { appData, appDataNames, setAppData } from '../../src-main/cache/token-cache.ts';
import { cachedAccounts } from '../../src-main/accounts/cached-accounts.ts';
import { argumentChecks } from '../../src-main/ipc/arguments.ts';
import { settle } from '../../src-main/ipc/requests.ts';
import type { ActivityEvent } from '../../src-main/ipc/contract.ts';
import { cacheOf, secretsIn, vectorPath, vectorText } from './vectors.ts';
import { windowOver } from './window.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const W = 'the window';
const TEXT = vectorText('documents', 'msal-node-7-kitchen-sink.json');
const DAY = 86_400;

async function firstToken(window: ReturnType<typeof windowOver>) {
  const { accounts } = await window.ask.accounts(W);
  const avery = accounts.find(({ username }) => username === 'avery.howard@contoso.example')!;
  const tokens = await window.ask.tokens(W, avery.id);
  return { avery, token: tokens.find(({ type }) => type === 'AccessToken')! };
}

const kinds = (events: readonly ActivityEvent[]) => events.map(({ kind }) => kind);

it('is written by no request as a script words it: whatever is passed, no event says it', async () => {
  const window = windowOver(cacheOf(TEXT));
  window.user.agrees = false;
  const forged = { kind: 'sign-in', at: 1, accounts: [{ id: 'x', name: 'forged' }], client_id: 'forged' };
  const asks = Object.entries(window.ask) as [keyof typeof argumentChecks, (...args: unknown[]) => unknown][];
  expect(asks.length).toBeGreaterThan(20);
  for (const [name, ask] of asks)
    for (const args of [
      [],
      ['forged'],
      [forged],
      [[forged]],
      [['forged']],
      ['forged', 'forged'],
      ['activity-1', forged],
    ])
      await settle(() => ask(W, ...(argumentChecks[name] as (given: unknown[]) => unknown[])(args)));
  const { events } = await window.ask.activity(W, null);
  expect(JSON.stringify(events)).not.toContain('forged');
  expect(kinds(events).filter((kind) => kind !== 'rotation')).toEqual([]);
});

it('keeps the events of a newer version, and what it does not understand at all', () => {
  const cache = cacheOf('{}');
  recordActivity(cache, 1000, [], { kind: 'rotation' });
  const newer = { at: 1001, accounts: [], kind: 'of-the-future', more: { a: 1 } };
  setAppData(cache, 'activity-1', [...(appData(cache, 'activity-1') as unknown[]), newer]);
  recordActivity(cache, 1002, [], { kind: 'rotation' });
  expect(appData(cache, 'activity-1')).toHaveLength(3);
  expect(appData(cache, 'activity-1')).toContainEqual(newer);
  setAppData(cache, 'activity-2', { another: 'form' });
  recordActivity(cache, 1003, [], { kind: 'rotation' });
  expect(appData(cache, 'activity-2')).toEqual({ another: 'form' });
  expect(kinds(activityOf(cache, null, 2000).events)).toEqual(['rotation', 'rotation', 'rotation']);
});

it('counts the accounts that it does not name', () => {
  const cache = cacheOf('{}');
  const accounts = Array.from({ length: 2000 }, (_, index) => ({ id: String(index), name: `User ${index}` }));
  const file = { kind: 'import', file: 'many.json', accountsAdded: 2000, tokensAdded: 8000 } as const;
  recordActivity(cache, 1_700_000_000, accounts, file);
  const [event] = activityOf(cache, null, 1_700_000_000).events;
  expect([event?.accounts.length, event?.others]).toEqual([20, 1980]);
});

describe('what is recorded', () => {
  it('names each copy and each reveal that the user agreed to, and no secret', async () => {
    const window = windowOver(cacheOf(TEXT));
    const { avery, token } = await firstToken(window);
    window.user.agrees = false;
    await window.ask.copy(W, token.id, 'header');
    await window.ask.reveal(W, token.id);
    expect((await window.ask.activity(W, null)).events).toEqual([]);
    window.user.agrees = true;
    await window.ask.copy(W, token.id, 'header');
    window.user.now += 5;
    await window.ask.reveal(W, token.id);
    const { events, total } = await window.ask.activity(W, avery.id);
    expect(total).toBe(2);
    expect(events).toMatchObject([
      { kind: 'reveal', at: window.user.now, token: 'AccessToken', api: token.audience },
      { kind: 'copy', form: 'header', client_id: token.client_id },
    ]);
    expect(events[0]?.accounts).toEqual([{ id: avery.id, name: 'Avery Howard' }]);
    for (const secret of secretsIn(TEXT)) expect(JSON.stringify(events)).not.toContain(secret);
    const other = (await window.ask.accounts(W)).accounts.find(({ id }) => id !== avery.id)!;
    expect(await window.ask.activity(W, other.id)).toEqual({ events: [], total: 0 });
  });

  it('names an import with its origin, an export, a rotation, a repair and a sign-out', async () => {
    const window = windowOver(new SerializableTokenCache());
    const path = vectorPath('documents', 'msal-node-7-kitchen-sink.json');
    await window.ask.confirmImport(W, (await window.planOf(path)).id);
    window.user.saves = join(tmpdir(), 'backup.age');
    await window.ask.exportAll(W, 'seven wild geese over the fjord');
    await window.ask.rotateKey(W);
    const { accounts } = await window.ask.accounts(W);
    await window.ask.signOut(W, [accounts[0]!.id]);
    const { events } = await window.ask.activity(W, null);
    expect(kinds(events)).toEqual(['sign-out', 'rotation', 'export', 'import']);
    expect(events[3]).toMatchObject({ file: path });
    expect(events[3]?.accounts.length).toBeGreaterThan(5);
    expect(events[2]).toMatchObject({ file: window.user.saves });
    expect(events[0]?.accounts[0]?.id).toBe(accounts[0]!.id);
  });

  it('does not come with an imported document', async () => {
    const forged = new SerializableTokenCache();
    recordActivity(forged, 1_700_000_000, [], { kind: 'rotation' });
    const file = join(temporaryFolder(), 'forged.json');
    writeFileSync(file, forged.serialize());
    const window = windowOver(cacheOf(TEXT));
    await window.ask.confirmImport(W, (await window.planOf(file)).id);
    expect(kinds((await window.ask.activity(W, null)).events)).toEqual(['import']);
  });

  it('is not written while the vault can’t be, and the copy works all the same', async () => {
    const window = windowOver(cacheOf(TEXT));
    const { token } = await firstToken(window);
    window.vault.status.state = 'read-only';
    expect(await window.ask.copy(W, token.id)).not.toBeNull();
    window.vault.status.state = 'ready';
    window.vault.update = () => Promise.reject(new Error('The disk is full.'));
    expect(await window.ask.copy(W, token.id)).not.toBeNull();
    expect((await window.ask.activity(W, null)).events).toEqual([]);
  });
});

describe('clearing', () => {
  it('asks, removes everything, and says that it was done', async () => {
    const window = windowOver(cacheOf(TEXT));
    await window.ask.rotateKey(W);
    window.user.agrees = false;
    expect(await window.ask.clearActivity(W)).toBe(false);
    expect(kinds((await window.ask.activity(W, null)).events)).toEqual(['rotation']);
    window.user.agrees = true;
    expect(await window.ask.clearActivity(W)).toBe(true);
    expect(window.questions.at(-1)?.message).toBe('Clear the activity?');
    expect(kinds((await window.ask.activity(W, null)).events)).toEqual(['cleared']);
  });
});

describe('how long it is kept', () => {
  const NOW = 1_800_000_000;
  const rotation = { kind: 'rotation' } as const;

  it('is 90 days: older events are not listed, and are removed once events of two days say so', () => {
    const cache = new SerializableTokenCache();
    for (let index = 0; index < 120; index++) recordActivity(cache, NOW + index, [], rotation);
    expect(appDataNames(cache)).toHaveLength(3);
    const later = NOW + ACTIVITY_KEPT + 60;
    expect(activityOf(cache, null, later).total).toBe(59);
    recordActivity(cache, later, [], rotation);
    expect(appDataNames(cache)).toHaveLength(3);
    recordActivity(cache, later + DAY, [], rotation);
    expect(appDataNames(cache)).toHaveLength(2);
    clearActivity(cache, later + 90 * DAY);
    expect(appDataNames(cache)).toHaveLength(1);
  });

  it('is at most 10,000 events, of which 2,000 are sent, newest first', () => {
    const cache = new SerializableTokenCache();
    const chunk = (number: number) =>
      Array.from({ length: 50 }, (_, index) => ({
        at: NOW + number * 50 + index,
        accounts: [],
        ...rotation,
      }));
    for (let number = 1; number <= 200; number++) setAppData(cache, `activity-${number}`, chunk(number));
    recordActivity(cache, NOW + 20_000, [], rotation);
    const { events, total } = activityOf(cache, null, NOW + 20_000);
    expect(total).toBe(9_951);
    expect(events).toHaveLength(2_000);
    expect(events[0]?.at).toBe(NOW + 20_000);
    expect(new Set(events.map(({ id }) => id)).size).toBe(2_000);
  });

  it('lists events by time, even if a clock was set back', () => {
    const cache = new SerializableTokenCache();
    for (const at of [NOW, NOW - 500, NOW + 5]) recordActivity(cache, at, [], rotation);
    expect(activityOf(cache, null, NOW + 10).events.map(({ at }) => at)).toEqual([NOW + 5, NOW, NOW - 500]);
  });

  it('is not shortened by a clock that is ahead, however many events it records', () => {
    const cache = new SerializableTokenCache();
    for (let index = 0; index < 120; index++) recordActivity(cache, NOW + index, [], rotation);
    const ahead = NOW + 91 * DAY;
    for (let index = 0; index < 80; index++) recordActivity(cache, ahead + index, [], rotation);
    recordActivity(cache, NOW + 500, [], rotation);
    expect(activityOf(cache, null, NOW + 501).total).toBe(201);
    // Nor by one that starts at 1970.
    for (let index = 0; index < 80; index++) recordActivity(cache, index, [], rotation);
    recordActivity(cache, NOW + 600, [], rotation);
    expect(activityOf(cache, null, NOW + 601).total).toBe(202);
  });

  it('ends for an event of a clock that was ahead, and for those before and after it', () => {
    const cache = new SerializableTokenCache();
    recordActivity(cache, NOW, [], rotation);
    for (let index = 0; index < 60; index++) recordActivity(cache, NOW + 3650 * DAY, [], rotation);
    for (let index = 0; index < 60; index++) recordActivity(cache, NOW + 60 + index, [], rotation);
    const newest = activityOf(cache, null, NOW + DAY).events.slice(0, 60);
    expect(newest.map(({ at }) => at)).toEqual(Array.from({ length: 60 }, (_, index) => NOW + 119 - index));
    const later = NOW + ACTIVITY_KEPT + 200;
    expect(activityOf(cache, null, later).total).toBe(0);
    recordActivity(cache, later, [], rotation);
    expect(appDataNames(cache)).toHaveLength(3);
    recordActivity(cache, later + DAY, [], rotation);
    expect(appDataNames(cache)).toHaveLength(1);
  });

  it('skips what it does not understand', () => {
    const cache = new SerializableTokenCache();
    setAppData(cache, 'activity-1', [{ kind: 'teleport', at: 1 }, 7, null]);
    recordActivity(cache, NOW, [], rotation);
    expect(kinds(activityOf(cache, null, NOW).events)).toEqual(['rotation']);
  });
});

describe('beside the entries', () => {
  it('names no account by its id alone', () => {
    const cache = new SerializableTokenCache();
    for (const home_account_id of ['4711', 'ada'])
      cache.add({
        client_id: 'app',
        scope: 'x',
        token_endpoint: 'https://id.example/token',
        grant_type: 'authorization_code',
        home_account_id,
        response: { access_token: 'a', refresh_token: 'r', expires_in: 3600 },
      });
    recordActivity(cache, 1000, accountsIn(cache), { kind: 'rotation' });
    cache.signOutAll();
    const kept = JSON.stringify(appDataNames(cache).map((name) => appData(cache, name)));
    expect(kept).toContain('"name":""');
    for (const id of ['4711', 'ada']) expect(kept).not.toContain(`"${id}"`);
  });

  it('outlives the account, without its id, and is no entry that is not understood', async () => {
    const window = windowOver(cacheOf(TEXT));
    const { avery, token } = await firstToken(window);
    await window.ask.copy(W, token.id);
    const before = (await window.ask.accounts(W)).totals.notUnderstood;
    const [receipt] = await window.ask.signOut(W, [avery.id]);
    expect(receipt?.remaining).toBe(0);
    const { events } = await window.ask.activity(W, avery.id);
    expect(kinds(events)).toEqual(['sign-out', 'copy']);
    expect(JSON.stringify(events)).not.toContain(avery.home_account_id);
    expect((await window.ask.accounts(W)).totals.notUnderstood).toBe(before);
  });

  it('is distinguished from a change of accounts', async () => {
    const folder = temporaryFolder();
    const vault = await openVault({ file: join(folder, 'a.vault'), keychain: memoryKeychain() });
    const changes: CacheChange[] = [];
    vault.on('change', (change) => changes.push(change));
    await vault.update((cache) => recordActivity(cache, 1_800_000_000, [], { kind: 'rotation' }));
    await vault.update((cache) => {
      cache.add({
        client_id: 'app',
        scope: ['read'],
        token_endpoint: 'https://id.example/token',
        response: { access_token: 'a', expires_in: 60 },
      });
      recordActivity(cache, 1_800_000_001, [], { kind: 'rotation' });
    });
    await vault.update((cache) =>
      recordActivity(cache, 1_800_000_002, accountsIn(cache), { kind: 'rotation' }),
    );
    expect(changes.map(isOnlyActivity)).toEqual([true, false, true]);
    await vault.close();
  });
});

const accountsIn = (cache: Parameters<typeof cachedAccounts>[0]) =>
  [...cachedAccounts(cache).byId.values()].map(activityAccount);
