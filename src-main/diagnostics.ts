/** Tracing channels of `node:diagnostics_channel`, for monitoring an app. Listed in docs/embedding.md. */
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import { PublicError } from './errors.ts';

/** The operations that can be traced, on the channels `tracing:tokenkeep.<name>:start`, `:end`, `:asyncStart`, `:asyncEnd` and `:error`. */
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

/** The message to subscribers: one object for all events of one call. It contains no secret, token or user name. */
export interface TraceContext {
  /** Absolute path of the vault's file. */
  file?: string;
  /** The state of the vault. Set when the call ends. */
  state?: string;
  /** The name of the keychain, such as "macOS Keychain". */
  keychain?: string;
  /** Duration in milliseconds. Set when the call ends. */
  duration?: number;
  /** The code of the error, if the call rejected: "aborted" if a signal aborted it, "unexpected" for an error that is not Tokenkeep’s. */
  code?: string;
}

const channels = new Map<TraceName, TracingChannel<unknown, TraceContext>>();
const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;

/**
 * Runs the task and publishes its events. Unlike `tracePromise`, it publishes neither the value nor the error, which may hold
 * secrets. Costs next to nothing while nobody listens.
 *
 * @param finish adds values to the context that are known when the call ends
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
