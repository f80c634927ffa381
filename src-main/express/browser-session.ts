/** The session of express-session that a request belongs to. */
import { InvalidArgumentError, PartitionStoreError } from '../errors.ts';
import { alarm } from '../partitions/deadline.ts';
import { LONGEST_TTL } from '../partitions/lifetime.ts';
import type { WebRequest } from './http.ts';

/** The data of a sign-in that the session stores. */
export interface SignedInSession {
  /** The id of the user's partition, which the browser never sees. */
  readonly partition: string;
  /** The clients as which this user has signed in; another `webSignIn` of the app may be another client, of another provider. */
  readonly clients: readonly string[];
  /** The scopes that the sign-in asked for, space-separated, and when it ended, in seconds since the epoch. */
  readonly scopes: string;
  readonly at: number;
  /** The `state` of the sign-in, and the path to which it returned: the browser may ask for that answer again. */
  readonly state: string;
  readonly returnTo: string;
  /** How many sign-ins shortly preceded this one. */
  readonly again: number;
}

/** A session of express-session. */
export interface ExpressSession {
  readonly cookie: { readonly originalMaxAge?: number | null };
  regenerate(done: (error?: unknown) => void): unknown;
  destroy(done: (error?: unknown) => void): unknown;
  save(done: (error?: unknown) => void): unknown;
}

const FIELD = 'tokenkeepSignIn';

/** @throws InvalidArgumentError if there is none */
export function sessionOf({ session }: WebRequest): ExpressSession {
  const methods = ['regenerate', 'destroy', 'save'] as const;
  const isOne =
    typeof session === 'object' &&
    session !== null &&
    methods.every((name) => typeof Reflect.get(session, name) === 'function');
  if (isOne) return session as unknown as ExpressSession;
  throw new InvalidArgumentError(
    'This request has no session of express-session. Call app.use(session(…)) before the routes and requireUser of webSignIn. Nobody was signed in or out.',
  );
}

export function signedIn(session: ExpressSession): SignedInSession | undefined {
  const value: unknown = Reflect.get(session, FIELD);
  if (typeof value !== 'object' || value === null) return undefined;
  const isOne =
    typeof Reflect.get(value, 'partition') === 'string' && Array.isArray(Reflect.get(value, 'clients'));
  return isOne ? (value as SignedInSession) : undefined;
}

export function noteSignedIn(session: ExpressSession, value: SignedInSession | undefined): void {
  if (value === undefined) Reflect.deleteProperty(session, FIELD);
  else Reflect.set(session, FIELD, value);
}

/** Replaces the session, so that anyone who knew its id before the sign-in does not know the new one. */
export async function regenerated(req: WebRequest): Promise<ExpressSession> {
  await called(sessionOf(req), 'regenerate', NOT_SIGNED_IN);
  return sessionOf(req);
}

export const saved = (session: ExpressSession): Promise<void> => called(session, 'save', NOT_SIGNED_IN);

export const destroyed = (session: ExpressSession): Promise<void> =>
  called(session, 'destroy', 'The user’s tokens were removed, but the session may still exist.');

const NOT_SIGNED_IN = 'Nobody was signed in; who was signed in may still be.';

/** Milliseconds. A store that never answers would keep the browser waiting, and the tokens of a sign-in, which no session refers to. */
export const LONGEST_CALL = 5000;

function called(
  session: ExpressSession,
  method: 'regenerate' | 'destroy' | 'save',
  consequence: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (code: 'store_unavailable' | 'store_timeout', what: string, cause?: unknown): void =>
      reject(
        new PartitionStoreError(code, `The session store ${what} (${method}). ${consequence} Try again.`, {
          cause,
        }),
      );
    const cancel = alarm(LONGEST_CALL, () =>
      fail('store_timeout', `did not answer for ${LONGEST_CALL / 1000} seconds`),
    );
    session[method]((cause?: unknown) => {
      cancel();
      if (cause === undefined || cause === null) resolve();
      else fail('store_unavailable', 'failed', cause);
    });
  });
}

/** Seconds. A session whose cookie ends with the browser: stores keep it for about a day (connect-redis, connect-pg-simple). */
const A_DAY = 86_400;

/** The lifetime of the session's partition in seconds: as long as the session, which each request prolongs. */
export function lifetimeOf({ cookie: { originalMaxAge } }: ExpressSession): number {
  const seconds =
    typeof originalMaxAge === 'number' && !Number.isNaN(originalMaxAge) ? originalMaxAge / 1000 : A_DAY;
  // A partition is extended at most a tenth of its lifetime late (PartitionTtl), and must not expire before its session.
  return Math.min(LONGEST_TTL, Math.max(60, Math.ceil(seconds * 1.2)));
}
