/** The one place where `ipcMain` is used: requests of a contract, each with its sender and its arguments checked. */
import { ipcMain, type WebContents } from 'electron';
import { eventChannel, requestChannel } from '../ipc/names.ts';
import { REFUSED, settle } from '../ipc/outcome.ts';
import type { ArgumentChecks, Handlers, Requests } from '../ipc/requests.ts';
import { isTrusted, type Trusted } from './sender.ts';

/** Which contract is served, to whom, and how. */
export interface RequestOptions<R extends Requests<R>> extends Trusted {
  /** Before every channel. Contracts that are served side by side have different ones. */
  prefix: string;
  /** One for each request: what a window sends is anybody’s guess. */
  checks: ArgumentChecks<R>;
  /** What answers, each with the window that asks and the arguments that passed the check. */
  handlers: Handlers<R, WebContents>;
  /**
   * Hears of errors that are not a `TokenkeepError`: a fault in a handler. The window learns only that there was one.
   * Mind that such an error's message may quote what was being worked on.
   */
  onUnexpected?: (error: unknown) => void;
}

/** A contract that is being served. */
export interface ServedRequests<E> {
  /** To every window that is served, and to no other. */
  emit<Name extends keyof E & string>(name: Name, event: E[Name]): void;
  /** Nothing of this contract is answered any more. */
  stop(): void;
}

/**
 * Answers the requests `R` of the given windows and lets the app tell them the events `E`. Every answer is an
 * `Outcome`; nothing that a window sends can make it throw.
 */
export function serveRequests<R extends Requests<R>, E>(options: RequestOptions<R>): ServedRequests<E> {
  const { prefix, checks, handlers, onUnexpected } = options;
  const names = Object.keys(checks) as (keyof R & string)[];
  for (const name of names) {
    ipcMain.handle(requestChannel(prefix, name), (event, ...args: unknown[]) =>
      isTrusted(event, options)
        ? settle(() => handlers[name](event.sender, ...checks[name](args)), onUnexpected)
        : REFUSED,
    );
  }
  return {
    emit(name, event) {
      for (const window of options.windows()) {
        if (!window.isDestroyed()) window.send(eventChannel(prefix, name), event);
      }
    },
    stop() {
      for (const name of names) ipcMain.removeHandler(requestChannel(prefix, name));
    },
  };
}
