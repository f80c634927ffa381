import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { desktopLoginStart, isOpenedAtLogin, systemLoginStart } from '../../app/login-start.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let file: string;

beforeEach(() => {
  file = join(temporaryFolder(), 'autostart', 'tokenkeep.desktop');
});

describe('the entry of a Linux desktop', () => {
  const value = (key: string): string =>
    new RegExp(`^${key}=(.*)$`, 'm').exec(readFileSync(file, 'utf8'))?.[1] ?? '';

  it('is written and removed, and does nothing once the app is removed', () => {
    const start = desktopLoginStart(file, ['/opt/Tokenkeep/tokenkeep']);
    expect(start.isOn()).toBe(false);
    start.set(true);
    expect(start.isOn()).toBe(true);
    expect(value('Exec')).toBe('/opt/Tokenkeep/tokenkeep --background');
    expect(value('TryExec')).toBe('/opt/Tokenkeep/tokenkeep');
    start.set(true);
    start.set(false);
    expect(existsSync(file)).toBe(false);
    start.set(false);
    expect(start.isOn()).toBe(false);
  });

  it.each(['Hidden=true', 'Hidden = True', 'X-GNOME-Autostart-enabled=false'])(
    'is off where the settings of a desktop wrote %s',
    (line) => {
      const start = desktopLoginStart(file, ['/usr/bin/tokenkeep']);
      start.set(true);
      writeFileSync(file, `${readFileSync(file, 'utf8').replace(/^X-.*\n/m, '')}${line}\n`);
      expect(start.isOn()).toBe(false);
      start.set(true);
      expect(start.isOn()).toBe(true);
    },
  );

  it('starts exactly this executable, whatever its path', () => {
    const executable = join(dirname(dirname(file)), 'a "b" $(touch x) `c` %U \\ é;', 'app');
    mkdirSync(dirname(executable), { recursive: true });
    writeFileSync(executable, '#!/bin/sh\nprintf %s "$*"\n');
    chmodSync(executable, 0o700);
    const start = desktopLoginStart(file, [executable, '/a b/main.cjs']);
    start.set(true);
    // Desktop Entry Specification: first the escapes of a string, then the quotes of an argument, then the field codes.
    const line = value('Exec').replaceAll('\\\\', '\\').replaceAll('%%', '%');
    // What is quoted there is quoted for a shell as well.
    expect(execFileSync('/bin/sh', ['-c', line], { encoding: 'utf8' })).toBe('/a b/main.cjs --background');
    expect(value('TryExec').replaceAll('\\\\', '\\')).toBe(executable);
  });

  it('has no second line where a path has a line break', () => {
    desktopLoginStart(file, ['/tmp/a\nHidden=true', 'x']).set(true);
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(7);
  });

  it('that can’t be written is a storage error', () => {
    writeFileSync(dirname(file), 'not a folder');
    const start = desktopLoginStart(file, ['/usr/bin/tokenkeep']);
    expect(() => start.set(true)).toThrow(/could not be saved and is unchanged/);
    expect(start.isOn()).toBe(false);
  });
});

describe('the login items of macOS and Windows', () => {
  let items = { openAtLogin: false, args: [] as string[] };
  let isEnabled = true;
  let wasOpenedAtLogin = false;
  const list = {
    getLoginItemSettings: ({ args }: { args: string[] }) => ({
      openAtLogin: items.openAtLogin && args.join() === items.args.join(),
      executableWillLaunchAtLogin: items.openAtLogin && isEnabled,
      wasOpenedAtLogin,
    }),
    setLoginItemSettings(to: typeof items) {
      items = to;
      isEnabled = true;
    },
  };

  it.each(['darwin', 'win32'] as const)('%s: are kept by the system', (platform) => {
    const start = systemLoginStart(platform, list);
    expect(start.isOn()).toBe(false);
    start.set(true);
    expect(start.isOn()).toBe(true);
    expect(items.args).toEqual(['--background']);
    start.set(false);
    expect(start.isOn()).toBe(false);
  });

  it('are off where the user disabled the entry in the Task Manager', () => {
    const start = systemLoginStart('win32', list);
    start.set(true);
    isEnabled = false;
    expect(start.isOn()).toBe(false);
    start.set(true);
    expect(start.isOn()).toBe(true);
  });

  it('start the app in the background on macOS, where the entry has no arguments', () => {
    expect(isOpenedAtLogin('darwin', list)).toBe(false);
    wasOpenedAtLogin = true;
    expect(isOpenedAtLogin('darwin', list)).toBe(true);
    expect(isOpenedAtLogin('win32', list)).toBe(false); // Electron tells it on macOS only
  });
});
