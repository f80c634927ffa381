/** Tracing channels of `node:diagnostics_channel`, for whoever monitors an app. Listed in docs/embedding.md. */
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import { PublicError } from './errors.ts';

/** What can be traced: `tracing:tokenkeep.<name>:start`, `:end`, `:asyncStart`, `:asyncEnd` and `:error`. */
export type TraceName =
  | 'vault.open'
  | 'vault.read'
  | 'vault.update'
  | 'vault.erase'
  | 'vault.exclusively'
  | 'vault.compact'
  | 'vault.verify'
  | 'vault.export'
  | 'vault.import'
  | 'vault.forget'
  | 'keychain.get'
  | 'keychain.set'
  | 'keychain.delete';

/** What a subscriber gets: one object for all events of one call. Holds no secret, no token and no user name. */
export interface TraceContext {
  /** Absolute path of the vault's file. */
  file?: string;
  /** The state of the vault, from the end of the call on. */
  state?: string;
  /** The name of the keychain, such as "macOS Keychain". */
  keychain?: string;
  /** Milliseconds from start to end, from the end of the call on. */
  duration?: number;
  /** The code of the error, if the call rejected; "aborted" by a signal, "unexpected" for an error that is not Tokenkeep’s. */
  code?: string;
}

const channels = new Map<TraceName, TracingChannel<unknown, TraceContext>>();
const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;

/**
 * Runs the task and publishes its events. Unlike `tracePromise`, it publishes neither the value nor the error, which may hold
 * secrets. Costs next to nothing while nobody listens.
 *
 * @param finish adds to the context what is known at the end
 */
export function traced<T>(
  name: TraceName,
  context: TraceContext,
  task: () => Promise<T>,
  finish?: (context: TraceContext) => void,
): Promise<T> {
  const known = channels.get(name);
  const channel = known ?? tracingChannel<unknown, TraceContext>(`tokenkeep.${name}`);
  if (known === undefined) channels.set(name, channel);
  if (!EVENTS.some((event) => channel[event].hasSubscribers)) return task();
  const began = performance.now();
  const end = (): void => {
    context.duration = performance.now() - began;
    finish?.(context);
  };
  return channel.start.runStores(context, () => {
    const work = task();
    channel.end.publish(context);
    return work.then(
      (value) => {
        end();
        channel.asyncStart.publish(context);
        channel.asyncEnd.publish(context);
        return value;
      },
      (error: unknown) => {
        end();
        context.code = codeOf(error);
        channel.error.publish(context);
        channel.asyncStart.publish(context);
        channel.asyncEnd.publish(context);
        throw error;
      },
    );
  });
}

function codeOf(error: unknown): string {
  if (error instanceof PublicError) return String(error.code);
  return error instanceof Error && error.name === 'AbortError' ? 'aborted' : 'unexpected';
}
