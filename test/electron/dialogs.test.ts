import type { MessageBoxOptions, WebContents } from 'electron';
import { beforeEach, expect, it, vi } from 'vitest';
import { confirm, noteGesture } from '../../src-main/electron/dialogs.ts';

const shown: MessageBoxOptions[] = [];
vi.mock('electron', () => ({
  BrowserWindow: { fromWebContents: () => null },
  dialog: {
    showMessageBox: (options: MessageBoxOptions) => {
      shown.push(options);
      return Promise.resolve({ response: 0, checkboxChecked: false });
    },
  },
}));

/** A window in which the user has just clicked. */
function clicked(): WebContents {
  const contents = { on: () => undefined } as unknown as WebContents;
  noteGesture(contents);
  return contents;
}

beforeEach(() => {
  shown.length = 0;
});

it('shows no question whose text a foreign name could turn around, or add a line to', async () => {
  const name = 'ada\u202E\u2066\u200B@contoso.example\r\n\u0000\u001B[31mNothing is sent.\u2028';
  const question = { message: `Refresh ${name}?`, detail: `Account: ${name}\n\nIt expires.`, yes: 'Refresh' };
  expect(await confirm(clicked(), question)).toBe(true);
  const [{ message, detail = '' } = { message: '' }] = shown;
  expect(message).toContain('ada');
  expect(message).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  // Line breaks of the app's own text are kept.
  expect(detail).toContain('\n\nIt expires.');
  expect(detail.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
});

it('makes No the default, and asks once for each click', async () => {
  const contents = clicked();
  const question = { message: 'Show this token?', detail: '', yes: 'Show' };
  expect(await confirm(contents, question)).toBe(true);
  await expect(confirm(contents, question)).rejects.toMatchObject({ name: 'QuestionError' });
  expect(shown).toEqual([
    expect.objectContaining({ buttons: ['Show', 'Cancel'], defaultId: 1, cancelId: 1 }),
  ]);
});
