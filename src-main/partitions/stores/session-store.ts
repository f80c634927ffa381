/**
 * `tokenkeep/partitions/session`: the partition in the web session of its user.
 *
 * @module tokenkeep/partitions/session
 */
import { systemClock } from '../../cache/clock.ts';
import { InvalidArgumentError, PartitionError } from '../../errors.ts';
import { backingOf } from './session-backing.ts';
import type { PartitionStore } from '../partition-store.ts';

/** Where in the session a partition is kept, and what the session can hold. */
export interface SessionStoreOptions {
  /** The session's field. Default: "tokenkeep". */
  field?: string;
  /**
   * For sessions that are kept in a cookie (`cookie-session`, sealed cookies): what fits. An update that would make the session
   * larger is refused with `partition_too_large`, and the session stays as it was; a browser would drop the cookie without a
   * word, and the user with it.
   */
  cookie?: CookieLimit;
  /** Seconds since the epoch. */
  now?: () => number;
}

/** What fits into the cookie that holds a session. */
export interface CookieLimit {
  /**
   * The bytes of `name=value` as they will be sent. The default counts the session as `cookie-session` writes it: JSON, base64,
   * and a signature in a cookie of its own.
   */
  size?: (session: object) => number;
  /** Default: 4,096 less what attributes take: RFC 6265 §6.1 asks browsers for no more. */
  maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 4096 - 96;

interface Field {
  readonly version: string;
  /** base64 */
  readonly entry: string;
  /** Seconds since the epoch; absent: as long as the session. */
  readonly expires?: number;
}

/**
 * A store in one session: of `express-session`, `cookie-session`, or any object that is kept between a browser's requests. Made anew
 * for each request.
 *
 * Where the session has a `save` (express-session), an update waits for it: resolved is saved. Where the store behind it can be asked,
 * as in express-session, a partition is read from there and compared once more right before it is saved, so that of requests
 * of one process none loses what another one wrote. Two processes may still save at the same moment; and a request
 * that changes the session itself saves all of it, as it was when that request began: there the later one wins, tokens
 * included. What is lost then is a refreshed token, never another user's. Where the provider gives each refresh token only
 * once and there are several processes, use Redis or PostgreSQL.
 *
 * @throws InvalidArgumentError where there is no session
 */
export function sessionStore(session: object, options: SessionStoreOptions = {}): PartitionStore {
  const { field = 'tokenkeep', cookie, now = systemClock } = options;
  if (!isObject(session)) {
    throw new InvalidArgumentError('There is no session: does the session middleware run before this?');
  }
  const backing = backingOf(session);
  // What was written is saved, so what is not stored is not there, whatever this request's object still says.
  const fields = async (): Promise<Record<string, unknown>> => {
    const value: unknown = Reflect.get(await backing.now(), field);
    return isObject(value) ? { ...value } : {};
  };
  const found = (all: Record<string, unknown>, key: string): Field | undefined => {
    const value = all[key];
    if (value === undefined) return undefined;
    // What is not ours is given on as it is: the entry in it can't be opened, and so is never overwritten.
    if (!isField(value)) return { version: 'not an entry', entry: '' };
    return value.expires !== undefined && value.expires <= now() ? undefined : value;
  };
  /** Puts it into the session and saves that; where it can't, the session is as it was. */
  const set = async (all: Record<string, unknown>, key: string, value: Field | undefined): Promise<void> => {
    const before: unknown = Reflect.get(session, field);
    const { [key]: _old, ...others } = all;
    const after = value === undefined ? others : { ...others, [key]: value };
    if (Object.keys(after).length === 0) Reflect.deleteProperty(session, field);
    else Reflect.set(session, field, after);
    try {
      if (value !== undefined && cookie !== undefined) assertFits(session, cookie, key);
      await save(session);
    } catch (error) {
      if (before === undefined) Reflect.deleteProperty(session, field);
      else Reflect.set(session, field, before);
      throw error;
    }
  };
  const expiry = (ttl: number | null): { expires?: number } => (ttl === null ? {} : { expires: now() + ttl });
  /** Nobody else in this process saves the session between reading it and saving it. */
  const change = <T>(task: (all: Record<string, unknown>) => Promise<T>): Promise<T> =>
    backing.inTurn(async () => task(await fields()));

  return {
    read: async (key) => {
      const value = found(await fields(), key);
      if (value === undefined) return null;
      return { version: value.version, bytes: Buffer.from(value.entry, 'base64') };
    },
    write: (key, { bytes, version }, { expected, ttl }) =>
      change(async (all) => {
        if ((found(all, key)?.version ?? null) !== expected) return false;
        await set(all, key, { version, entry: Buffer.from(bytes).toString('base64'), ...expiry(ttl) });
        return true;
      }),
    remove: (key, expected) =>
      change(async (all) => {
        const value = found(all, key);
        if (expected !== undefined && value !== undefined && value.version !== expected) return false;
        if (all[key] !== undefined) await set(all, key, undefined);
        return true;
      }),
    touch: (key, ttl) =>
      change(async (all) => {
        const value = found(all, key);
        if (value !== undefined) await set(all, key, { ...value, ...expiry(ttl) });
      }),
    ...(backing.leases === undefined ? {} : { leases: backing.leases }),
  };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isField(value: unknown): value is Field {
  return (
    isObject(value) &&
    'version' in value &&
    typeof value.version === 'string' &&
    'entry' in value &&
    typeof value.entry === 'string' &&
    (!('expires' in value) || typeof value.expires === 'number')
  );
}

async function save(session: object): Promise<void> {
  const method: unknown = Reflect.get(session, 'save');
  if (typeof method !== 'function') return;
  await new Promise<void>((resolve, reject) => {
    Reflect.apply(method, session, [(error: unknown) => (error ? reject(asError(error)) : resolve())]);
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('The session was not saved.', { cause: error });
}

function assertFits(session: object, { size = cookieSessionSize, maxBytes }: CookieLimit, key: string): void {
  const most = maxBytes ?? DEFAULT_MAX_BYTES;
  const bytes = size(session);
  if (bytes <= most) return;
  throw new PartitionError(
    'partition_too_large',
    key,
    `With the partition ${key} the session would have ${bytes} bytes, and a cookie holds ${most}. The session is as it was. Keep sessions on the server, or the tokens in Redis or PostgreSQL.`,
  );
}

/** `session=` and the JSON in base64, as cookie-session sends it. */
function cookieSessionSize(session: object): number {
  const bytes = Buffer.byteLength(JSON.stringify(session));
  return 'session='.length + 4 * Math.ceil(bytes / 3);
}
