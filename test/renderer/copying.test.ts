import { afterEach, expect, test, vi } from 'vitest';
import { copyText } from '../../src-renderer/bridge.ts';

afterEach(() => void vi.unstubAllGlobals());

/** A document whose copy command fires the event, with or without a clipboard, and that can't make elements. */
function withDocument(
  isAllowed: boolean,
  clipboardData: { setData: (type: string, text: string) => void } | null,
) {
  const listeners = new Set<(event: unknown) => void>();
  let prevented = 0;
  const event = {
    clipboardData,
    preventDefault: () => void (prevented += 1),
    stopImmediatePropagation: () => undefined,
  };
  vi.stubGlobal('document', {
    addEventListener: (_type: string, listener: (event: unknown) => void) => listeners.add(listener),
    removeEventListener: (_type: string, listener: (event: unknown) => void) => listeners.delete(listener),
    execCommand: () => {
      if (isAllowed) for (const listener of listeners) listener(event);
      return isAllowed;
    },
  });
  return { listeners, prevented: () => prevented };
}

test('a text is given to the clipboard as it is, not laid out in a field, and the next copy is the user’s own', () => {
  const given: string[][] = [];
  const { listeners, prevented } = withDocument(true, { setData: (...all) => void given.push(all) });
  const text = 'a\tb\n'.repeat(100_000);
  expect(copyText(text)).toBe(true);
  expect(given).toEqual([['text/plain', text]]);
  expect(prevented()).toBe(1);
  expect(listeners.size).toBe(0);
});

test('a copy that the browser refuses is not told as done', () => {
  const { listeners } = withDocument(false, null);
  expect(copyText('text')).toBe(false);
  expect(listeners.size).toBe(0);
  withDocument(true, null);
  expect(copyText('text')).toBe(false);
});
