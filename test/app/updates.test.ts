import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CancellationToken } from 'electron-updater';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { UpdateStatus } from '../../app/contract.ts';
import { UnsignedUpdateError } from '../../app/signed-updates.ts';
import {
  type Installed,
  isFromDeb,
  openUpdater,
  UpdatedError,
  updateFeed,
  type Updater,
  updates,
} from '../../app/updates.ts';
import {
  DocumentError,
  KeychainError,
  LockError,
  NativeCodeError,
  UnexpectedError,
} from '../../src-main/errors.ts';
import { settle } from '../../src-main/ipc/requests.ts';
import { updateLine } from '../../src-renderer/state/update.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

interface Fake extends Updater {
  asked: string[];
  /** What the installing comes to. */
  whenInstalling: () => void;
  /** What the server offers from now on. undefined: it does not answer. */
  offers: (version: string | null | undefined) => void;
  /** Emits an error, which is how electron-updater tells that the installing failed. */
  fail: (error: Error) => void;
  progress: (percent: number) => void;
}

function fakeUpdater(
  offered: string | null,
  download: () => Promise<readonly string[]> = () => Promise.resolve(['/a.deb']),
): Fake {
  const asked: string[] = [];
  const listeners = new Map<string, (value: never) => void>();
  let now: string | null | undefined = offered;
  return {
    asked,
    // What electron-updater begins with.
    autoDownload: true,
    autoInstallOnAppQuit: true,
    autoRunAppAfterInstall: true,
    allowDowngrade: true,
    disableWebInstaller: false,
    disableDifferentialDownload: false,
    logger: console,
    offers: (version) => (now = version),
    checkForUpdates: () => {
      asked.push('check');
      if (now === undefined) {
        const error = new Error('offline');
        listeners.get('error')?.(error as never); // electron-updater both rejects and emits it
        return Promise.reject(error);
      }
      return Promise.resolve({ isUpdateAvailable: now !== null, updateInfo: { version: now ?? '0.0.1' } });
    },
    downloadUpdate: () => {
      asked.push('download');
      return download();
    },
    quitAndInstall() {
      asked.push('install');
      this.whenInstalling();
    },
    whenInstalling: () => undefined,
    on: (event: string, listener: (value: never) => void) => listeners.set(event, listener),
    fail: (error) => listeners.get('error')?.(error as never),
    progress: (percent) => listeners.get('download-progress')?.({ percent } as never),
  };
}

async function begin(
  updater: (Updater & { asked?: string[] }) | null,
  verify: ((version: string, file: string) => Promise<void>) | null = null,
  isWanted = (): boolean => true,
  open: () => Updater | null = () => updater,
) {
  const told: UpdateStatus[] = [];
  const unexpected: unknown[] = [];
  const requests: string[] = [];
  const running = updates({
    isWanted,
    open: () => Promise.resolve(open()),
    verify,
    onRequest: () => requests.push('request'),
    onStatus: (status) => told.push(status),
    startAgain: () => updater?.asked?.push('start again'),
    restart: () => updater?.asked?.push('restart'),
    installed: () => null,
    onUnexpected: (error) => unexpected.push(error),
  });
  await new Promise(setImmediate);
  running.close();
  return { running, told, unexpected, requests };
}

describe('updates', () => {
  it('are announced, and nothing else happens', async () => {
    const updater = fakeUpdater('0.2.0');
    const { running, told } = await begin(updater);
    expect(told).toEqual([{ state: 'available', version: '0.2.0' }]);
    await running.install(); // nothing is downloaded yet
    expect(updater.asked).toEqual(['check']);
    expect(updater).toMatchObject({
      autoDownload: false,
      autoInstallOnAppQuit: false,
      allowDowngrade: false,
      disableDifferentialDownload: true, // it can't be cancelled
    });
    expect(updater.logger).toBeNull();
  });

  it('are not looked for where the user turned that off, and at once when it is on again', async () => {
    const updater = fakeUpdater('0.2.0');
    let wanted = false;
    const { running, told, requests } = await begin(updater, null, () => wanted);
    running.ask();
    await new Promise(setImmediate);
    expect([requests, told, updater.asked]).toEqual([[], [], []]);
    wanted = true;
    running.ask();
    await new Promise(setImmediate);
    expect(told).toEqual([{ state: 'available', version: '0.2.0' }]);
    expect(requests).toHaveLength(1);
  });

  it('are downloaded when the user says so, and installed when they say so again', async () => {
    const updater = fakeUpdater('0.2.0');
    const { running, told, requests } = await begin(updater);
    expect(requests).toHaveLength(1);
    await running.download();
    expect(requests).toHaveLength(3);
    expect(told.map(({ state }) => state)).toEqual(['available', 'downloading', 'ready']);
    expect(updater.asked).toEqual(['check', 'check', 'download']);
    expect(await running.install()).toBe(true);
    expect(updater.asked).toEqual(['check', 'check', 'download', 'install', 'start again']);
    expect(await running.install()).toBe(true);
    expect(updater.asked).toHaveLength(5); // once is enough
    expect(updater.autoRunAppAfterInstall).toBe(false);
  });

  it('report that the system did not install them, and can be tried again', async () => {
    const updater = fakeUpdater('0.2.0');
    const { running, told, unexpected } = await begin(updater);
    updater.fail(new Error('no network')); // looking rejects as well; this is not about installing
    expect(running.status.state).toBe('available');
    await running.download();
    const refuse = (): void => updater.fail(new Error('Command pkexec exited with code 126'));
    updater.whenInstalling = refuse; // before quitAndInstall returns, as on Linux
    expect(await running.install()).toBe(false);
    expect(told.at(-1)).toEqual({ state: 'refused', version: '0.2.0' });
    expect(unexpected).toHaveLength(1);
    await running.install();
    expect(updater.asked).toEqual(['check', 'check', 'download', 'install', 'install']);
    expect(told).toHaveLength(5);
    updater.whenInstalling = () => {
      throw new Error('the file is gone');
    };
    expect(await running.install()).toBe(false);
    expect(told.at(-1)).toEqual({ state: 'refused', version: '0.2.0' });
    updater.whenInstalling = () => undefined;
    expect(await running.install()).toBe(true);
    refuse(); // later, as on Windows
    expect(told.at(-1)).toEqual({ state: 'refused', version: '0.2.0' });
  });

  it('are installed once however often the button is pressed, and again if the user stopped the quit', async () => {
    const gate = gated();
    let check: Promise<void> = Promise.resolve();
    const updater = fakeUpdater('0.2.0');
    const { running } = await begin(updater, () => check);
    await running.download();
    check = gate.passed;
    const presses = [running.install(), running.install()];
    await settled();
    gate.open();
    expect(await Promise.all(presses)).toEqual([true, true]); // false would take back the consent to the quit
    expect(await running.install()).toBe(true);
    const installations = () => updater.asked.filter((what) => what === 'install');
    expect(installations()).toHaveLength(1);
    running.stays();
    expect(await running.install()).toBe(true);
    expect(installations()).toHaveLength(2);
    running.stays();
    updater.offers('0.3.0');
    running.ask();
    await settled();
    expect(running.status).toEqual({ state: 'available', version: '0.3.0' });
  });

  it('are not refused because a check fails that was on its way', async () => {
    const opened: Fake[] = [];
    const { running, told, unexpected } = await begin(
      null,
      null,
      () => true,
      () => {
        const updater = fakeUpdater('0.2.0');
        opened.push(updater);
        return updater;
      },
    );
    await running.download();
    const gate = gated();
    for (const updater of opened) {
      updater.offers(undefined);
      const check = updater.checkForUpdates.bind(updater);
      updater.checkForUpdates = () => gate.passed.then(check);
    }
    running.ask();
    expect(await running.install()).toBe(true);
    gate.open();
    await settled();
    expect(opened.flatMap(({ asked }) => asked)).toEqual(['check', 'check', 'download', 'install', 'check']);
    expect(told.at(-1)).toEqual({ state: 'ready', version: '0.2.0' });
    expect(unexpected).toEqual([]);
    opened.find(({ asked }) => asked.includes('install'))?.fail(new Error('the installer was not started'));
    expect(told.at(-1)).toEqual({ state: 'refused', version: '0.2.0' });
  });

  it('that can’t be downloaded change nothing, and can be tried again', async () => {
    let broken = true;
    const updater = fakeUpdater('0.2.0', () =>
      broken ? Promise.reject(new Error('cut off')) : Promise.resolve(['/a.deb']),
    );
    const { running, unexpected } = await begin(updater);
    await running.download();
    expect(running.status).toEqual({ state: 'failed', version: '0.2.0' });
    expect(unexpected).toHaveLength(1);
    await running.install();
    expect(updater.asked).not.toContain('install');
    broken = false;
    await running.download();
    expect(running.status.state).toBe('ready');
  });

  it('that the publisher did not sign are reported and never installed, also if they are changed later', async () => {
    const updater = fakeUpdater('0.2.0');
    const verified: string[] = [];
    let isSigned = true;
    const { running } = await begin(updater, (version, file) => {
      verified.push(`${version} ${file}`);
      return isSigned ? Promise.resolve() : Promise.reject(new UnsignedUpdateError('It is another file.'));
    });
    await running.download();
    expect(running.status.state).toBe('ready');
    isSigned = false; // replaced on the disk
    await running.install();
    expect(running.status).toEqual({ state: 'unsigned', version: '0.2.0' });
    expect(verified).toEqual(['0.2.0 /a.deb', '0.2.0 /a.deb']);
    expect(await running.install()).toBe(false);
    expect(updater.asked).toEqual(['check', 'check', 'download']);
    isSigned = true;
    await running.download();
    expect(running.status.state).toBe('ready');
  });

  it('that are not the publisher’s are looked for again', async () => {
    const { running } = await begin(fakeUpdater('0.2.0'), () =>
      Promise.reject(new UnsignedUpdateError('The signed feed is missing.')),
    );
    await running.download();
    expect(running.status.state).toBe('unsigned');
    running.ask();
    await expect.poll(() => running.status.state).toBe('available');
  });

  it('without a downloaded file do not count as verified', async () => {
    const { running } = await begin(
      fakeUpdater('0.2.0', () => Promise.resolve([])),
      () => Promise.resolve(),
    );
    await running.download();
    expect(running.status.state).toBe('failed');
  });

  it.each([
    ['there is none', fakeUpdater(null)],
    ['the build looks for none', null],
    [
      'there is no network',
      { ...fakeUpdater('0.2.0'), checkForUpdates: () => Promise.reject(new Error('offline')) },
    ],
  ])('are not spoken of where %s', async (_where, updater) => {
    const { running, told, unexpected } = await begin(updater);
    expect([running.status, told, unexpected]).toEqual([{ state: 'none' }, [], []]);
  });
});

const VERSION = '0.2.0';
type WithVersion = Exclude<UpdateStatus, { state: 'none' | 'restart' }>['state'];

/** Brings the updates into a state; `leave` ends a download that is under way. */
const REACHED: Readonly<Record<WithVersion, () => Promise<Reached>>> = {
  available: () => reached(() => Promise.resolve()),
  downloading: async () => {
    const gate = gated();
    const there = await reached(() => Promise.resolve(), {
      download: () => gate.passed.then(() => ['/a.deb']),
    });
    const ended = there.running.download();
    await settled();
    return { ...there, leave: () => (gate.open(), ended) };
  },
  ready: () => reached(({ running }) => running.download()),
  failed: () =>
    reached(({ running }) => running.download(), {
      verify: () => Promise.reject(new Error('The signed feed is for another version.')),
    }),
  unsigned: () =>
    reached(({ running }) => running.download(), {
      verify: () => Promise.reject(new UnsignedUpdateError('It is another file.')),
    }),
  refused: () =>
    reached(async ({ running, updater }) => {
      updater.whenInstalling = () => updater.fail(new Error('pkexec exited with code 126'));
      await running.download();
      await running.install();
    }),
};

interface Reached {
  running: Awaited<ReturnType<typeof begin>>['running'];
  updater: Fake;
  /** Signatures are valid from now on. */
  heal: () => void;
  leave: () => Promise<void>;
}

async function reached(
  go: (there: Pick<Reached, 'running' | 'updater'>) => Promise<void>,
  {
    download,
    verify = () => Promise.resolve(),
  }: { download?: () => Promise<readonly string[]>; verify?: () => Promise<void> } = {},
): Promise<Reached> {
  const updater = fakeUpdater(VERSION, download);
  let check = verify;
  const { running } = await begin(updater, () => check());
  await go({ running, updater });
  return {
    running,
    updater,
    heal: () => (check = () => Promise.resolve()),
    leave: () => Promise.resolve(),
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe.each(Object.keys(REACHED) as WithVersion[])('in state %s,', (state) => {
  const answers: [string, string | null | undefined][] = [
    ['a newer release', '0.3.0'],
    ['an older one, in place of one that was taken back', '0.1.5'],
    ['the same one', VERSION],
    ['none, because the release was taken back', null],
    ['nothing, because there is no network', undefined],
  ];
  it.each(answers)('the daily check finds %s', async (_what, offered) => {
    const { running, updater, leave } = await REACHED[state]();
    expect(running.status).toMatchObject({ state, version: VERSION });
    updater.offers(offered);
    running.ask();
    await settled();
    const same = { state: state === 'unsigned' ? 'available' : state, version: VERSION };
    if (state === 'downloading') expect(running.status.state).toBe(state);
    else if (offered === undefined) expect(running.status).toEqual({ state, version: VERSION });
    else if (offered === null) expect(running.status).toEqual({ state: 'none' });
    else if (offered === VERSION) expect(running.status).toEqual(same);
    else expect(running.status).toEqual({ state: 'available', version: offered });
    await leave();
  });

  it.each(answers)(
    'and the server offers %s, the button or the time leads to an installation or to nothing',
    async (_what, offered) => {
      const { running, updater, heal, leave } = await REACHED[state]();
      updater.offers(offered);
      updater.whenInstalling = () => undefined;
      heal();
      await leave();
      for (let step = 0; step < 3 && running.status.state !== 'none'; step += 1) {
        expect(updateLine(running.status)?.action).not.toBeNull();
        if (running.status.state === 'ready' || running.status.state === 'refused') {
          expect(await running.install()).toBe(true);
          return;
        }
        await running.download();
      }
      expect(running.status.state).toBe('none');
      expect(offered).toBeNull();
    },
  );
});

describe('a check that is answered late', () => {
  it('does not interrupt a download that was begun meanwhile', async () => {
    const updater = fakeUpdater('0.2.0');
    const { running, told } = await begin(updater);
    const gate = gated();
    const check = updater.checkForUpdates.bind(updater);
    updater.checkForUpdates = () => gate.passed.then(check);
    running.ask();
    const downloaded = running.download();
    gate.open();
    await downloaded;
    await settled();
    expect(told.map(({ state }) => state)).toEqual(['available', 'downloading', 'ready']);
  });

  it('does not make an installation that is under way a refused one', async () => {
    const updater = fakeUpdater('0.2.0');
    const { running, told } = await begin(updater);
    await running.download();
    updater.offers(undefined);
    running.ask();
    await settled();
    expect(told.at(-1)).toEqual({ state: 'ready', version: '0.2.0' });
    expect(await running.install()).toBe(true);
    updater.offers('0.3.0');
    running.ask();
    await settled();
    expect(running.status).toEqual({ state: 'ready', version: '0.2.0' });
  });
});

describe('a server that falls silent', () => {
  afterEach(() => void vi.useRealTimers());
  const forever = new Promise<never>(() => undefined);

  it('does not hold a download, which can be tried again', async () => {
    const updater = fakeUpdater('0.2.0');
    const downloadUpdate = updater.downloadUpdate.bind(updater);
    const { running } = await begin(updater);
    vi.useFakeTimers();
    const given: CancellationToken[] = [];
    updater.downloadUpdate = (cancellation) => {
      given.push(cancellation);
      return forever;
    };
    const downloaded = running.download();
    await vi.waitUntil(() => given.length > 0);
    for (const percent of [1, 2]) {
      await vi.advanceTimersByTimeAsync(59_000);
      updater.progress(percent);
    }
    await vi.advanceTimersByTimeAsync(59_000);
    expect(running.status).toEqual({ state: 'downloading', version: '0.2.0', percent: 2 });
    expect(given[0]?.cancelled).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    await downloaded;
    expect(running.status.state).toBe('failed');
    expect(given[0]?.cancelled).toBe(true);
    updater.downloadUpdate = downloadUpdate;
    await running.download();
    expect(running.status.state).toBe('ready');
  });

  it('has ten minutes for a download whose progress is never reported', async () => {
    const updater = fakeUpdater('0.2.0');
    const { running } = await begin(updater);
    vi.useFakeTimers();
    const gate = gated();
    for (const download of [gate.passed.then(() => ['/a.deb']), forever]) {
      let isAsked = false;
      updater.downloadUpdate = () => {
        isAsked = true;
        return download;
      };
      const ended = running.download();
      await vi.waitUntil(() => isAsked);
      await vi.advanceTimersByTimeAsync(9 * 60_000);
      expect(running.status.state).toBe('downloading');
      if (download === forever) await vi.advanceTimersByTimeAsync(2 * 60_000);
      else gate.open();
      await ended;
      expect(running.status.state).toBe(download === forever ? 'failed' : 'ready');
      updater.offers('0.3.0');
      running.ask();
      await vi.advanceTimersByTimeAsync(0);
    }
  });

  it('does not hold the checks that come later', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const hanging = fakeUpdater('0.2.0');
    hanging.checkForUpdates = () => forever; // electron-updater makes each further check join it
    const opened: Updater[] = [hanging, fakeUpdater('0.2.0')];
    const { running } = await begin(
      null,
      null,
      () => true,
      () => opened.shift() ?? null,
    );
    expect(running.status.state).toBe('none');
    await vi.advanceTimersByTimeAsync(61_000);
    running.ask();
    await settled();
    expect(running.status).toEqual({ state: 'available', version: '0.2.0' });
  });

  it('does not hold a check: what was offered is downloaded', async () => {
    const updater = fakeUpdater('0.2.0');
    const { running } = await begin(updater);
    vi.useFakeTimers();
    updater.checkForUpdates = () => forever;
    const downloaded = running.download();
    await vi.advanceTimersByTimeAsync(61_000);
    await downloaded;
    expect(running.status.state).toBe('ready');
  });
});

describe('an update that something else installed', () => {
  it('is noticed on focus, announced once, and finished by a restart', async () => {
    const told: UpdateStatus[] = [];
    const restarts: string[] = [];
    let onDisk: string | null = 'one';
    const running = updates({
      isWanted: () => true,
      open: () => Promise.resolve(null),
      verify: null,
      onRequest: () => undefined,
      onStatus: (status) => told.push(status),
      startAgain: null,
      restart: () => restarts.push('restart'),
      installed: () => onDisk,
      onUnexpected: () => undefined,
    });
    running.look();
    onDisk = null; // in the middle of it
    running.look();
    expect(told).toEqual([]);
    onDisk = 'two';
    running.look();
    running.look();
    expect(told).toEqual([{ state: 'restart' }]);
    expect(running.status).toEqual({ state: 'restart' });
    await running.install();
    expect(restarts).toEqual(['restart']);
    running.close();
  });
});

function gated(): { passed: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open: () => open() };
}

describe('an update that something else installed meanwhile', () => {
  /** The app on disk is replaced, and the window is focused. */
  const replacedWhile = (verified: () => Promise<void>, download = verified) => {
    let onDisk = 'one';
    const told: UpdateStatus[] = [];
    const restarts: string[] = [];
    const updater = fakeUpdater('0.2.0', () => download().then(() => ['/a.deb']));
    const running = updates({
      isWanted: () => true,
      open: () => Promise.resolve(updater),
      verify: verified,
      onRequest: () => undefined,
      onStatus: (status) => told.push(status),
      startAgain: () => undefined,
      restart: () => restarts.push('restart'),
      installed: () => onDisk,
      onUnexpected: () => undefined,
    });
    const replace = (): void => {
      onDisk = 'two';
      running.look();
      onDisk = 'three'; // A status that is told once stays told once.
      running.look();
    };
    return { running, updater, told, restarts, replace, replaceQuietly: () => void (onDisk = 'two') };
  };
  const ends: [string, () => Promise<void>][] = [
    ['ends', () => Promise.resolve()],
    ['fails', () => Promise.reject(new Error('offline'))],
  ];

  it.each(ends)('is still to be finished when a download %s', async (_how, end) => {
    const gate = gated();
    const { running, told, restarts, replace } = replacedWhile(
      () => Promise.resolve(),
      () => gate.passed.then(end),
    );
    await new Promise(setImmediate);
    const downloaded = running.download();
    replace();
    gate.open();
    await downloaded;
    expect(running.status).toEqual({ state: 'restart' });
    expect(told.filter(({ state }) => state === 'restart')).toHaveLength(1);
    await running.install();
    expect(restarts).toEqual(['restart']);
    running.close();
  });

  it.each(ends)('is finished in place of an installation whose check %s', async (_how, end) => {
    let check: Promise<void> = Promise.resolve();
    const { running, updater, restarts, replace } = replacedWhile(
      () => check,
      () => Promise.resolve(),
    );
    await new Promise(setImmediate);
    await running.download();
    const gate = gated();
    check = gate.passed.then(end);
    const installed = running.install();
    replace();
    gate.open();
    await installed;
    expect(restarts).toEqual(['restart']);
    expect(updater.asked).not.toContain('install');
    expect(running.status).toEqual({ state: 'restart' });
    running.close();
  });

  it('is to be finished where the installer replaced the app and then failed', async () => {
    const { running, updater, told, restarts, replaceQuietly } = replacedWhile(() => Promise.resolve());
    await new Promise(setImmediate);
    await running.download();
    updater.whenInstalling = () => {
      replaceQuietly();
      updater.fail(new Error('Command dpkg exited with code 1'));
    };
    expect(await running.install()).toBe(false);
    expect(told.at(-1)).toEqual({ state: 'restart' });
    expect(updater.asked).not.toContain('start again');
    expect(await running.install()).toBe(true);
    expect(restarts).toEqual(['restart']);
    running.close();
  });

  it('is finished by the button although an installation has begun', async () => {
    const { running, restarts, replace } = replacedWhile(() => Promise.resolve());
    await new Promise(setImmediate);
    await running.download();
    expect(await running.install()).toBe(true);
    replace();
    expect(await running.install()).toBe(true);
    expect(restarts).toEqual(['restart']);
    running.close();
  });

  it('is still to be finished when the update server answers', async () => {
    const { running, told, replace } = replacedWhile(() => Promise.resolve());
    replace(); // before the first answer
    await new Promise(setImmediate);
    expect(told).toEqual([{ state: 'restart' }]);
    running.close();
  });
});

describe('a request that fails after an upgrade in place', () => {
  const begun = (onDisk: { value: string | null }, told: UpdateStatus[] = []) =>
    updates({
      isWanted: () => true,
      open: () => Promise.resolve(null),
      verify: null,
      onRequest: () => undefined,
      onStatus: (status) => told.push(status),
      startAgain: null,
      restart: () => undefined,
      installed: () => onDisk.value,
      onUnexpected: () => undefined,
    });
  const failures: [string, Error][] = [
    ['a chunk that is gone', new Error('Cannot find module ./chunk.js')],
    ['the module for exports', new UnexpectedError('can’t be loaded')],
    ['the lock module', new LockError('lock_module_failed', '/lock', 'can’t be loaded')],
    ['the lock module, missing', new LockError('lock_module_missing', '/lock', 'is not there')],
    ['the keychain module', new KeychainError('keychain_module_failed', 'can’t be loaded')],
    ['a native module of the other version', new NativeCodeError('differs')],
  ];
  const sentence = updateLine({ state: 'restart' })?.text ?? 'none';

  it.each(failures)('refuses with the sentence of the update line: %s', async (_what, failure) => {
    for (const next of ['two', null]) {
      const onDisk: { value: string | null } = { value: 'one' };
      const told: UpdateStatus[] = [];
      const running = begun(onDisk, told);
      expect(running.explain(failure)).toBe(failure);
      onDisk.value = next;
      const outcome = await settle(() => Promise.reject(failure), undefined, running.explain);
      expect(outcome).toMatchObject({ ok: false, error: { code: 'update_unfinished' } });
      expect(outcome.ok ? '' : outcome.error.message).toMatch(new RegExp(`^${sentence}\\. `));
      // It is noticed there and then, without a focus.
      expect(told).toEqual(next === null ? [] : [{ state: 'restart' }]);
      running.close();
    }
  });

  it('keeps the message of an error that no update causes', () => {
    const onDisk: { value: string | null } = { value: 'one' };
    const running = begun(onDisk);
    onDisk.value = 'two';
    const own = new DocumentError('document_not_json', 'not JSON');
    expect(running.explain(own)).toBe(own);
    expect(new UpdatedError(own).cause).toBe(own);
    running.close();
  });
});

describe('where updates come from', () => {
  let resources: string;
  beforeEach(() => {
    resources = temporaryFolder();
  });
  const [appImage, deb, mac, windows] = [
    fakeUpdater(null),
    fakeUpdater(null),
    fakeUpdater(null),
    fakeUpdater(null),
  ];
  const making = (made: Updater) =>
    function () {
      return made;
    } as unknown as new () => Updater;
  const updaters = () =>
    Promise.resolve({
      AppImageUpdater: making(appImage),
      DebUpdater: making(deb),
      MacUpdater: making(mac),
      NsisUpdater: making(windows),
    });
  const configuration = (text: string): void => writeFileSync(join(resources, 'app-update.yml'), text);
  const URL = 'https://updates.example/';
  const of = (changes: Partial<Installed>): Installed => ({
    platform: 'linux',
    resources,
    updatesKey: 'key',
    appImage: false,
    deb: () => Promise.resolve(false),
    ...changes,
  });

  it('on Linux: the deb and the AppImage, each updated as what it is; a tar.gz, or a build without a key, is not', async () => {
    configuration(`provider: generic\nurl: ${URL}\n`);
    writeFileSync(join(resources, 'package-type'), 'deb'); // also in an AppImage and a tar.gz built together with a deb
    expect(await updateFeed(of({ deb: () => Promise.resolve(true) }))).toBe(URL);
    expect(await updateFeed(of({ appImage: true }))).toBe(URL);
    expect(await openUpdater(of({ appImage: true }), updaters)).toBe(appImage);
    expect(await openUpdater(of({ deb: () => Promise.resolve(true) }), updaters)).toBe(deb);
    expect(await updateFeed(of({}))).toBeNull();
    expect(await updateFeed(of({ appImage: true, updatesKey: null }))).toBeNull();
  });

  it('on Windows: only a build whose publisher is known', async () => {
    configuration(`url: '${URL}'\n`);
    expect(await updateFeed(of({ platform: 'win32' }))).toBeNull();
    configuration(`url: '${URL}'\npublisherName:\n  - Ada\n`);
    expect(await updateFeed(of({ platform: 'win32' }))).toBe(URL);
    expect(await openUpdater(of({ platform: 'win32' }), updaters)).toBe(windows);
    expect(await openUpdater(of({ platform: 'darwin' }), updaters)).toBe(mac);
    expect(await updateFeed(of({ platform: 'darwin' }))).toBe(URL);
    expect(await updateFeed(of({ platform: 'darwin', resources: null }))).toBeNull();
  });

  it.runIf(process.platform === 'linux')(
    'only a program that dpkg installed counts as from a deb',
    async () => {
      expect(await isFromDeb('/usr/bin/dpkg')).toBe(true);
      expect(await isFromDeb(process.argv[1] ?? '')).toBe(false);
    },
  );
});
