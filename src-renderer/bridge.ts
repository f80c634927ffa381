import type { AppBridge } from '../app/contract.ts';
import type { AccountList, FirstAccounts, Outcome, TokenCacheBridge } from '../src-main/ipc/contract.ts';
import type { Ports, Time, Visibility } from './state/ports.ts';

/** The only module that touches globals: the preload script's bridges, the clock, and the window's own events. */
declare global {
  interface Window {
    tokenCache?: TokenCacheBridge;
    app?: AppBridge;
  }
}

/** Returns null if the preload script has not run: the page is open in another program. */
export function openPorts(): Ports | null {
  const { tokenCache, app } = window;
  if (tokenCache === undefined || app === undefined) return null;
  return {
    tokenCache: { ...tokenCache, accounts: () => parsed<AccountList>(tokenCache.accountsText()) },
    firstAccounts: () => parsed<AccountList | FirstAccounts>(tokenCache.firstAccountsText()),
    app,
    time: systemTime,
    visibility: pageVisibility,
    random,
  };
}

/** Parses a list. Main sends lists as text, because the bridge copies objects one by one, which is slow with 10,000 accounts. */
async function parsed<T>(asked: Promise<Outcome<string>>): Promise<Outcome<T>> {
  const answer = await asked;
  return answer.ok ? { ok: true, value: JSON.parse(answer.value) as T } : answer;
}

export const systemTime: Time = {
  now: () => Date.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, Math.max(0, milliseconds));
    return () => clearTimeout(timer);
  },
  spent: () => performance.now(),
  turn: () => new Promise((resolve) => setTimeout(resolve)),
  drawn: () =>
    new Promise((resolve) => {
      // Changes are rendered in the next task at the latest, and drawn after the frame that follows.
      setTimeout(() => requestAnimationFrame(() => setTimeout(resolve)));
      setTimeout(resolve, 500);
    }),
};

export const pageVisibility: Visibility = {
  isVisible: () => document.visibilityState === 'visible',
  onChange(listener) {
    document.addEventListener('visibilitychange', listener);
    return () => document.removeEventListener('visibilitychange', listener);
  },
};

export const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));

/** Calls the listener when the window loses focus. Returns a function that unsubscribes. */
export function onLeave(listener: () => void): () => void {
  window.addEventListener('blur', listener);
  return () => window.removeEventListener('blur', listener);
}

/** Calls the listener for each key pressed in the window. Returns a function that unsubscribes. */
export function onKey(listener: (event: KeyboardEvent) => void): () => void {
  window.addEventListener('keydown', listener);
  return () => window.removeEventListener('keydown', listener);
}

/**
 * Calls the listener when the pointer's main button goes down in the window, and after the click with which its press ends. Returns a
 * function that unsubscribes.
 */
export function onPressed(listener: (isPressed: boolean) => void): () => void {
  // A move tells of a release that the window did not see, such as one in a menu of the system.
  const events = ['pointerdown', 'pointermove', 'pointerup', 'pointercancel'] as const;
  let isPressed = false;
  const read = ({ buttons }: PointerEvent) => {
    const isDown = (buttons & 1) === 1;
    if (isDown === isPressed) return;
    isPressed = isDown;
    if (isDown) listener(true);
    else setTimeout(() => listener(isPressed));
  };
  for (const event of events) window.addEventListener(event, read, { capture: true });
  return () => {
    for (const event of events) window.removeEventListener(event, read, { capture: true });
  };
}

/** Reports whether files are dragged over the window, and which files are dropped on it. */
export function onFiles(listeners: {
  over: (isOver: boolean) => void;
  drop: (files: File[]) => void;
  /** Text dropped outside a field. */
  text: (text: string) => unknown;
}): () => void {
  let depth = 0; // dragenter and dragleave fire for every element under the pointer
  const has = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true;
  const hasText = (event: DragEvent) => event.dataTransfer?.types.includes('text/plain') === true;
  const handlers = {
    dragenter: (event: DragEvent) => {
      if (!has(event)) return;
      event.preventDefault();
      depth += 1;
      if (depth === 1) listeners.over(true);
    },
    dragover: (event: DragEvent) => {
      if (!has(event) && isField(event.target)) return;
      // Otherwise Chromium would navigate to the file.
      event.preventDefault();
      if (event.dataTransfer !== null)
        event.dataTransfer.dropEffect = has(event) || hasText(event) ? 'copy' : 'none';
    },
    dragleave: (event: DragEvent) => {
      if (!has(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) listeners.over(false);
    },
    drop: (event: DragEvent) => {
      if (!has(event) && isField(event.target)) return; // the field takes it
      event.preventDefault();
      depth = 0;
      listeners.over(false);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length > 0) listeners.drop(files);
      else if (!isField(event.target)) listeners.text(event.dataTransfer?.getData('text/plain') ?? '');
    },
  };
  window.addEventListener('dragenter', handlers.dragenter);
  window.addEventListener('dragover', handlers.dragover);
  window.addEventListener('dragleave', handlers.dragleave);
  window.addEventListener('drop', handlers.drop);
  return () => {
    window.removeEventListener('dragenter', handlers.dragenter);
    window.removeEventListener('dragover', handlers.dragover);
    window.removeEventListener('dragleave', handlers.dragleave);
    window.removeEventListener('drop', handlers.drop);
  };
}

/**
 * Copies text that isn't secret, during a click or key press. Returns whether it was copied. The asynchronous clipboard API
 * needs a permission that the app grants to no page.
 */
export function copyText(text: string): boolean {
  let isGiven = false;
  // Not through a field: the list of 10,000 accounts would be laid out in it, which takes seconds.
  const give = (event: ClipboardEvent) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    event.clipboardData?.setData('text/plain', text);
    isGiven = event.clipboardData !== null;
  };
  document.addEventListener('copy', give, { capture: true });
  // oxlint-disable-next-line typescript/no-deprecated -- It needs no permission, and nothing replaces it here.
  const copied = document.execCommand('copy');
  document.removeEventListener('copy', give, { capture: true });
  return copied && isGiven;
}

/** Calls the listener with text that is pasted outside a field. Returns a function that unsubscribes. */
export function onPaste(listener: (text: string) => void): () => void {
  const paste = (event: ClipboardEvent) => {
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (isField(event.target) || text === '') return;
    event.preventDefault();
    listener(text);
  };
  window.addEventListener('paste', paste);
  return () => window.removeEventListener('paste', paste);
}

/** Opens the system's dialog for a file; null if none was chosen. */
export function chooseFile(): Promise<File | null> {
  const input = document.createElement('input');
  input.type = 'file';
  return new Promise((resolve) => {
    input.addEventListener('change', () => resolve(input.files?.[0] ?? null));
    input.addEventListener('cancel', () => resolve(null));
    input.click();
  });
}

/** Returns the text of a file: UTF-8, or UTF-16 with a byte order mark, as PowerShell writes it. */
export async function textIn(file: Blob): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const [first, second] = bytes;
  const isLittle = first === 0xff && second === 0xfe;
  const isBig = first === 0xfe && second === 0xff;
  return new TextDecoder(isLittle ? 'utf-16le' : isBig ? 'utf-16be' : 'utf-8').decode(bytes);
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}

export function reload(): void {
  window.location.reload();
}
