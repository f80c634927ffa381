/** The doors of signing in, as Electron has them. */
import { clipboard, powerMonitor, session, shell, type WebContents } from 'electron';
import { confirm } from 'tokenkeep/electron';
import { type SignIn, type SignInDoors, signIn } from './sign-in/sign-in.ts';

type SystemDoors = 'fetch' | 'openBrowser' | 'confirm' | 'copyText' | 'now' | 'after';

export function signingIn(doors: Omit<SignInDoors<WebContents>, SystemDoors>): SignIn<WebContents> {
  // Chromium's network, and not Node's: it knows the system's proxies and certificate authorities. In memory, and apart
  // from the window's session, which has no network.
  const network = session.fromPartition('sign-in', { cache: false });
  const signing = signIn<WebContents>({
    ...doors,
    fetch: (input, init) => network.fetch(input instanceof URL ? input.href : input, init),
    openBrowser: openInBrowser,
    confirm,
    copyText: (text) => void clipboard.writeText(text),
    now: () => Date.now(),
    after(milliseconds, work) {
      const timer = setTimeout(work, milliseconds);
      return () => clearTimeout(timer);
    },
  });
  powerMonitor.on('resume', signing.wake);
  return {
    ...signing,
    stop() {
      powerMonitor.off('resume', signing.wake);
      signing.stop();
    },
  };
}

/** Electron security checklist item 15: only what a browser is for. The addresses come from a provider's metadata. */
async function openInBrowser(url: string): Promise<void> {
  if (new URL(url).protocol !== 'https:') throw new Error('Not an address for a browser.');
  await shell.openExternal(url);
}
