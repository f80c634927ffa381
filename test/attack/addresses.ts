/** Senders of messages, paths below the page's origin, and addresses for the system's browser. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import type { IpcMainInvokeEvent, WebContents } from 'electron';
import { fileOf, ORIGIN } from '../../app/page-file.ts';
import { isWebPage } from '../../app/sign-in/provider.ts';
import { isTrusted } from '../../src-main/electron/sender.ts';
import type { Random } from '../torture/random.ts';
import { nameOf } from './hostile-values.ts';
import { must } from './score.ts';
import type { Scene } from './scene.ts';

const ORIGINS = [
  ORIGIN,
  `${ORIGIN}/`,
  `${ORIGIN}:443`,
  `${ORIGIN}.evil.example`,
  `${ORIGIN}@evil.example`,
  ORIGIN.toUpperCase(),
  ` ${ORIGIN}`,
  'app://',
  'app://other',
  'https://tokenkeep',
  'http://127.0.0.1',
  'file://',
  'devtools://devtools',
  'chrome-error://chromewebdata',
  'null',
  '',
];

export async function attackAddresses({ random, score, short }: Scene): Promise<void> {
  const contents = (gone = false) => ({ isDestroyed: () => gone }) as unknown as WebContents;
  const [own, other, gone] = [contents(), contents(), contents(true)];
  for (let round = 0; round < (short ? 100 : 5_000); round++) {
    const sender = random.pick([own, other, gone]);
    const origin = random.pick(ORIGINS);
    const parent = random.pick([null, null, {}]);
    const frame = random.pick([null, 1, 1, 1]) === null ? null : { origin, parent };
    const windows = random.pick([[own], [own, gone], [gone], [], [null, undefined, own]]);
    const event = { sender, senderFrame: frame } as unknown as IpcMainInvokeEvent;
    const isOurs =
      frame !== null && parent === null && origin === ORIGIN && sender === own && windows.includes(own);
    if (isOurs) continue;
    await score.try('frames: forged senders', nameOf({ origin, frame }), () =>
      must(!isTrusted(event, { windows: () => windows, origin: ORIGIN }), 'It was served.'),
    );
  }

  const root = mkdtempSync(join(tmpdir(), 'tokenkeep-page-'));
  const folder = join(root, 'page');
  mkdirSync(folder);
  writeFileSync(join(root, 'secret.js'), '');
  for (let round = 0; round < (short ? 100 : 20_000); round++) {
    const url = hostileUrl(random);
    await score.try('navigation: paths of the page’s origin', url, () => {
      const found = fileOf(url, folder);
      if (found === undefined) return;
      must(resolve(found.path).startsWith(folder + sep), `It leads to ${found.path}.`);
      must(!found.path.includes('\0'), 'The path holds a NUL.');
    });
  }
  rmSync(root, { recursive: true });

  for (const url of PAGES) {
    await score.try('navigation: addresses for the browser', url, () =>
      must(!isWebPage(url), 'It would be opened.'),
    );
  }
}

const PARTS = [
  '..',
  '.',
  '%2e%2e',
  '%2E%2E',
  '.%2e',
  '%252e%252e',
  '..%2f',
  '..%5c',
  '..\\',
  '%00',
  'secret.js',
  'index.html',
  'index.html%00.png',
  '%c0%ae%c0%ae',
  '\u2025',
  '//',
  'a.js',
  '%',
  '%zz',
  '~',
  'C:',
];
const HOSTS = [
  'app://tokenkeep',
  'APP://TOKENKEEP',
  'app://tokenkeep:80',
  'app://x@tokenkeep',
  'app://other',
];

function hostileUrl(random: Random): string {
  const parts = Array.from({ length: 1 + random.below(6) }, () => random.pick(PARTS));
  return `${random.pick(HOSTS)}/${parts.join(random.pick(['/', '/', '\\', '%2f']))}${random.pick(['', '?x', '#x', '/secret.js'])}`;
}

/** No web pages. The system's browser, or another program, would open most of them. */
const PAGES = [
  'http://idp.example/',
  'file:///etc/passwd',
  'FILE:///etc/passwd',
  'javascript:alert(1)',
  'data:text/html,x',
  'ms-settings:',
  'ms-msdt:/id PCWDiagnostic',
  'search-ms:query=x',
  'smb://evil.example/x',
  'ssh://evil.example',
  'vscode://x',
  'mailto:a@evil.example',
  'https',
  'https:',
  '//evil.example',
  '\\\\evil.example\\x',
  '',
  ' ',
  'blob:https://idp.example/x',
  'view-source:https://idp.example/',
  'chrome://settings',
  'app://tokenkeep/',
  '--help',
  '-a Calculator',
];
