/** Sign-in with Electron's network, browser and dialogs. */
import { clipboard, powerMonitor, type Session, session, shell, type WebContents } from 'electron';
import { confirm, useGesture } from 'tokenkeep/electron';
import { type SignIn, type SignInPorts, signIn } from './sign-in/sign-in.ts';

type SystemPorts = 'fetch' | 'openBrowser' | 'useGesture' | 'confirm' | 'copyText' | 'now' | 'after';

/** @param contacted is told of each request, before it is made */
export function signingIn(
  ports: Omit<SignInPorts<WebContents>, SystemPorts> & Required<Pick<SignInPorts<WebContents>, 'explain'>>,
  contacted: (url: string, init?: RequestInit) => void,
): SignIn<WebContents> {
  // Chromium's network, not Node's: it knows the system's proxies and certificate authorities. In memory, and separate from
  // the window's session, which has no network. Made at the first request: a session costs a start time and memory.
  const network = (): Session => session.fromPartition('sign-in', { cache: false });
  const signing = signIn<WebContents>({
    ...ports,
    fetch(input, init) {
      const request = input instanceof URL ? input.href : input;
      contacted(typeof request === 'string' ? request : request.url, init);
      return network().fetch(request, init);
    },
    openBrowser: openInBrowser,
    useGesture,
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

/** Opens only web pages (Electron security checklist item 15), because the URLs come from a provider's metadata. */
async function openInBrowser(url: string): Promise<void> {
  if (new URL(url).protocol !== 'https:') throw new Error('Not an address for a browser.');
  await shell.openExternal(url);
}
