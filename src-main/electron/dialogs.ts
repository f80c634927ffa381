/** What the main process asks by itself, where no script of the window can answer for the user. */
import { join } from 'node:path';
import { app, BrowserWindow, dialog, type WebContents } from 'electron';
import type { Question } from '../ipc/questions.ts';

/** Windows with a question open. A page that asks again and again must not bury the user in dialogs. */
const asking = new WeakSet<WebContents>();

async function oneAtATime<T>(contents: WebContents, refused: T, ask: () => Promise<T>): Promise<T> {
  if (asking.has(contents)) return refused;
  asking.add(contents);
  try {
    return await ask();
  } finally {
    asking.delete(contents);
  }
}

/**
 * Asks the user in a dialog of the main process, over the window that wants to know. Enter and Escape both mean no: a yes
 * takes a deliberate click. False as well where that window has a question open already.
 */
export async function confirm(contents: WebContents, question: Question): Promise<boolean> {
  return oneAtATime(contents, false, () => showQuestion(contents, question));
}

export async function chooseFile(contents: WebContents): Promise<string | null> {
  return oneAtATime(contents, null, () => showFiles(contents));
}

/** @param name the one that is suggested, in the user's documents */
export async function chooseTarget(contents: WebContents, name: string): Promise<string | null> {
  return oneAtATime(contents, null, () => showTarget(contents, name));
}

async function showQuestion(contents: WebContents, { message, detail, yes }: Question): Promise<boolean> {
  const options = {
    type: 'warning' as const,
    message,
    detail,
    buttons: [yes, 'Cancel'],
    defaultId: 1,
    cancelId: 1,
    noLink: true,
  };
  const window = BrowserWindow.fromWebContents(contents);
  const { response } = await (window === null
    ? dialog.showMessageBox(options)
    : dialog.showMessageBox(window, options));
  return response === 0;
}

async function showFiles(contents: WebContents): Promise<string | null> {
  const options = {
    title: 'Import a cache document or an export',
    buttonLabel: 'Import',
    properties: ['openFile' as const],
    filters: [
      { name: 'Cache documents and exports', extensions: ['json', 'bin', 'cache', 'dat', 'age'] },
      { name: 'All files', extensions: ['*'] },
    ],
  };
  const window = BrowserWindow.fromWebContents(contents);
  const { canceled, filePaths } = await (window === null
    ? dialog.showOpenDialog(options)
    : dialog.showOpenDialog(window, options));
  return canceled ? null : (filePaths[0] ?? null);
}

async function showTarget(contents: WebContents, name: string): Promise<string | null> {
  const options = {
    title: 'Export all sign-ins',
    buttonLabel: 'Export',
    defaultPath: join(app.getPath('documents'), name),
    properties: ['createDirectory' as const, 'showOverwriteConfirmation' as const],
    filters: [{ name: 'Encrypted exports', extensions: ['age'] }],
  };
  const window = BrowserWindow.fromWebContents(contents);
  const { canceled, filePath } = await (window === null
    ? dialog.showSaveDialog(options)
    : dialog.showSaveDialog(window, options));
  return canceled || filePath === '' ? null : filePath;
}
