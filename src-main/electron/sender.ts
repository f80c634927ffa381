/** Who may ask. Electron security checklist item 17: validate the sender of all IPC messages. */
import type { IpcMainInvokeEvent, WebContents } from 'electron';

/** Who may ask: anyone else gets nothing. */
export interface Trusted {
  /** The windows that are served. Read at every call, so a window may come and go. */
  windows: () => readonly WebContents[];
  /** The exact origin of their pages, such as `app://tokenkeep`. No wildcard, no prefix. */
  origin: string;
}

/**
 * One of the windows, its main frame, and the page that was meant: a frame inside the page, another window or a page
 * that got navigated elsewhere is refused. A frame that is gone by now (null) is refused too.
 */
export function isTrusted(
  event: Pick<IpcMainInvokeEvent, 'sender' | 'senderFrame'>,
  { windows, origin }: Trusted,
): boolean {
  const frame = event.senderFrame;
  return (
    frame !== null && frame.parent === null && frame.origin === origin && windows().includes(event.sender)
  );
}
