/**
 * `tokenkeep/partitions/session`: keeps a partition in its user's web session.
 *
 * @module tokenkeep/partitions/session
 */

import { systemClock } from '../../cache/clock.ts';
import { InvalidArgumentError, PartitionError } from '../../errors.ts';
import { BOUND, checkOptions, FUNCTION, type Kind, NAME, RECORD } from '../../options.ts';
import { abandonable } from '../../waiting.ts';
import type { PartitionStore, StoreCall } from '../partition-store.ts';
import { accessTo, get, isObject, type SessionAccessOptions, type SessionSource } from './session-access.ts';

export { SessionEndedError } from '../../errors.ts';
export { type SessionAccessOptions, type SessionSource } from './session-access.ts';

/** Options of `sessionStore`. */
export interface SessionStoreOptions extends SessionAccessOptions {
  /** The session's field. Default: "tokenkeep". */
  field?: string;
  /**
   * For sessions that are kept in a cookie (cookie-session, iron-session, @fastify/secure-session): the size limit. An update that would
   * make the session larger is refused with `partition_too_large`, and the session is unchanged. A browser would drop the
   * cookie silently, and sign the user out.
   */
  cookie?: CookieLimit;
  /** Seconds since the epoch. */
  now?: () => number;
}

/**
 * The size limit of a session cookie.
 *
 * @example
 * import type { CookieLimit } from 'tokenkeep/partitions/session';
 *
 * // iron-session encrypts and encodes: about 1.4 times the JSON.
 * const cookie: CookieLimit = { size: (session) => 300 + 1.4 * JSON.stringify(session).length };
 */
export interface CookieLimit {
  /**
   * The bytes of `name=value` as they will be sent. The default counts the session as cookie-session writes it: JSON, base64,
   * and a signature in a cookie of its own.
   */
  size?: (session: object) => number;
  /** Default: 4,096 minus the size of the attributes. RFC 6265 §6.1 requires no more of browsers. */
  maxBytes?: number;
}

/** `res` of Express and Node. Fastify's `reply` and Koa's `ctx` do not tell: theirs are `reply.raw` and `ctx.res`. */
const RESPONSE: Kind = {
  is: (value) => RECORD.is(value) && typeof Reflect.get(value as object, 'headersSent') === 'boolean',
  what: 'a response of Node, which has `headersSent`: `res`, `reply.raw` of Fastify, `ctx.res` of Koa',
};

const NAMES = { field: NAME, response: RESPONSE, isAlive: FUNCTION, cookie: RECORD, now: FUNCTION } as const;

const DEFAULT_FIELD = 'tokenkeep';
const DEFAULT_MAX_BYTES = 4096 - 96;

interface Field {
  readonly version: string;
  /** base64 */
  readonly entry: string;
  /** Seconds since the epoch; absent: until the session ends. */
  readonly expires?: number;
}

/** One request's turn to change the session. */
interface Turn {
  readonly all: Record<string, unknown>;
  /** Throws once nobody waits for the change any more. */
  readonly assertWanted: () => void;
}

/**
 * Keeps a partition in one session. Make the store for each request.
 *
 * An update resolves when the session has been saved and read back. The session is saved only if it is still the request's own and still
 * exists in its store: after `regenerate()`, `destroy()` or a sign-out in another request, the update rejects with SessionEndedError.
 *
 * With express-session a partition is read from the session's store and compared once more right before it is saved, so that
 * requests of one process don't lose each other's writes. Two processes may still save at the same moment, and a request
 * that changes the session itself saves all of it as it was when that request began. The later one wins, tokens
 * included: a refreshed token may be lost, never another user's. With several processes and a provider that issues each
 * refresh token once, use Redis or PostgreSQL.
 *
 * @param session the session object of express-session, iron-session or @fastify/secure-session; for others, such as
 *   cookie-session and koa-session, a function that returns the request's session
 * @throws InvalidArgumentError if there is no session, or it cannot be updated safely through this object
 * @example
 * import type { ServerResponse } from 'node:http';
 * import type { Session } from 'express-session';
 * import { partitionedCaches } from 'tokenkeep/partitions';
 * import { sessionStore } from 'tokenkeep/partitions/session';
 *
 * const cachesOf = (req: { session: Session }) =>
 *   partitionedCaches({ store: sessionStore(req.session), sealingKeys });
 * // cookie-session replaces its session object, so pass a function:
 * const cachesOfCookie = (req: { session: object }, response: ServerResponse) =>
 *   partitionedCaches({ store: sessionStore(() => req.session, { response, cookie: {} }), sealingKeys });
 */
export function sessionStore(session: SessionSource, options: SessionStoreOptions = {}): PartitionStore {
  const {
    field = DEFAULT_FIELD,
    cookie,
    now = systemClock,
  } = checkOptions('sessionStore', options, NAMES, 'Nothing was read or written.');
  checkOptions(
    'sessionStore, `cookie`',
    cookie,
    { size: FUNCTION, maxBytes: BOUND },
    'Nothing was read or written.',
  );
  const access = accessTo(session, options, field);
  const fields = async (): Promise<Record<string, unknown>> => fieldsIn(await access.read(field));
  const found = (all: Record<string, unknown>, key: string): Field | undefined => {
    const value = all[key];
    if (value === undefined) return undefined;
    // Foreign data is returned unchanged; it cannot be opened, so it is never overwritten.
    if (!isField(value)) return { version: 'not an entry', entry: '' };
    return value.expires !== undefined && value.expires <= now() ? undefined : value;
  };
  const set = async ({ all, assertWanted }: Turn, key: string, value: Field | undefined): Promise<void> => {
    const { [key]: _old, ...others } = all;
    const after = value === undefined ? others : { ...others, [key]: value };
    await access.write(field, Object.keys(after).length === 0 ? undefined : after, (session) => {
      assertWanted();
      if (value !== undefined && cookie !== undefined) assertFits(session, cookie, key);
    });
  };
  const expiry = (ttl: number | null): { expires?: number } => (ttl === null ? {} : { expires: now() + ttl });
  /** Prevents other saves of the session in this process between the read and the save. */
  const change = <T>(call: StoreCall | undefined, task: (turn: Turn) => Promise<T>): Promise<T> =>
    access.inTurn(() =>
      // A session store that never answers must not hold up the next request of the session.
      abandonable(call?.signal, async (assertWanted) => task({ all: await fields(), assertWanted })),
    );

  return {
    read: async (key) => {
      const value = found(await fields(), key);
      if (value === undefined) return null;
      return { version: value.version, bytes: Buffer.from(value.entry, 'base64') };
    },
    write: (key, { bytes, version }, { expected, ttl }, call) =>
      change(call, async (turn) => {
        if ((found(turn.all, key)?.version ?? null) !== expected) return false;
        await set(turn, key, { version, entry: Buffer.from(bytes).toString('base64'), ...expiry(ttl) });
        return true;
      }),
    remove: (key, expected, call) =>
      change(call, async (turn) => {
        const value = found(turn.all, key);
        if (expected !== undefined && value !== undefined && value.version !== expected) return false;
        if (turn.all[key] !== undefined) await set(turn, key, undefined);
        return true;
      }),
    touch: (key, ttl, call) =>
      change(call, async (turn) => {
        const value = found(turn.all, key);
        if (value !== undefined) await set(turn, key, { ...value, ...expiry(ttl) });
      }),
    ...(access.leases === undefined ? {} : { leases: access.leases }),
  };
}

/**
 * Copies partitions to the session that a sign-in has created: for a user who is already signed in and whose session is
 * regenerated (step-up, a second factor). Don't use it after the first sign-in: the data of a
 * session that someone else may know must not become the user's.
 *
 * @param from the previous session object; it may have ended
 * @param to the current session of the request
 * @param options those of its `sessionStore`
 * @throws SessionEndedError, InvalidArgumentError, PartitionStoreError
 * @example
 * import type { Session } from 'express-session';
 * import { carryOver } from 'tokenkeep/partitions/session';
 *
 * async function signedIn(req: { session: Session }): Promise<void> {
 *   const before = req.session;
 *   await new Promise<void>((resolve, reject) => {
 *     before.regenerate((error) => (error ? reject(error) : resolve()));
 *   });
 *   await carryOver(before, req.session);
 * }
 */
export async function carryOver(
  from: object,
  to: SessionSource,
  options: SessionStoreOptions = {},
): Promise<void> {
  const { field = DEFAULT_FIELD } = checkOptions('carryOver', options, NAMES, 'Nothing was changed.');
  if (!isObject(from))
    throw new InvalidArgumentError('There is no session to carry partitions over from. Nothing was changed.');
  const carried = get(from, field);
  const access = accessTo(to, options, field);
  await access.inTurn(async () => {
    const all = { ...fieldsIn(carried), ...fieldsIn(await access.read(field)) };
    if (Object.keys(all).length > 0) await access.write(field, all, () => undefined);
  });
}

function fieldsIn(value: unknown): Record<string, unknown> {
  return isObject(value) ? { ...value } : {};
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

function assertFits(session: object, { size = cookieSessionSize, maxBytes }: CookieLimit, key: string): void {
  const most = maxBytes ?? DEFAULT_MAX_BYTES;
  const bytes = size(session);
  if (bytes <= most) return;
  throw new PartitionError(
    'partition_too_large',
    key,
    `With the partition ${key} the session would have ${bytes} bytes, and a cookie holds ${most}. The session was not changed. Keep sessions on the server, or the tokens in Redis or PostgreSQL.`,
  );
}

/** `session=` and the JSON in base64, as cookie-session sends it. */
function cookieSessionSize(session: object): number {
  const bytes = Buffer.byteLength(JSON.stringify(session));
  return 'session='.length + 4 * Math.ceil(bytes / 3);
}
