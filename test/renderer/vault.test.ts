import { describe, expect, test } from 'vitest';
import { createClock } from '../../src-renderer/state/clock.ts';
import { createStore } from '../../src-renderer/state/store.ts';
import { localTime, ownZone } from '../../src-renderer/state/time.ts';
import { gate, stage } from './fake/model.ts';
import { fakeTime, fakeVisibility, settled } from './fake/time.ts';
import { readyStatus } from './fake/worlds.ts';

test('a status in an event is newer than the answer to an earlier request', async () => {
  const slow = gate();
  const { model, bridge, world } = await stage('locked', {
    delay: (name) => (name === 'status' ? slow.closed : undefined),
  });
  bridge.emit('status', readyStatus(world.now()));
  slow.open();
  await settled();
  expect(model.vault.view.get().status?.state).toBe('ready');
});

test('when the vault opens, its accounts are listed by themselves', async () => {
  const { model, bridge, world } = await stage('locked');
  expect(model.accounts.view.get().shownCount).toBe(0);
  world.members = (await stage()).world.members;
  bridge.emit('status', readyStatus(world.now()));
  await settled();
  expect(model.accounts.view.get().shownCount).toBe(6);
});

test('retry: once at a time; what main says is shown, and the app is asked anew whether the keychain crashed', async () => {
  const slow = gate();
  const { model, bridge, world } = await stage('crashed', {});
  world.delay = (name) => (name === 'retry' ? slow.closed : undefined);
  const first = model.vault.ask('retry');
  expect(await model.vault.ask('retry')).toBeNull();
  expect(model.vault.view.get().doing).toBe('retry');
  world.status = readyStatus(world.now());
  world.info = { ...world.info, keychainCrashed: false };
  slow.open();
  await first;
  await settled();
  expect(bridge.asked.filter(([name]) => name === 'retry')).toHaveLength(1);
  expect(model.vault.view.get()).toMatchObject({
    doing: null,
    error: null,
    status: { state: 'ready' },
    info: { keychainCrashed: false },
  });
});

test('a retry that fails keeps the state and says why', async () => {
  const { model, world } = await stage('locked');
  world.failing.set('retry', { code: 'keychain_locked', message: 'Still locked.' });
  await model.vault.ask('retry');
  expect(model.vault.view.get()).toMatchObject({
    status: { state: 'locked' },
    error: { message: 'Still locked.' },
  });
  world.failing.clear();
  await model.vault.ask('retry');
  expect(model.vault.view.get().error).toBeNull();
});

describe('the clock', () => {
  const start = () => {
    const time = fakeTime(1_000_400);
    const visibility = fakeVisibility();
    return { time, visibility, clock: createClock({ time, visibility }) };
  };

  test('has one timer, for the earliest of all that wait, and none if nobody waits', async () => {
    const { time, clock } = start();
    const woken: number[] = [];
    expect(time.pending()).toEqual([]);
    clock.wake(1010, () => woken.push(1010));
    clock.wake(1003, () => woken.push(1003));
    const cancel = clock.wake(1002, () => woken.push(1002));
    cancel();
    expect(time.pending()).toEqual([1_002_000]);
    await time.pass(3_000);
    expect(woken).toEqual([1003]);
    expect(time.pending()).toEqual([1_010_000]);
    await time.pass(60_000);
    expect(woken).toEqual([1003, 1010]);
    expect(time.pending()).toEqual([]);
  });

  test('wakes nobody while the window is hidden, and all who are due when it is shown', async () => {
    const { time, visibility, clock } = start();
    const woken: number[] = [];
    clock.wake(1005, () => woken.push(clock.now()));
    clock.wake(9999, () => woken.push(clock.now()));
    visibility.set(false);
    expect(time.pending()).toEqual([]);
    clock.wake(1006, () => woken.push(clock.now()));
    await time.pass(60_000);
    expect(woken).toEqual([]);
    visibility.set(true);
    expect(woken).toEqual([1060, 1060]);
    expect(time.pending()).toEqual([1_120_400]); // a minute, for a clock that is changed
  });

  test('waits for hours, with a timer a minute', async () => {
    const { time, clock } = start();
    let woken = 0;
    clock.wake(1000 + 6 * 3600, () => (woken += 1));
    await time.pass(5 * 3_600_000);
    expect(woken).toBe(0);
    expect(time.pending()).toHaveLength(1);
    await time.pass(3_600_000);
    expect(woken).toBe(1);
  });

  test.each([
    ['forward, or the computer slept', 8 * 3_600_000],
    ['back', -3_600_000],
  ])('wakes all within a minute when the time of day jumps %s', async (_how, by) => {
    const { time, clock } = start();
    const woken: number[] = [];
    for (const at of [1300, 50_000]) clock.wake(at, () => woken.push(clock.now()));
    await time.pass(30_000);
    time.jump(by);
    expect(woken).toEqual([]);
    await time.pass(30_000);
    expect(woken).toEqual([clock.now(), clock.now()]);
    // Once, and not for a correction of a second or two.
    clock.wake(clock.now() + 300, () => woken.push(clock.now()));
    time.jump(1500);
    await time.pass(120_000);
    expect(woken).toHaveLength(2);
  });

  test('wakes all within a minute when the time zone changes, and their times are in the new one', async () => {
    const { time, clock } = start();
    const said: string[] = [];
    const before = process.env['TZ'];
    const travelTo = (zone: string | undefined) => {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    };
    try {
      for (const [zone, text] of [
        ['Europe/Berlin', 'today 01:00:00'],
        ['America/New_York', 'today 19:00:00'],
      ] as const) {
        travelTo(zone);
        const end = clock.wake(clock.now() + 50_000, () => said.push(localTime(0, 12_000)));
        await time.pass(60_000);
        expect([said.pop(), localTime(0, 12_000), ownZone()]).toEqual([text, text, zone]);
        end();
      }
    } finally {
      travelTo(before);
      clock.wake(0, () => {});
      await time.pass(60_000);
    }
  });

  test('wakes at the time as well, after the computer slept before it', async () => {
    const { time, clock } = start();
    const woken: number[] = [];
    const at = clock.now() + 3600;
    clock.wake(at, () => woken.push(clock.now()));
    await time.pass(30_000);
    time.jump(300_000);
    await time.pass(30_000);
    expect(woken).toEqual([at - 3240]);
    await time.pass(3_300_000);
    expect(woken).toEqual([at - 3240, at]);
  });
});

test('a store tells of a value only when it is another one, and no more to who has left', () => {
  const store = createStore(1);
  let told = 0;
  const end = store.subscribe(() => {
    told += 1;
  });
  store.set(1);
  store.set(2);
  end();
  store.set(3);
  expect([told, store.get()]).toEqual([1, 3]);
});
