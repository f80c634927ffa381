/** Serves the requests of a contract, with sender and arguments validated. The only use of `ipcMain`. */
import { app, ipcMain, type IpcMainInvokeEvent, type WebContents } from 'electron';
import { InvalidArgumentError } from '../errors.ts';
import { checkOptions, FUNCTION, NAME, RECORD, requireOptions } from '../options.ts';
import { fitsBudget } from '../ipc/argument-budget.ts';
import type { Outcome } from '../ipc/contract.ts';
import {
  type ArgumentChecks,
  eventChannel,
  type Handlers,
  REFUSED,
  requestChannel,
  type Requests,
  settle,
} from '../ipc/requests.ts';
import { watchInput } from './dialogs.ts';
import { contentsOf, isOf, isTrusted, originOf, TRUSTED, type Trusted } from './sender.ts';

/** Options of `serveRequests`. */
export interface RequestOptions<R extends Requests<R>> extends Trusted {
  /** The start of every channel name. Contracts that are served side by side have different prefixes. */
  prefix: string;
  /** One check for each request: a window may send anything. */
  checks: ArgumentChecks<R>;
  /** The request handlers, called with the requesting window and the validated arguments. */
  handlers: Handlers<R, WebContents>;
  /**
   * Called with errors that are not a `PublicError`: faults of a handler. The window learns only that there was one.
   * The message of such an error may quote the data that was being worked on.
   */
  onUnexpected?: (error: unknown) => void;
  /**
   * Returns the error that the window gets in place of one that a request failed with, or the same one. Use it where the app knows the
   * cause, such as that its files were replaced by an update.
   */
  explain?: (error: unknown) => unknown;
}

/**
 * A contract that is being served.
 *
 * @example
 * import { noArguments, type ServedRequests, serveRequests, type Trusted } from 'tokenkeep/electron';
 *
 * function serve(trusted: Trusted): ServedRequests<{ greeted: string }> {
 *   const handlers = { version: () => '1.0.0' };
 *   return serveRequests({ ...trusted, prefix: 'my-app', checks: { version: noArguments }, handlers });
 * }
 */
export interface ServedRequests<E> {
  /** Sends an event to every served window that shows a page of the origin. Never throws; destroyed windows are skipped. */
  emit<Name extends keyof E & string>(name: Name, event: E[Name]): void;
  /** Stops serving the requests of this contract. */
  stop(): void;
}

/** One `serveRequests` call on a channel. */
interface Server {
  trusted: Trusted;
  answer: (event: IpcMainInvokeEvent, args: readonly unknown[]) => Promise<Outcome<unknown>>;
}

/** Several servers may share a channel, each for its own windows and origins. */
const servers = new Map<string, Server[]>();

/**
 * Answers the requests `R` of the given windows and lets the app send them the events `E`. Every answer is an
 * `Outcome`; nothing that a window sends can make it throw.
 *
 * @example
 * ```ts
 * import { BrowserWindow } from 'electron';
 * import { noArguments, serveRequests } from 'tokenkeep/electron';
 *
 * const served = serveRequests<{ version(): string }, { greeted: string }>({
 *   windows: () => BrowserWindow.getAllWindows(),
 *   origin: 'app://my-app',
 *   prefix: 'my-app',
 *   checks: { version: noArguments },
 *   handlers: { version: () => '1.0.0' },
 * });
 * served.emit('greeted', 'Hello');
 * ```
 */
export function serveRequests<R extends Requests<R>, E>(options: RequestOptions<R>): ServedRequests<E> {
  assertMainProcess('serveRequests');
  const given = checkOptions<RequestOptions<R>>(
    'serveRequests',
    options,
    {
      ...TRUSTED,
      prefix: NAME,
      checks: RECORD,
      handlers: RECORD,
      onUnexpected: FUNCTION,
      explain: FUNCTION,
    },
    'Nothing is served.',
  );
  requireOptions(
    'serveRequests',
    given,
    ['windows', 'origin', 'prefix', 'checks', 'handlers'],
    'Nothing is served.',
  );
  const { prefix, checks, handlers, onUnexpected, explain } = given;
  const stops = (Object.keys(checks) as (keyof R & string)[]).map((name) =>
    serveChannel(requestChannel(prefix, name), {
      trusted: options,
      answer: (event, args) =>
        settle(
          () => {
            if (!fitsBudget(args)) throw tooMuch();
            watchInput(event.sender);
            return handlers[name](event.sender, ...checks[name](args));
          },
          onUnexpected,
          explain,
        ),
    }),
  );
  return {
    emit(name, event) {
      for (const contents of windowsOf(options)) {
        watchInput(contents);
        try {
          contents.send(eventChannel(prefix, name), event);
        } catch {
          // The window was destroyed meanwhile.
        }
      }
    },
    stop() {
      for (const stop of stops) stop();
    },
  };
}

/** @throws InvalidArgumentError in a window, a utility process or Node, where Electron's main process is not available */
export function assertMainProcess(caller: string): void {
  if ((ipcMain as unknown) === undefined)
    throw new InvalidArgumentError(
      `${caller} works only in the main process of Electron. Nothing is served. In a preload script, use tokenkeep/preload.`,
    );
}

function serveChannel(channel: string, server: Server): () => void {
  const here = servers.get(channel) ?? [];
  servers.set(channel, [...here, server]);
  if (here.length === 0) {
    ipcMain.handle(channel, (event, ...args: unknown[]) => {
      const found = servers.get(channel)?.find(({ trusted }) => trusts(trusted, event));
      if (found !== undefined) return found.answer(event, args);
      warn(channel, event);
      return REFUSED;
    });
  }
  return () => {
    const left = (servers.get(channel) ?? []).filter((each) => each !== server);
    servers.set(channel, left);
    if (left.length === 0) ipcMain.removeHandler(channel);
  };
}

/** Checks the sender. An embedder's `windows` may throw while windows are opened or closed; then no sender is trusted. */
function trusts(trusted: Trusted, event: IpcMainInvokeEvent): boolean {
  try {
    return isTrusted(event, trusted);
  } catch {
    return false;
  }
}

/** The contents that get events: a window that shows a page of another origin by now gets none. */
function windowsOf({ windows, origin }: Trusted): WebContents[] {
  try {
    return contentsOf(windows()).filter((contents) => shows(contents, origin));
  } catch {
    return [];
  }
}

function shows(contents: WebContents, origin: Trusted['origin']): boolean {
  try {
    return isOf(contents.mainFrame, origin);
  } catch {
    return false; // the frame is gone
  }
}

const warned = new Set<string>();

/** In development, logs a refusal once per origin, because the origin is usually misspelt. */
function warn(channel: string, event: IpcMainInvokeEvent): void {
  const origin = originOf(event);
  if (app.isPackaged || warned.has(origin)) return;
  warned.add(origin);
  const here = servers.get(channel)?.flatMap(({ trusted }) => trusted.origin) ?? [];
  process.emitWarning(
    `Refused ${channel} for ${origin}. Served are the main frames of the windows given, at ${[...new Set(here)].join(', ')}.`,
    { type: 'TokenkeepWarning' },
  );
}

function tooMuch(): InvalidArgumentError {
  return new InvalidArgumentError('The request was sent with more data than it takes. Nothing was done.');
}
