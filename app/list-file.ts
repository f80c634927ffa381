/** Saves a list of accounts, without tokens, as a file that the user chooses. */
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { app, BrowserWindow, dialog, type WebContents } from 'electron';
import { StorageError } from 'tokenkeep';
import { useGesture } from 'tokenkeep/electron';

/**
 * Asks where to save, in a dialog of the system.
 *
 * @param text CSV (RFC 4180)
 * @returns the file's name; null if the user dismissed the dialog
 * @throws QuestionError if the user did not just click or press a key in the window
 * @throws StorageError if the file can't be written
 */
export async function saveList(caller: WebContents, text: string): Promise<string | null> {
  useGesture(caller);
  const options = {
    title: 'Save the list of accounts',
    buttonLabel: 'Save',
    defaultPath: join(app.getPath('documents'), 'accounts.csv'),
    properties: ['createDirectory' as const, 'showOverwriteConfirmation' as const],
    filters: [{ name: 'CSV', extensions: ['csv'] }],
  };
  const window = BrowserWindow.fromWebContents(caller);
  const { canceled, filePath } = await (window === null
    ? dialog.showSaveDialog(options)
    : dialog.showSaveDialog(window, options));
  if (canceled || filePath === '') return null;
  try {
    await writeFile(filePath, text, { mode: 0o600 });
  } catch (cause) {
    const message = `The list could not be written to ${basename(filePath)}. Make sure that the folder can be written and the disk has room.`;
    throw new StorageError('storage_failed', message, { cause });
  }
  return basename(filePath);
}
