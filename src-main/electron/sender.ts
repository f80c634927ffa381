/** Validates the sender of all IPC messages. Electron security checklist item 17. */
import type { BrowserWindow, IpcMainInvokeEvent, WebContents, WebFrameMain } from 'electron';
import { FUNCTION, type Kind, type OptionNames } from '../options.ts';

/** A window, or the web contents of one; a view has web contents only. */
export type ServedWindow = BrowserWindow | WebContents;

/**
 * The trusted senders; others are refused.
 *
 * @example
 * import { BrowserWindow } from 'electron';
 * import type { Trusted } from 'tokenkeep/electron';
 *
 * const trusted: Trusted = { windows: () => BrowserWindow.getAllWindows(), origin: 'app://my-app' };
 */
export interface Trusted {
  /** The windows that are served. Called for every request and event, so a window may come and go; destroyed windows are skipped. */
  windows: () => readonly (ServedWindow | null | undefined)[];
  /** The exact origin of their pages, such as `app://tokenkeep`, or several. No wildcard, no prefix. */
  origin: string | readonly string[];
}

/** The origin of a page as Electron reports it. A wildcard, a path or `null`, the origin of a sandboxed frame, would match nothing or anything. */
const isOrigin = (value: unknown): boolean =>
  typeof value === 'string' && /^[a-z][a-z\d+.-]*:\/\/[^\s/?#*A-Z]*$/.test(value);
const ORIGIN: Kind = {
  is: (value) => isOrigin(value) || (Array.isArray(value) && value.length > 0 && value.every(isOrigin)),
  what: 'an origin such as `app://my-app`, in lower case and without a path, or a list of such',
};

/** The options that say who is trusted, for `checkOptions`. */
export const TRUSTED: OptionNames<Trusted> = { windows: FUNCTION, origin: ORIGIN };

/**
 * Whether a request comes from one of the windows, from its main frame, and from a page of the origin. A frame inside the
 * page, another window, a page that was navigated elsewhere and a frame that is gone (null) are refused.
 */
export function isTrusted(
  event: Pick<IpcMainInvokeEvent, 'sender' | 'senderFrame'>,
  { windows, origin }: Trusted,
): boolean {
  const frame = event.senderFrame;
  if (frame === null || frame.parent !== null) return false;
  return isOf(frame, origin) && contentsOf(windows()).includes(event.sender);
}

/** Whether a frame shows a page of one of the origins. */
export function isOf(frame: Pick<WebFrameMain, 'origin'>, origin: Trusted['origin']): boolean {
  return (typeof origin === 'string' ? [origin] : origin).includes(frame.origin);
}

/** The origin of a request's frame, for a message. A frame that is gone is null, or throws when a field is read. */
export function originOf(event: Pick<IpcMainInvokeEvent, 'senderFrame'>): string {
  try {
    return event.senderFrame?.origin ?? 'a frame that is gone';
  } catch {
    return 'a frame that is gone';
  }
}

/** The web contents of the windows that still exist. */
export function contentsOf(windows: readonly (ServedWindow | null | undefined)[]): WebContents[] {
  return windows.flatMap((window) => {
    if (window === null || window === undefined || window.isDestroyed()) return [];
    if (!('webContents' in window)) return [window];
    // A BrowserWindow that is being closed may have lost its contents before it is destroyed itself.
    const contents = window.webContents as WebContents | null;
    return contents === null || contents.isDestroyed() ? [] : [contents];
  });
}
