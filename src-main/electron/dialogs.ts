/** Dialogs of the main process, which no script in the window can answer. */
import { join } from 'node:path';
import { app, BrowserWindow, dialog, type WebContents } from 'electron';
import { type UserGestures, userGestures } from '../ipc/user-gesture.ts';
import { plainQuestion, type Question } from '../ipc/questions.ts';

const gestures = new WeakMap<WebContents, UserGestures>();

/** Deliberate inputs; moving the mouse and scrolling don't count. */
const INPUTS: ReadonlySet<string> = new Set([
  'mouseDown',
  'mouseUp',
  'rawKeyDown',
  'keyDown',
  'char',
  'touchStart',
  'touchEnd',
  'gestureTap',
]);

/** Starts recording user input in a window. Called with every window that sends requests or receives events. */
export function watchInput(contents: WebContents): UserGestures {
  const known = gestures.get(contents);
  if (known !== undefined) return known;
  const fresh = userGestures(() => performance.now());
  gestures.set(contents, fresh);
  contents.on('input-event', (_event, { type }) => {
    if (INPUTS.has(type)) fresh.input();
  });
  return fresh;
}

/**
 * Consumes the user's last click or key press in a window. Call it before the main process opens something because the
 * window requested it, such as a page in the browser; `confirm` calls it itself.
 *
 * @throws QuestionError if there was no recent user input, so a script may have made the request
 *
 * @example
 * ```ts
 * import { shell, type WebContents } from 'electron';
 * import { useGesture } from 'tokenkeep/electron';
 *
 * async function openHelp(caller: WebContents): Promise<void> {
 *   useGesture(caller);
 *   await shell.openExternal('https://example.org/help');
 * }
 * ```
 */
export function useGesture(contents: WebContents): void {
  watchInput(contents).use();
}

/**
 * Counts a menu command as user input in the window that carries it out.
 *
 * @example
 * import { BrowserWindow, MenuItem } from 'electron';
 * import { noteGesture } from 'tokenkeep/electron';
 *
 * const item = new MenuItem({
 *   label: 'Export…',
 *   click: (_item, window) => {
 *     if (window instanceof BrowserWindow) noteGesture(window.webContents);
 *   },
 * });
 */
export function noteGesture(contents: WebContents): void {
  watchInput(contents).input();
}

/** Windows with an open dialog; each may have one. */
const asking = new WeakSet<WebContents>();

async function oneAtATime<T>(
  contents: WebContents,
  declined: T,
  ask: () => Promise<T>,
  follows = false,
): Promise<T> {
  if (asking.has(contents)) return declined;
  const gesture = watchInput(contents);
  if (!follows) gesture.use();
  asking.add(contents);
  try {
    const answer = await ask();
    gesture.answered(answer !== declined);
    return answer;
  } finally {
    asking.delete(contents);
  }
}

/**
 * Asks the user in a dialog of the main process, over the requesting window. Enter and Escape both mean no: a yes
 * takes a deliberate click. Also resolves to false if that window already has an open question.
 *
 * @param options.follows the question follows one that was just answered with yes, or a gesture that was
 *   used: it needs no new input
 * @param options.signal closes the dialog unanswered, which counts as no
 * @param options.onOption called if the user agreed and ticked the question's option
 * @throws QuestionError if there was no recent click or key press in the window, or the user has just declined
 *
 * @example
 * ```ts
 * import type { WebContents } from 'electron';
 * import { confirm } from 'tokenkeep/electron';
 *
 * const mayDelete = (caller: WebContents) =>
 *   confirm(caller, { message: 'Delete the draft?', detail: 'It can’t be restored.', yes: 'Delete' });
 * ```
 */
export async function confirm(
  contents: WebContents,
  question: Question,
  options: { follows?: boolean; signal?: AbortSignal; onOption?: () => void } = {},
): Promise<boolean> {
  const { follows, signal, onOption } = options;
  return oneAtATime(
    contents,
    false,
    async () => {
      const { agreed, ticked } = await showQuestion(contents, question, signal);
      if (agreed && ticked) onOption?.();
      return agreed;
    },
    follows,
  );
}

export async function chooseFile(contents: WebContents): Promise<string | null> {
  return oneAtATime(contents, null, () => showFiles(contents));
}

/** @param name the suggested file name, in the user's documents folder */
export async function chooseTarget(contents: WebContents, name: string): Promise<string | null> {
  return oneAtATime(contents, null, () => showTarget(contents, name));
}

async function showQuestion(
  contents: WebContents,
  question: Question,
  signal: AbortSignal | undefined,
): Promise<{ agreed: boolean; ticked: boolean }> {
  const { message, detail, yes, option } = plainQuestion(question);
  const options = {
    type: 'warning' as const,
    message,
    detail,
    buttons: [yes, 'Cancel'],
    defaultId: 1,
    cancelId: 1,
    noLink: true,
    ...(option !== undefined && { checkboxLabel: option }),
    ...(signal && { signal }),
  };
  const window = BrowserWindow.fromWebContents(contents);
  const { response, checkboxChecked } = await (window === null
    ? dialog.showMessageBox(options)
    : dialog.showMessageBox(window, options));
  return { agreed: response === 0, ticked: checkboxChecked };
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
