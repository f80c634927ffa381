/** The app's only window: sandboxed, isolated, and shown once its page is ready. */
import { BrowserWindow, nativeTheme, screen, type Session } from 'electron';
import { START_PAGE } from './page-file.ts';
import { type Place, readPlace, SMALLEST, writePlace } from './window-place.ts';

export interface WindowOptions {
  session: Session;
  /** Absolute path of the preload script, one CommonJS file. */
  preload: string;
  icon: string;
  /** The file that stores the window's position. */
  placeFile: string;
  devTools: boolean;
}

/** The page's background colors, so that the window does not flash before the page is drawn. */
const background = (): string => (nativeTheme.shouldUseDarkColors ? '#1b1c1c' : '#fbfbfa');

/** How often the page is loaded again in a minute after its process ended: one that ends at each start must not do so for ever. */
const MOST_RELOADS = 3;
const MINUTE = 60_000;

/** Creates the window. Its page is loaded by `loadPage`. */
export function createWindow({ session, preload, icon, placeFile, devTools }: WindowOptions): BrowserWindow {
  const place = readPlace(
    placeFile,
    screen.getAllDisplays().map((display) => display.workArea),
  );
  const window = new BrowserWindow({
    ...(place === null ? { width: 1280, height: 800 } : rectangleOf(place)),
    minWidth: SMALLEST.width,
    minHeight: SMALLEST.height,
    title: 'Tokenkeep',
    icon,
    show: false,
    backgroundColor: background(),
    webPreferences: {
      session,
      preload,
      devTools,
      // Electron's defaults, set explicitly in case they change. Checklist items 2–6.
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
      safeDialogs: true,
    },
  });

  const repaint = (): void => window.setBackgroundColor(background());
  nativeTheme.on('updated', repaint);
  window.once('closed', () => nativeTheme.off('updated', repaint));
  window.once('ready-to-show', () => {
    if (place?.maximized) window.maximize();
    window.show();
  });
  window.on('page-title-updated', (event) => event.preventDefault());
  // A script that moves or resizes the window would move the dialogs over it to where the user is about to click.
  window.webContents.on('content-bounds-updated', (event) => event.preventDefault());
  window.on('close', () => writePlace(placeFile, placeOf(window)));
  // Chromium goes to about:blank and about:srcdoc without asking anyone, and fails to load the latter. Nothing runs there, but the
  // window would stay empty.
  const goHome = (url: string): void => {
    if (url.startsWith('about:')) loadPage(window);
  };
  window.webContents.on('did-navigate', (_event, url) => goHome(url));
  window.webContents.on('did-fail-load', (_event, _code, _why, url, isMainFrame) => {
    if (isMainFrame) goHome(url);
  });
  // The page has no frames, see page-guard.ts. A frame that is created all the same is an attack, so the page is loaded anew.
  window.webContents.on('frame-created', (_event, { frame }) => {
    if (frame !== null && frame.parent !== null) loadPage(window);
  });
  let reloads: number[] = [];
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit' || window.isDestroyed()) return;
    const now = performance.now();
    reloads = reloads.filter((at) => now - at < MINUTE);
    if (reloads.push(now) > MOST_RELOADS) return;
    // Not `loadURL`, which starts no process in place of the one that ended.
    setImmediate(() => window.isDestroyed() || window.webContents.reload());
  });
  return window;
}

export function loadPage(window: BrowserWindow): void {
  void window.loadURL(START_PAGE);
}

/** Restores and focuses the window. A page that ended too often to be loaded again by itself is loaded now. */
export function bringToFront(window: BrowserWindow): void {
  if (window.webContents.isCrashed()) window.webContents.reload();
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}

function placeOf(window: BrowserWindow): Place {
  return { ...window.getNormalBounds(), maximized: window.isMaximized() };
}

function rectangleOf({ x, y, width, height }: Place): Omit<Place, 'maximized'> {
  return { x, y, width: Math.max(width, SMALLEST.width), height: Math.max(height, SMALLEST.height) };
}
