/** Error pages for users: what went wrong, what it means for the sign-in, and what to do. They contain no token. */
import { PartitionError, PartitionStoreError, SessionEndedError, WebSignInError } from 'tokenkeep/express';
import type { Message } from './pages.ts';

/** The sessions can't be read or saved. */
export class SessionsUnavailable extends Error {}

/** The API refused, or was not reached. */
export class ApiFailure extends Error {
  /** undefined: the API was not reached. */
  readonly status: number | undefined;

  constructor(status: number | undefined, options?: { cause?: unknown }) {
    super(status === undefined ? 'The API was not reached' : `The API answered ${status}`, options);
    this.status = status;
  }
}

export function notReached(cause: unknown): never {
  throw new ApiFailure(undefined, { cause });
}

export interface Failure extends Message {
  status: number;
}

const SIGN_IN = { to: '/sign-in', text: 'Sign in again' };
const OPERATOR = 'The operator of this app can find the cause in its log.';
/** Causes that pass by themselves. For any other, trying again would not help. */
const PASSING = new Set<string>([
  'store_unavailable',
  'store_timeout',
  'store_read_only', // during a failover
  'partition_busy',
  'partition_turn_expired',
]);

/** @param path the path of the request, to try again */
export function failureOf(error: unknown, path: string): Failure {
  // A path such as //other.example would lead to another site.
  const again = { to: /^\/[/\\]/.test(path) ? '/' : path, text: 'Try again' };
  if (error instanceof SessionEndedError) {
    return {
      status: 401,
      title: 'Your session has ended',
      text: 'Nothing was saved. Sign in again to continue.',
      next: SIGN_IN,
    };
  }
  if (error instanceof SessionsUnavailable || error instanceof PartitionStoreError) {
    const code = error instanceof PartitionStoreError ? error.code : 'store_unavailable';
    const title = 'Your sign-in can’t be looked up';
    return PASSING.has(code)
      ? {
          status: 503,
          title,
          text: 'The place where sign-ins are kept does not answer. You have not been signed out: try again in a moment.',
          next: again,
        }
      : {
          status: 500,
          title,
          text: `The place where sign-ins are kept can’t be used (${code}). You have not been signed out. ${OPERATOR}`,
        };
  }
  if (error instanceof PartitionError) {
    return PASSING.has(error.code)
      ? {
          status: 503,
          title: 'Busy',
          text: 'Another request of yours is taking a long time. Try again in a moment.',
          next: again,
        }
      : {
          status: 500,
          title: 'Your saved sign-in can’t be opened',
          text: `It was not changed (${error.code}). Sign in again to continue. ${OPERATOR}`,
          next: SIGN_IN,
        };
  }
  if (error instanceof ApiFailure) return apiFailure(error, again);
  if (error instanceof WebSignInError) return signInFailure(error, again);
  return {
    status: 500,
    title: 'Something went wrong',
    text: OPERATOR,
  };
}

function apiFailure({ status }: ApiFailure, again: Failure['next'] & object): Failure {
  if (status === undefined) {
    const text =
      'You are signed in, and have a token for the API, but it does not answer. Try again in a moment.';
    return { status: 502, title: 'The API can’t be reached', text, next: again };
  }
  const answer = `It answered ${status}. You are signed in.`;
  if (status === 401 || status === 403) {
    const text = `${answer} The token may be for another API (SCOPE), or you may lack a permission.`;
    return { status: 502, title: 'The API refused your token', text };
  }
  const title = 'The API failed';
  return status === 429 || status >= 500
    ? { status: 502, title, text: `${answer} Try again in a moment.`, next: again }
    : { status: 502, title, text: `${answer} ${OPERATOR}` };
}

function signInFailure({ code, status, provider }: WebSignInError, again: Failure['next'] & object): Failure {
  if (code === 'provider_unreachable') {
    return {
      status,
      title: 'The identity provider can’t be reached',
      text: 'Without it, nobody can sign in, and no token can be refreshed. If you were signed in, you still are: try again in a moment.',
      next: again,
    };
  }
  if (code === 'sign_in_refused') {
    const said = [provider?.error, provider?.description].filter(Boolean);
    const text = `The identity provider answered: ${said.join(': ') || 'nothing'}`;
    return { status, title: 'Sign-in failed', text, next: SIGN_IN };
  }
  const text =
    code === 'sign_in_unknown'
      ? 'The answer belongs to no sign-in that was started in this browser, or to one that is finished.'
      : `The error is ${code}. ${OPERATOR}`;
  return { status, title: 'Sign-in failed', text, next: SIGN_IN };
}
