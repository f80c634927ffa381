/** `app://tokenkeep/`: the built window and nothing else. Electron security checklist item 18. */
import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import { protocol, type Session } from 'electron';
import { CONTENT_HEADERS } from './content-policy.ts';
import { ORIGIN, SCHEME } from './origin.ts';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/** Before `ready`. Standard and secure: relative paths, an origin of its own, no mixed content. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/** Answers the scheme in one session with the files of one folder. */
export function servePage(session: Session, folder: string): void {
  session.protocol.handle(SCHEME, async (request) => {
    const file = request.method === 'GET' ? fileOf(request.url, folder) : undefined;
    if (file === undefined) return notFound();
    try {
      const content = await readFile(file.path);
      return new Response(new Uint8Array(content), {
        headers: { ...CONTENT_HEADERS, 'Content-Type': file.type },
      });
    } catch {
      return notFound(); // the folder is ours: what can't be read is not there
    }
  });
}

/**
 * The file behind a URL; undefined for another host, a kind of file that a window is not built of, or a path that
 * leaves the folder. The URL parser has resolved `..` and `%2e%2e` by now; `%2f` and `%5c` it leaves.
 */
export function fileOf(url: string, folder: string): { path: string; type: string } | undefined {
  let path: string;
  try {
    const { protocol: scheme, host, pathname } = new URL(url);
    if (`${scheme}//${host}` !== ORIGIN) return undefined;
    path = normalize(join(folder, decodeURIComponent(pathname === '/' ? '/index.html' : pathname)));
  } catch {
    return undefined;
  }
  const type = CONTENT_TYPES[extname(path)];
  if (type === undefined || path.includes('\0') || !path.startsWith(folder + sep)) return undefined;
  return { path, type };
}

function notFound(): Response {
  return new Response(null, { status: 404, headers: CONTENT_HEADERS });
}
