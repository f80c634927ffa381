/**
 * The window's session: in memory, without network, permissions or downloads. It serves `app://tokenkeep/`, the built
 * window and nothing else (Electron security checklist item 18).
 */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { app, type ProtocolResponse, protocol, type Session, session } from 'electron';
import { CONTENT_HEADERS, fileOf, ORIGIN, SCHEME, START_PAGE } from './page-file.ts';
import { GUARD, GUARD_PATH } from './page-guard.ts';

/**
 * Settings of Chromium's page engine, for every page of the process. They have to be set before `ready`.
 *
 * [Note: the window has no network] A page can reach the network by more than requests, and neither its policy nor `webRequest` sees
 * these ways. Each is blocked, and test/e2e/network.spec.ts tests them all at the socket:
 *
 * - `<link rel=dns-prefetch>` causes DNS lookups: disabled in the page engine.
 * - WebRTC sends UDP, connects to TURN servers over TCP, has names looked up and asks the local network for them: the page
 *   has none, see page-guard.ts. If it had WebRTC all the same, it could use nothing but a proxy, and the session's proxy is of a kind that
 *   Chromium does not speak, so it fails before a socket is opened.
 * - Everything else that asks for an address fails at the same proxy, after the policy and `webRequest`.
 */
export function restrictPages(): void {
  const settings = [
    'dnsPrefetchingEnabled=false',
    // Scripts can't read or write the clipboard; the user's own Copy and Paste still work.
    'DOMPasteAllowed=false',
    'javaScriptCanAccessClipboard=false',
  ];
  app.commandLine.appendSwitch('blink-settings', settings.join(','));
  // Every session, including Chromium's default one, would download dictionaries from Google.
  app.on('session-created', (created) => {
    created.setSpellCheckerEnabled(false);
    created.setSpellCheckerLanguages([]);
    created.setSpellCheckerDictionaryDownloadURL(`${ORIGIN}/`); // a download that has already begun gets nothing
  });
}

/** An unusable proxy: Chromium does not support QUIC proxies. Port 9 is `discard`, in case it ever does. */
const NO_WAY_OUT = {
  mode: 'fixed_servers',
  proxyRules: 'quic://127.0.0.1:9',
  proxyBypassRules: '<-loopback>',
} as const;

export interface ClosedSession {
  session: Session;
  /** Resolves once the session has no network. No page may be loaded before that. */
  closed: Promise<void>;
}

/**
 * Creates an in-memory session: without `persist:`, nothing that the page caches or stores reaches the disk.
 *
 * @param devTools also allows the pages of the developer tools; only in development
 */
export function closedSession(devTools: boolean): ClosedSession {
  const closed = session.fromPartition('window', { cache: false });
  closed.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  closed.setPermissionCheckHandler(() => false);
  closed.setDevicePermissionHandler(() => false);
  closed.on('will-download', (event) => event.preventDefault());
  // The CSP restricts the page; this blocks requests through a hole in the CSP or by Chromium itself.
  closed.webRequest.onBeforeRequest((request, answer) => {
    const url = request.url;
    const own = url.startsWith(START_PAGE) || (devTools && url.startsWith('devtools://'));
    answer({ cancel: !own });
  });
  return { session: closed, closed: closed.setProxy(NO_WAY_OUT) };
}

/** Electron security checklist items 12–14, for every page of the process, whoever opened it. */
export function holdPages(): void {
  app.on('web-contents-created', (_event, contents) => {
    contents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp'); // [Note: the window has no network]
    contents.on('will-frame-navigate', (event) => {
      // Reloading the same page is fine.
      if (!event.isMainFrame || event.url !== START_PAGE) event.preventDefault();
    });
    contents.on('will-redirect', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
    // By `beforeunload`, a script could keep the window, and so the app, from closing. Here, preventing it lets the window close.
    contents.on('will-prevent-unload', (event) => event.preventDefault());
  });
}

/** Call it before `ready`. A standard and secure scheme has relative paths, an origin of its own and no mixed content. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/** Files of the page by their path, read ahead. */
export type PageFiles = ReadonlyMap<string, Promise<Buffer>>;

/** Reads the page's files while Chromium starts: otherwise the first window would wait for them. */
export function readPageAhead(folder: string): PageFiles {
  const files = new Map<string, Promise<Buffer>>();
  for (const name of ['index.html', ...assetsIn(folder)]) {
    const path = join(folder, name);
    const content = readFile(path);
    content.catch(() => undefined); // reported to the request for the file
    files.set(path, content);
  }
  return files;
}

function assetsIn(folder: string): string[] {
  try {
    return readdirSync(join(folder, 'assets')).map((name) => join('assets', name));
  } catch {
    return []; // the installation is damaged; the window says so
  }
}

/**
 * Serves the files of a folder under the scheme in one session.
 *
 * @param ahead is used for the first window only, so that the files need not stay in memory
 */
export function servePage(session: Session, folder: string, { ahead }: { ahead: PageFiles }): void {
  const read = new Map(ahead);
  const contentOf = async (url: string): Promise<ProtocolResponse> => {
    if (new URL(url).pathname === GUARD_PATH) return found(Buffer.from(GUARD), SCRIPT);
    const file = fileOf(url, folder);
    if (file === undefined) return NOT_FOUND;
    try {
      const before = read.get(file.path);
      read.delete(file.path);
      const content = await (before ?? readFile(file.path));
      return found(
        file.type.startsWith('text/html') ? Buffer.from(guarded(content.toString())) : content,
        file.type,
      );
    } catch {
      return NOT_FOUND; // in the app's own folder, an unreadable file is treated as missing
    }
  };
  // `protocol.handle` answers with a `Response`, for which Node loads its whole HTTP client: 5% of the start time.
  // oxlint-disable-next-line typescript/no-deprecated -- Electron's only other way, and its tests would notice when it goes.
  session.protocol.registerBufferProtocol(SCHEME, ({ method, url }, respond) => {
    if (method === 'GET') void contentOf(url).then(respond);
    else respond(NOT_FOUND);
  });
}

const SCRIPT = 'text/javascript; charset=utf-8';

/** Returns the page with the guard script before all others. */
function guarded(page: string): string {
  return page.replace(/<head[^>]*>/i, (head) => `${head}<script src="${GUARD_PATH}"></script>`);
}

function found(data: Buffer, type: string): ProtocolResponse {
  return { statusCode: 200, headers: { ...CONTENT_HEADERS, 'Content-Type': type }, data };
}

const NOT_FOUND: ProtocolResponse = { statusCode: 404, headers: CONTENT_HEADERS, data: Buffer.alloc(0) };
