/** Events for monitoring, on the channels of `node:diagnostics_channel`. They cost nothing while nobody subscribes. */
import { type Channel, channel } from 'node:diagnostics_channel';
import { TokenkeepError } from '../errors.ts';

/** What happened in a partition: on the channels `tokenkeep:partition:read`, `:update`, `:commit`, `:turn` and `:ask`. */
export interface PartitionEvent {
  /** The partition's key in the store, a hash. It contains no user id, session id or secret. */
  readonly partition: string;
  readonly milliseconds: number;
  /** `'done'`, the `code` of Tokenkeep's error, or `'error'` for one of another kind. */
  readonly outcome: string;
  /** Of a commit: how many updates it wrote together. */
  readonly updates?: number;
  /** Of a commit: how often it was repeated because another process was faster. */
  readonly races?: number;
  /** Of a turn: milliseconds until it began. */
  readonly waited?: number;
  /** Of a turn: `'refresh'` if it may redeem a refresh token, `'api'` for `acquireForApp` and `acquireOnBehalfOf`, else `'other'`. */
  readonly purpose?: 'refresh' | 'api' | 'other';
  /** Of a request to the provider: the grant type, e.g. `client_credentials`. */
  readonly grant_type?: string;
}

type What = 'read' | 'update' | 'commit' | 'turn' | 'ask';

const CHANNELS: Readonly<Record<What, Channel>> = {
  read: channel('tokenkeep:partition:read'),
  update: channel('tokenkeep:partition:update'),
  commit: channel('tokenkeep:partition:commit'),
  turn: channel('tokenkeep:partition:turn'),
  ask: channel('tokenkeep:partition:ask'),
};

type Details = Partial<Pick<PartitionEvent, 'updates' | 'races' | 'waited' | 'purpose' | 'grant_type'>>;

const nobody = (): void => undefined;

/**
 * Runs a task and publishes an event at its end.
 *
 * @param task gets a function that adds details to the event
 */
export function published<T>(what: What, partition: string, task: Observed<T>): Promise<T> {
  const own = CHANNELS[what];
  return own.hasSubscribers ? publishing(own, partition, task) : task(nobody);
}

/** A task that never throws before it returns its promise. */
type Observed<T> = (note: (details: Details) => void) => Promise<T>;

async function publishing<T>(own: Channel, partition: string, task: Observed<T>): Promise<T> {
  const start = performance.now();
  let details: Details = {};
  let outcome = 'done';
  try {
    return await task((more) => {
      details = { ...details, ...more };
    });
  } catch (error) {
    outcome = error instanceof TokenkeepError ? error.code : 'error';
    throw error;
  } finally {
    own.publish({
      partition,
      milliseconds: performance.now() - start,
      outcome,
      ...details,
    } satisfies PartitionEvent);
  }
}

/** Returns the purpose of a turn. A turn's name may identify a user, so it is not published. */
export function purposeOf(name: string): 'refresh' | 'api' | 'other' {
  if (name.startsWith('refresh ')) return 'refresh';
  return name.startsWith('app ') || name === 'on behalf of' ? 'api' : 'other';
}
