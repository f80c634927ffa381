import type { AppBridge } from '../app/contract.ts';
import type { TokenCacheBridge } from '../src-main/ipc/contract.ts';
import type { Ports, Time } from './state/ports.ts';

/**
 * The window's only door out: what the preload script put there, the clock, and the few things that only the window
 * itself can tell or do. Nothing else in src-renderer touches a global.
 */
declare global {
  interface Window {
    tokenCache?: TokenCacheBridge;
    app?: AppBridge;
  }
}

/** null where the preload script has not run: the page was opened in something that is not Tokenkeep. */
export function openPorts(): Ports | null {
  const { tokenCache, app } = window;
  if (tokenCache === undefined || app === undefined) return null;
  return { tokenCache, app, time: systemTime, random };
}

export const systemTime: Time = {
  now: () => Date.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, Math.max(0, milliseconds));
    return () => clearTimeout(timer);
  },
};

export const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));

/** Calls whenever the user turns to another window. Returns the function that ends it. */
export function onLeave(listener: () => void): () => void {
  window.addEventListener('blur', listener);
  return () => window.removeEventListener('blur', listener);
}

/** Every key pressed anywhere in the window. Returns the function that ends it. */
export function onKey(listener: (event: KeyboardEvent) => void): () => void {
  window.addEventListener('keydown', listener);
  return () => window.removeEventListener('keydown', listener);
}

/** Files dragged over the window from outside: whether they are over it, and what was dropped. */
export function onFiles(listeners: {
  over: (isOver: boolean) => void;
  drop: (files: File[]) => void;
}): () => void {
  let depth = 0; // enter and leave are told of every element under the pointer
  const has = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true;
  const handlers = {
    dragenter: (event: DragEvent) => {
      if (!has(event)) return;
      event.preventDefault();
      depth += 1;
      if (depth === 1) listeners.over(true);
    },
    dragover: (event: DragEvent) => {
      // Without this the browser would open the file in place of the window.
      event.preventDefault();
      if (event.dataTransfer !== null) event.dataTransfer.dropEffect = has(event) ? 'copy' : 'none';
    },
    dragleave: (event: DragEvent) => {
      if (!has(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) listeners.over(false);
    },
    drop: (event: DragEvent) => {
      event.preventDefault();
      depth = 0;
      listeners.over(false);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length > 0) listeners.drop(files);
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

export function reload(): void {
  window.location.reload();
}
