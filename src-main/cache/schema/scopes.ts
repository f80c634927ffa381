/**
 * Scopes are sets (RFC 6749 §3.3): order does not matter. Case does not matter either, because libraries write scopes as
 * the server or the app spells them. OpenID Connect scopes are ignored, because they request other tokens than the
 * access token.
 */
import type { Entity } from './entities.ts';

const OPENID_SCOPES: ReadonlySet<string> = new Set(['openid', 'profile', 'offline_access', 'email']);

/** Splits a text into scopes and keeps their spelling. */
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

/** Returns whether `target` contains all wanted scopes. */
export function covers(target: string, wanted: readonly string[]): boolean {
  return contains(significantIn(target), significant(wanted));
}

/** Returns whether both texts contain the same scopes. */
export function sameScopes(a: string, b: string): boolean {
  if (a === b) return true;
  const [left, right] = [significantIn(a), significantIn(b)];
  return left.size === right.size && contains(left, right);
}

/** Returns whether they have a scope in common. Two texts with only OpenID Connect scopes overlap. */
export function scopesOverlap(a: string, b: string): boolean {
  const [left, right] = [significantIn(a), significantIn(b)];
  return left.size === 0 && right.size === 0 ? true : overlap(left, right);
}

function text(entity: Entity, field: string): string {
  const value = entity[field];
  return typeof value === 'string' ? value : '';
}

/** Returns the granted scopes of a token, and the requested ones if the provider granted others. */
export function grantOf(token: Entity): string {
  const asked = text(token, 'requested_scopes');
  const target = text(token, 'target');
  return asked === '' ? target : `${target} ${asked}`;
}

/** Returns index keys: the scopes without OpenID Connect scopes, lower-cased; one empty key if there are none. */
export function scopeKeys(scopes: string | readonly string[]): string[] {
  const set = significant(typeof scopes === 'string' ? scopesOf(scopes) : scopes);
  return set.size === 0 ? [''] : [...set];
}

/**
 * Returns whether an access token matches a request for these scopes: all of them were granted; or exactly these were
 * requested, however few were granted; or they are among the requested ones, and the provider names granted scopes in its
 * own form (AD FS returns `openid`).
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
