import { extname, join, normalize, sep } from 'node:path';
import { ORIGIN } from './origin.ts';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

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
