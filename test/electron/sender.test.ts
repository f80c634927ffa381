import type { BrowserWindow, IpcMainInvokeEvent, WebContents } from 'electron';
import { describe, expect, it } from 'vitest';
import {
  contentsOf,
  isTrusted,
  originOf,
  type ServedWindow,
  TRUSTED,
} from '../../src-main/electron/sender.ts';
import { checkOptions } from '../../src-main/options.ts';

// Only the members of Electron's objects that are read here; the end-to-end tests use the real objects.
const contents = (id: number, gone = false) => ({ id, isDestroyed: () => gone }) as unknown as WebContents;
const own = contents(1);
const foreign = contents(2);
const frame = (origin: string, parent: object | null = null) =>
  ({ origin, parent }) as unknown as IpcMainInvokeEvent['senderFrame'];
const trusted = { windows: () => [own], origin: 'app://tokenkeep' };

it('is the main frame of an own window at the exact origin', () => {
  expect(isTrusted({ sender: own, senderFrame: frame('app://tokenkeep') }, trusted)).toBe(true);
});

it.each([
  ['another window', { sender: foreign, senderFrame: frame('app://tokenkeep') }],
  ['a frame inside', { sender: own, senderFrame: frame('app://tokenkeep', {}) }],
  ['a frame that is gone', { sender: own, senderFrame: null }],
  ['another origin', { sender: own, senderFrame: frame('https://tokenkeep') }],
  ['an origin that begins alike', { sender: own, senderFrame: frame('app://tokenkeep.example') }],
  ['a sandboxed frame', { sender: own, senderFrame: frame('null') }],
])('is not %s', (_what, event) => {
  expect(isTrusted(event, trusted)).toBe(false);
});

it('names the origin of a request, even if its frame is gone', () => {
  const disposed = {
    get origin(): string {
      throw new Error('Render frame was disposed before WebFrameMain could be accessed');
    },
  } as unknown as IpcMainInvokeEvent['senderFrame'];
  expect(originOf({ senderFrame: frame('https://other.example') })).toBe('https://other.example');
  expect(originOf({ senderFrame: null })).toBe('a frame that is gone');
  expect(originOf({ senderFrame: disposed })).toBe('a frame that is gone');
});

it('checks the current windows each time', () => {
  const windows = [own];
  const now = { windows: () => windows, origin: 'app://tokenkeep' };
  const event = { sender: own, senderFrame: frame('app://tokenkeep') };
  expect(isTrusted(event, now)).toBe(true);
  windows.pop();
  expect(isTrusted(event, now)).toBe(false);
});

it('accepts windows as well as their web contents, and skips destroyed ones', () => {
  const windowOf = (webContents: WebContents | null, gone = false) =>
    ({ webContents, isDestroyed: () => gone }) as unknown as BrowserWindow;
  const destroyed = {
    isDestroyed: () => true,
    get webContents(): WebContents {
      throw new TypeError('Object has been destroyed');
    },
  } as unknown as BrowserWindow;
  const windows: (ServedWindow | null | undefined)[] = [
    windowOf(own),
    destroyed,
    windowOf(null),
    windowOf(contents(3, true)),
    contents(4, true),
    null,
    undefined,
    foreign,
  ];
  expect(contentsOf(windows)).toEqual([own, foreign]);
  const event = { sender: own, senderFrame: frame('app://tokenkeep') };
  expect(isTrusted(event, { windows: () => windows, origin: ['app://other', 'app://tokenkeep'] })).toBe(true);
  expect(isTrusted(event, { windows: () => windows, origin: ['app://other'] })).toBe(false);
});

describe('who is trusted', () => {
  const check = (given: object) => () => checkOptions('serve', given as typeof trusted, TRUSTED);

  it.each([
    ['app://my-app'],
    ['https://localhost:8443'],
    ['file://'],
    ['http://[::1]:3000'],
    [['app://a', 'app://b']],
  ])('is given as an origin, such as %j', (origin) => {
    expect(check({ ...trusted, origin })).not.toThrow();
  });

  it.each([
    ['*'],
    ['app://*'],
    ['null'],
    ['app://my-app/'],
    ['app://my-app/index.html'],
    ['app://My-App'],
    ['my-app'],
    [''],
    [' app://my-app'],
    [[]],
    [['app://a', 'null']],
    [/app:/],
    [null],
  ])('is not given as %j, which no page has or any sandboxed frame', (origin) => {
    expect(check({ ...trusted, origin })).toThrow(expect.objectContaining({ field: 'origin' }) as Error);
  });

  it('is a function that returns windows, not a list of them', () => {
    expect(check({ ...trusted, windows: [own] })).toThrow(
      expect.objectContaining({ field: 'windows' }) as Error,
    );
  });
});
