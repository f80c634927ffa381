/**
 * Scopes are sets (RFC 6749 §3.3): order does not matter, and neither does case, since the libraries write them in
 * the server's case, in the app's, or sorted. The scopes of OpenID Connect ask for other tokens than the access
 * token, so they are no part of what it is good for.
 */
const OPENID_SCOPES: ReadonlySet<string> = new Set(['openid', 'profile', 'offline_access', 'email']);

/** The scopes of a target, as they are written in it. */
export function scopesOf(target: string): string[] {
  return target.split(/\s+/).filter((scope) => scope !== '');
}

function significant(scopes: Iterable<string>): Set<string> {
  const set = new Set<string>();
  for (const scope of scopes) {
    const name = scope.toLowerCase();
    if (!OPENID_SCOPES.has(name)) set.add(name);
  }
  return set;
}

/** Whether a token for `target` is good for everything in `wanted`. */
export function covers(target: string, wanted: readonly string[]): boolean {
  const have = significant(scopesOf(target));
  for (const scope of significant(wanted)) if (!have.has(scope)) return false;
  return true;
}

/** Whether both are the same set. */
export function sameScopes(a: string, b: string): boolean {
  if (a === b) return true;
  const left = significant(scopesOf(a));
  const right = significant(scopesOf(b));
  if (left.size !== right.size) return false;
  for (const scope of left) if (!right.has(scope)) return false;
  return true;
}

/** Whether they have a scope in common. Two that hold nothing but OpenID scopes do. */
export function scopesOverlap(a: string, b: string): boolean {
  const left = significant(scopesOf(a));
  const right = significant(scopesOf(b));
  if (left.size === 0 && right.size === 0) return true;
  for (const scope of left) if (right.has(scope)) return true;
  return false;
}
