/** Saves a text without tokens, such as a list of accounts or a receipt, as a file that the user chooses. */
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { app, BrowserWindow, dialog, type WebContents } from 'electron';
import { StorageError } from 'tokenkeep';
import { useGesture } from 'tokenkeep/electron';
import type { AwayLock } from './away-lock.ts';

/** What is saved, for the system's dialog. */
interface Kind {
  title: string;
  /** The file's name in the dialog. */
  file: string;
  type: { name: string; extensions: string[] };
}

/** A list of accounts: CSV (RFC 4180). */
export const LIST: Kind = {
  title: 'Save the list of accounts',
  file: 'accounts.csv',
  type: { name: 'CSV', extensions: ['csv'] },
};

/** The receipt of a sign-out. */
export const RECEIPT: Kind = {
  title: 'Save the receipt',
  file: 'sign-out.txt',
  type: { name: 'Text', extensions: ['txt'] },
};

/**
 * Asks where to save, in a dialog of the system.
 *
 * @returns the file's name; null if the user dismissed the dialog
 * @throws QuestionError if the user did not just click or press a key in the window
 * @throws AwayError if the app was locked while the dialog was open
 * @throws StorageError if the file can't be written
 */
export async function saveText(
  caller: WebContents,
  text: string,
  { title, file, type }: Kind,
  { ifHere }: Pick<AwayLock, 'ifHere'>,
): Promise<string | null> {
  useGesture(caller);
  const options = {
    title,
    buttonLabel: 'Save',
    defaultPath: join(app.getPath('documents'), file),
    properties: ['createDirectory' as const, 'showOverwriteConfirmation' as const],
    filters: [type],
  };
  const window = BrowserWindow.fromWebContents(caller);
  const { canceled, filePath } = await ifHere(
    window === null ? dialog.showSaveDialog(options) : dialog.showSaveDialog(window, options),
  );
  if (canceled || filePath === '') return null;
  try {
    await writeFile(filePath, text, { mode: 0o600 });
  } catch (cause) {
    const message = `${basename(filePath)} could not be written. Make sure that the folder can be written and the disk has room.`;
    throw new StorageError('storage_failed', message, { cause });
  }
  return basename(filePath);
}
