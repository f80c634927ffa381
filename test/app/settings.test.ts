import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { purposeOf, settingsAt } from '../../app/settings.ts';

let folder: string;
let now: number;
let atLogin: boolean;
let reports: number;
const loginStart = {
  isOn: () => atLogin,
  set(on: boolean) {
    atLogin = on;
  },
};
const settings = (feed: string | null = null) =>
  settingsAt(folder, {
    now: () => now,
    loginStart,
    feed: () => feed,
    onUnexpected: () => (reports += 1),
  });
const HOSTS = () => join(folder, 'contacted-hosts.json');
const form = (fields: Record<string, string>) => ({ body: new URLSearchParams(fields) });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenkeep-settings-'));
  now = 1_800_000_000_000;
  atLogin = false;
  reports = 0;
});

describe('the hosts that were contacted', () => {
  it('are listed with what for and when, also after a restart, and without anything secret', () => {
    const first = settings();
    first.contacted('https://id.example/.well-known/openid-configuration');
    first.contacted(
      'https://id.example/token',
      form({ grant_type: 'refresh_token', refresh_token: 'secret' }),
    );
    now += 60_000;
    first.contacted('https://other.example/revoke', form({ token: 'secret' }));
    const hosts = [
      { host: 'other.example', why: ['Revocation'], at: 1_800_000_060 },
      { host: 'id.example', why: ['Provider metadata', 'Refresh'], at: 1_800_000_000 },
    ];
    expect(first.read().hosts).toEqual(hosts);
    expect(settings().read().hosts).toEqual(hosts);
    expect(readFileSync(HOSTS(), 'utf8')).not.toContain('secret');
  });

  it('are not written again for each request', () => {
    const one = settings();
    const refresh = form({ grant_type: 'refresh_token' });
    one.contacted('https://id.example/token', refresh);
    const before = statSync(HOSTS()).ino;
    for (let index = 0; index < 10; index++) one.contacted('https://id.example/token', refresh);
    expect(statSync(HOSTS()).ino).toBe(before);
  });

  it('are not looked at for what the main process goes by, nor is the system’s entry', () => {
    const look = (): never => {
      throw new Error('looked at');
    };
    const one = settingsAt(folder, {
      now: () => now,
      loginStart: { isOn: look, set: look },
      feed: look,
      onUnexpected: look,
    });
    writeFileSync(HOSTS(), 'not read');
    expect(one.wants()).toMatchObject({ menuBar: false, notify: true, updates: true });
    expect(readFileSync(HOSTS(), 'utf8')).toBe('not read');
  });

  it('include the update server, whatever its address looks like', () => {
    const one = settings();
    one.contacted('https://updates.example/', {}, 'Updates');
    expect(one.read().hosts).toEqual([{ host: 'updates.example', why: ['Updates'], at: 1_800_000_000 }]);
  });

  it('never keep a request from being made', () => {
    const one = settings();
    writeFileSync(HOSTS(), 'not JSON');
    expect(() => one.contacted('no address')).not.toThrow();
    expect(() => one.contacted('https://id.example/token')).not.toThrow();
    expect(one.read().hosts).toHaveLength(1);
  });

  it.each([
    ['https://id.example/jwks', {}, 'Signature keys'],
    ['https://id.example/device', form({ client_id: 'app', scope: 'openid' }), 'Sign-in'],
    ['https://id.example/token', form({ grant_type: 'authorization_code' }), 'Sign-in'],
    ['https://id.example/token', { body: 'grant_type=refresh_token' }, 'Refresh'],
    ['https://id.example/any', {}, 'Other'],
  ])('%s: %o', (url, init, purpose) => {
    expect(purposeOf(url, init)).toBe(purpose);
  });
});

describe('the zones of the times', () => {
  it('are local until the user chooses, and are remembered', () => {
    expect(settings().read().times).toBe('local');
    for (const times of ['utc', 'both', 'local'] as const) {
      expect(settings().setTimes(times).times).toBe(times);
      expect(settings().read().times).toBe(times);
    }
    settings().setTimes('both');
    settings().setBackground({ menuBar: true });
    expect(settings().read()).toMatchObject({ times: 'both', menuBar: true });
  });

  it.each([
    [true, 'utc'],
    [false, 'local'],
  ])('are those of an earlier version, which knew only “UTC”: %s', (utc, times) => {
    writeFileSync(join(folder, 'settings.json'), JSON.stringify({ utc }));
    expect(settings().read()).toMatchObject({ times, menuBar: false, notify: true, updates: true });
  });
});

describe('updates', () => {
  it('are looked for until the user turns it off, at the host of the build', () => {
    expect(settings().read()).toMatchObject({ updates: true, updateHost: null });
    expect(settings('https://updates.example/tokenkeep').setUpdates(false)).toMatchObject({
      updates: false,
      updateHost: 'updates.example',
    });
    expect(settings().read().updates).toBe(false);
  });
});

describe('the start at login', () => {
  it('is as the system has it, also when the user changes it there', () => {
    const one = settings();
    expect(one.read().startAtLogin).toBe(false);
    expect(one.setStartAtLogin(true).startAtLogin).toBe(true);
    atLogin = false;
    expect(one.read().startAtLogin).toBe(false);
  });
});

describe('asking before a copy', () => {
  it('is every time until the user chooses otherwise, and is remembered', () => {
    expect(settings().read().asksRarely).toBe(false);
    expect(settings().setAsksRarely(true)).toMatchObject({ asksRarely: true, notify: true });
    expect(settings().read().asksRarely).toBe(true);
  });
});

describe('closing the vault when the user is away', () => {
  it('is off until the user wants it, is remembered, and keeps the other settings', () => {
    expect(settings().read().closeWhenAway).toBe(false);
    settings().setTimes('utc');
    expect(settings().setCloseWhenAway(true)).toMatchObject({ closeWhenAway: true, times: 'utc' });
    expect(settings().read()).toMatchObject({ closeWhenAway: true, times: 'utc' });
  });
});

it.each<[string, (file: string) => void]>([
  ['a folder', (file) => mkdirSync(file)],
  ['a pipe', (file) => execFileSync('mkfifo', [file])],
  ['a link to itself', (file) => symlinkSync(file, file)],
  ['a huge file', (file) => writeFileSync(file, ' '.repeat(20_000_000))],
])('%s in place of the settings: the defaults, without updates, and said once', (_what, put) => {
  const file = join(folder, 'settings.json');
  put(file);
  const one = settings();
  for (const wanted of [one.wants(), one.wants()])
    expect(wanted).toMatchObject({ menuBar: false, closeWhenAway: false, asksRarely: false, updates: false });
  expect(reports).toBe(1);
  expect(() => one.setAsksRarely(true)).toThrow('unchanged');
  rmSync(file, { recursive: true });
  one.setAsksRarely(true);
  expect(one.wants().asksRarely).toBe(true);
});
