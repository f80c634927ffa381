/**
 * Scopes are sets (RFC 6749 §3.3): order does not matter, and neither does case, since the libraries write them in
 * the server's case, in the app's, or sorted. The scopes of OpenID Connect ask for other tokens than the access
 * token, so they do not count.
 */
import type { Entity } from './entities.ts';

const OPENID_SCOPES: ReadonlySet<string> = new Set(['openid', 'profile', 'offline_access', 'email']);

/** The scopes in a text, as they are written in it. */
export function scopesOf(text: string): string[] {
  return text.split(/\s+/).filter((scope) => scope !== '');
}

function significant(scopes: Iterable<string>): Set<string> {
  const set = new Set<string>();
  for (const scope of scopes) {
    const name = scope.toLowerCase();
    if (!OPENID_SCOPES.has(name)) set.add(name);
  }
  return set;
}

function significantIn(text: string): Set<string> {
  return significant(scopesOf(text));
}

function contains(set: ReadonlySet<string>, part: ReadonlySet<string>): boolean {
  for (const scope of part) if (!set.has(scope)) return false;
  return true;
}

function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  for (const scope of a) if (b.has(scope)) return true;
  return false;
}

/** Whether a token for `target` is good for everything in `wanted`. */
export function covers(target: string, wanted: readonly string[]): boolean {
  return contains(significantIn(target), significant(wanted));
}

/** Whether both are the same set. */
export function sameScopes(a: string, b: string): boolean {
  if (a === b) return true;
  const [left, right] = [significantIn(a), significantIn(b)];
  return left.size === right.size && contains(left, right);
}

/** Whether they have a scope in common. Two that hold nothing but OpenID scopes do. */
export function scopesOverlap(a: string, b: string): boolean {
  const [left, right] = [significantIn(a), significantIn(b)];
  return left.size === 0 && right.size === 0 ? true : overlap(left, right);
}

function text(entity: Entity, field: string): string {
  const value = entity[field];
  return typeof value === 'string' ? value : '';
}

/** The scopes that a token was given for: those granted, and those asked for where the provider named others. */
export function grantOf(token: Entity): string {
  const asked = text(token, 'requested_scopes');
  const target = text(token, 'target');
  return asked === '' ? target : `${target} ${asked}`;
}

/** The scopes of a text or a list that count, lower-cased; one empty one where there are none. For indexes. */
export function scopeKeys(scopes: string | readonly string[]): string[] {
  const set = significant(typeof scopes === 'string' ? scopesOf(scopes) : scopes);
  return set.size === 0 ? [''] : [...set];
}

/**
 * Whether an access token answers a request for these scopes: it was granted all of them; or it was the answer to a
 * request for exactly these, however little was granted; or, where the provider names what it grants in a form of its own
 * (AD FS says `openid`), they are among those asked for.
 */
export function answers(token: Entity, wanted: readonly string[]): boolean {
  const target = text(token, 'target');
  if (covers(target, wanted)) return true;
  const requested = text(token, 'requested_scopes');
  if (requested === '') return false;
  const [asked, want] = [significantIn(requested), significant(wanted)];
  if (!contains(asked, want)) return false;
  return want.size === asked.size || !overlap(asked, significantIn(target));
}
