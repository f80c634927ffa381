/** The window's session: in memory, without network, permissions, downloads or a way out of its page. */
import { app, type Session, session } from 'electron';
import { START_PAGE } from './origin.ts';

/**
 * Without `persist:`, so that nothing the page does, caches or stores ever reaches the disk.
 *
 * @param devTools their own pages must load too; only in development.
 */
export function closedSession(devTools: boolean): Session {
  const closed = session.fromPartition('window', { cache: false });
  closed.setSpellCheckerEnabled(false); // it would fetch dictionaries
  closed.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  closed.setPermissionCheckHandler(() => false);
  closed.setDevicePermissionHandler(() => false);
  closed.on('will-download', (event) => event.preventDefault());
  // The CSP stops the page; this stops whatever a hole in the CSP, or Chromium itself, would fetch.
  closed.webRequest.onBeforeRequest((request, answer) => {
    const url = request.url;
    const own = url.startsWith(START_PAGE) || (devTools && url.startsWith('devtools://'));
    answer({ cancel: !own });
  });
  return closed;
}

/** Electron security checklist items 12–14, for every page of the process, whoever opened it. */
export function holdPages(): void {
  app.on('web-contents-created', (_event, contents) => {
    contents.on('will-frame-navigate', (event) => {
      // Loading the same page anew is fine.
      if (!event.isMainFrame || event.url !== START_PAGE) event.preventDefault();
    });
    contents.on('will-redirect', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  });
}
