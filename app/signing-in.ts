/** Sign-in with Electron's network, browser and dialogs. */
import { clipboard, powerMonitor, type Session, session, shell, type WebContents } from 'electron';
import { useGesture } from 'tokenkeep/electron';
import { signInChecks } from './sign-in/arguments.ts';
import type { SignIn, SignInPorts } from './sign-in/sign-in.ts';

type SystemPorts = 'fetch' | 'openBrowser' | 'useGesture' | 'copyText' | 'now' | 'after';

/** @param contacted is told of each request, before it is made */
export function signingIn(
  ports: Omit<SignInPorts<WebContents>, SystemPorts> & Required<Pick<SignInPorts<WebContents>, 'explain'>>,
  contacted: (url: string, init?: RequestInit) => void,
): SignIn<WebContents> {
  // Chromium's network, not Node's: it knows the system's proxies and certificate authorities. In memory, and separate from
  // the window's session, which has no network. Created at the first request, because a session costs start time and memory.
  const network = (): Session => session.fromPartition('sign-in', { cache: false });
  let made: Promise<SignIn<WebContents>> | undefined;
  let here: SignIn<WebContents> | undefined;
  /** Of `start`, `pause` and `stop`, the last one counts. */
  let turn = 0;
  /**
   * Loads the sign-in code when it is first needed: with its protocols, it is a fifth of the app's code, which V8 would read before the
   * window is drawn.
   */
  const load = async (): Promise<SignIn<WebContents>> => {
    const { signIn } = await import('./sign-in/sign-in.ts');
    here = signIn<WebContents>({
      ...ports,
      fetch(input, init) {
        const request = input instanceof URL ? input.href : input;
        contacted(typeof request === 'string' ? request : request.url, init);
        return network().fetch(request, init);
      },
      openBrowser: openInBrowser,
      useGesture,
      copyText: (text) => void clipboard.writeText(text),
      now: () => Date.now(),
      after(milliseconds, work) {
        const timer = setTimeout(work, milliseconds);
        return () => clearTimeout(timer);
      },
    });
    return here;
  };
  const signing = (): Promise<SignIn<WebContents>> =>
    (made ??= load().catch((error: unknown) => {
      made = undefined; // the next request tries again
      throw error;
    }));
  const wake = (): void => here?.wake();
  powerMonitor.on('resume', wake);
  return {
    handlers: lateHandlers(async () => (await signing()).handlers),
    // Until it is loaded, nothing is planned.
    isRenewed: (...of) => here?.isRenewed(...of) ?? false,
    wake,
    async start() {
      const mine = ++turn;
      const loaded = await signing();
      if (mine === turn) await loaded.start();
    },
    async idle() {
      await made?.then(
        (loaded) => loaded.idle(),
        () => undefined,
      );
    },
    pause() {
      turn += 1;
      here?.pause();
    },
    stop() {
      turn += 1;
      powerMonitor.off('resume', wake);
      // One that is still being loaded for a request is stopped before it gets the request.
      if (here !== undefined) here.stop();
      else
        void made?.then(
          (loaded) => loaded.stop(),
          () => undefined,
        );
    },
  };
}

type SignInHandlers = SignIn<WebContents>['handlers'];

/** Handlers of the sign-in requests, loaded at the first request. */
function lateHandlers(load: () => Promise<SignInHandlers>): SignInHandlers {
  const late = Object.keys(signInChecks).map((name) => [
    name,
    async (...args: never[]) => {
      const handlers = await load();
      return (handlers[name as keyof SignInHandlers] as (...args: never[]) => unknown)(...args);
    },
  ]);
  return Object.fromEntries(late) as SignInHandlers;
}

/** Opens only web pages (Electron security checklist item 15), because the URLs come from a provider's metadata. */
async function openInBrowser(url: string): Promise<void> {
  if (new URL(url).protocol !== 'https:') throw new Error('Not an address for a browser.');
  await shell.openExternal(url);
}
