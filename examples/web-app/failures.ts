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

/** @param path the path of the request, to try again */
export function failureOf(error: unknown, path: string): Failure {
  const again = { to: path, text: 'Try again' };
  if ([SessionsUnavailable, PartitionStoreError, SessionEndedError].some((of) => error instanceof of)) {
    return {
      status: 503,
      title: 'Your sign-in can’t be looked up',
      text: 'The place where sign-ins are kept does not answer. You have not been signed out: try again in a moment.',
      next: again,
    };
  }
  if (error instanceof PartitionError) {
    const isBusy = error.code === 'partition_busy';
    return isBusy
      ? {
          status: 503,
          title: 'Busy',
          text: 'Another request of yours takes long. Try again in a moment.',
          next: again,
        }
      : {
          status: 500,
          title: 'Your saved sign-in can’t be opened',
          text: `It was left as it is (${error.code}). Sign in again to go on; whoever runs this app finds more in its log.`,
          next: SIGN_IN,
        };
  }
  if (error instanceof ApiFailure) return apiFailure(error, again);
  if (error instanceof WebSignInError) return signInFailure(error, again);
  return {
    status: 500,
    title: 'Something went wrong',
    text: 'It is in the log of this app. Trying again may help.',
    next: again,
  };
}

function apiFailure({ status }: ApiFailure, again: Failure['next'] & object): Failure {
  if (status === undefined) {
    const text =
      'You are signed in, and there is a token for it, but it does not answer. Try again in a moment.';
    return { status: 502, title: 'The API can’t be reached', text, next: again };
  }
  const isRefusal = status === 401 || status === 403;
  return {
    status: 502,
    title: isRefusal ? 'The API refused your token' : 'The API failed',
    text: isRefusal
      ? `It answered ${status}. Is the token for this API (SCOPE), and may you use it?`
      : `It answered ${status}. You are signed in; try again in a moment.`,
    next: again,
  };
}

function signInFailure({ code, status, provider }: WebSignInError, again: Failure['next'] & object): Failure {
  if (code === 'provider_unreachable') {
    return {
      status,
      title: 'The identity provider can’t be reached',
      text: 'Without it nobody can sign in, and no token can be refreshed. If you were signed in, you still are: try again in a moment.',
      next: again,
    };
  }
  if (code === 'sign_in_refused') {
    const said = [provider?.error, provider?.description].filter((part) => part !== '');
    const text = `The identity provider answered: ${said.join(': ') || 'nothing'}`;
    return { status, title: 'You are not signed in', text, next: SIGN_IN };
  }
  const text =
    code === 'sign_in_unknown'
      ? 'This answer belongs to no sign-in that was begun in this browser, or to one that has been answered.'
      : `The sign-in did not end well (${code}). Whoever runs this app finds more in its log.`;
  return { status, title: 'You are not signed in', text, next: SIGN_IN };
}
