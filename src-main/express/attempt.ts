/**
 * A sign-in in progress, in its own cookie. Any number of tabs may sign in at the same time, on any server, and only the browser
 * that began a sign-in can finish it.
 *
 * The cookie holds a random seed, from which `state`, `nonce` and the PKCE verifier are derived, and what the sign-in is for. `state` also
 * authenticates the rest of the cookie. Anyone who sees `state` in a URL learns neither the seed nor the other two.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { InvalidArgumentError } from '../errors.ts';

export interface Purpose {
  /** The path to return to. */
  readonly returnTo: string;
  /** The scopes that were asked for, space-separated. */
  readonly scopes: string;
  /** Seconds since the epoch. */
  readonly at: number;
}

export interface Attempt extends Purpose {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** S256 of the verifier (RFC 7636 §4.2). */
  readonly challenge: string;
}

/** How many seconds a sign-in may take. */
export const LONGEST_ATTEMPT = 900;
/** How many sign-ins of one browser may be in progress. One more drops the oldest. */
const MOST_ATTEMPTS = 8;
const LONGEST_VALUE = 2048;
/** Characters of the cookies of all sign-ins in progress. Servers and proxies accept 8 to 16 kB of headers, which the app needs too. */
const LONGEST_TOGETHER = 6144;

/**
 * @param home the path to return to if the one of the purpose does not fit
 * @throws InvalidArgumentError if the scopes alone don't fit into a cookie
 */
export function newAttempt(purpose: Purpose, home = '/'): { attempt: Attempt; value: string } {
  const seed = randomBytes(32).toString('base64url');
  const what = Buffer.from(JSON.stringify([purpose.returnTo, purpose.scopes, purpose.at])).toString(
    'base64url',
  );
  const value = `${seed}.${what}`;
  if (value.length > LONGEST_VALUE) {
    if (purpose.returnTo !== home) return newAttempt({ ...purpose, returnTo: home }, home);
    throw new InvalidArgumentError(
      `\`scopes\` has ${purpose.scopes.length} characters with those of the app, and a sign-in has room for about 1,400. Ask for fewer at a time. Nobody was signed in.`,
      { field: 'scopes' },
    );
  }
  return { attempt: attemptOf(seed, what, purpose), value };
}

/** Returns the attempt that an answer belongs to; undefined if this browser did not start it, or started it too long ago. */
export function attemptFor(state: string, value: string | undefined, now: number): Attempt | undefined {
  const [seed = '', what = ''] = value?.split('.', 2) ?? [];
  if (seed === '' || what === '') return undefined;
  if (!isSame(derived(seed, `state ${what}`), state)) return undefined;
  const purpose = purposeIn(what);
  if (purpose === undefined || now - purpose.at > LONGEST_ATTEMPT) return undefined;
  return attemptOf(seed, what, purpose);
}

/**
 * Returns the names of the cookies of older sign-ins to delete, so that one more fits into the browser's requests.
 *
 * @param next the length of the value of the new cookie
 */
export function supersededAttempts(
  cookies: ReadonlyMap<string, string>,
  prefix: string,
  next: number,
): string[] {
  const all = [...cookies].filter(([name]) => name.startsWith(prefix));
  const ages = all
    .map(([name, value]) => ({
      name,
      at: purposeIn(value.split('.')[1] ?? '')?.at ?? 0,
      length: name.length + value.length,
    }))
    .sort((a, b) => a.at - b.at);
  let together = next + ages.reduce((sum, { length }) => sum + length, 0);
  const superseded: string[] = [];
  // Proxies refuse a response with many long headers, so someone who planted many cookies could keep the user from signing in.
  for (const { name, length } of ages.slice(0, MOST_ATTEMPTS)) {
    if (ages.length - superseded.length < MOST_ATTEMPTS && together <= LONGEST_TOGETHER) break;
    superseded.push(name);
    together -= length;
  }
  return superseded;
}

function attemptOf(seed: string, what: string, purpose: Purpose): Attempt {
  const verifier = derived(seed, 'verifier');
  return {
    ...purpose,
    state: derived(seed, `state ${what}`),
    nonce: derived(seed, 'nonce'),
    verifier,
    challenge: createHash('sha256').update(verifier).digest('base64url'),
  };
}

function purposeIn(what: string): Purpose | undefined {
  try {
    const [returnTo, scopes, at] = JSON.parse(Buffer.from(what, 'base64url').toString()) as unknown[];
    if (typeof returnTo !== 'string' || typeof scopes !== 'string' || typeof at !== 'number')
      return undefined;
    return { returnTo, scopes, at };
  } catch {
    return undefined; // Not a cookie of ours.
  }
}

function derived(seed: string, purpose: string): string {
  return createHmac('sha256', Buffer.from(seed, 'base64url'))
    .update(`tokenkeep sign-in ${purpose}`)
    .digest('base64url');
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * Returns a path of this app, with query and fragment, if the text is one; undefined for an address of any other site, however a browser
 * might parse it.
 */
export function ownPath(text: unknown, origin: string): string | undefined {
  if (typeof text !== 'string' || !text.startsWith('/') || text.length > 1024) return undefined;
  // Browsers read a backslash as a slash, and leave out tabs and line breaks.
  if (/^\/[/\\]|[\u0000-\u0020\u007f]|\\/.test(text)) return undefined;
  if (!URL.canParse(text, origin)) return undefined;
  const url = new URL(text, origin);
  const path = `${url.pathname}${url.search}${url.hash}`;
  return url.origin === origin && !path.startsWith('//') ? path : undefined;
}
