/** The window's page: its origin, its files, and the headers that restrict it. */
import { extname, join, normalize, sep } from 'node:path';

/** The scheme of the window's page. With `file://`, a page could read the whole disk. */
export const SCHEME = 'app';
export const ORIGIN = `${SCHEME}://tokenkeep`;
export const START_PAGE = `${ORIGIN}/`;

/** The page's policy. It is sent in headers, so that the page can't change it. Electron security checklist item 7. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  // Text never becomes markup or code: the browser refuses innerHTML and similar.
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
  // Without allow-modals: alert, confirm, prompt and print show nothing. Downloads and pop-ups are denied as well. Forms only report to the
  // page's scripts, see form-action.
  'sandbox allow-scripts allow-same-origin allow-forms',
].join('; ');

/** Every feature that a policy can deny in the supported versions of Chromium. The session denies those that need a permission as well. */
const DENIED_FEATURES = [
  'accelerometer',
  'attribution-reporting',
  'autoplay',
  'bluetooth',
  'browsing-topics',
  'camera',
  'clipboard-read',
  'clipboard-write',
  'compute-pressure',
  'cross-origin-isolated',
  'display-capture',
  'encrypted-media',
  'fullscreen',
  'gamepad',
  'geolocation',
  'gyroscope',
  'hid',
  'identity-credentials-get',
  'idle-detection',
  'interest-cohort',
  'join-ad-interest-group',
  'keyboard-map',
  'local-fonts',
  'magnetometer',
  'microphone',
  'midi',
  'otp-credentials',
  'payment',
  'picture-in-picture',
  'private-aggregation',
  'private-state-token-issuance',
  'private-state-token-redemption',
  'publickey-credentials-create',
  'publickey-credentials-get',
  'run-ad-auction',
  'screen-wake-lock',
  'serial',
  'shared-storage',
  'shared-storage-select-url',
  'storage-access',
  'sync-xhr',
  'unload',
  'usb',
  'window-management',
  'xr-spatial-tracking',
  // Client hints
  'ch-device-memory',
  'ch-downlink',
  'ch-dpr',
  'ch-ect',
  'ch-prefers-color-scheme',
  'ch-prefers-reduced-motion',
  'ch-prefers-reduced-transparency',
  'ch-rtt',
  'ch-save-data',
  'ch-ua',
  'ch-ua-arch',
  'ch-ua-bitness',
  'ch-ua-form-factors',
  'ch-ua-full-version',
  'ch-ua-full-version-list',
  'ch-ua-mobile',
  'ch-ua-model',
  'ch-ua-platform',
  'ch-ua-platform-version',
  'ch-ua-wow64',
  'ch-viewport-height',
  'ch-viewport-width',
  'ch-width',
];

export const CONTENT_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Permissions-Policy': DENIED_FEATURES.map((feature) => `${feature}=()`).join(', '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/**
 * Returns the file behind a URL; undefined for another host, for a file type that the window does not use, and for a path that leaves the
 * folder. The URL parser has resolved `..` and `%2e%2e` by then; it leaves `%2f` and `%5c`.
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
