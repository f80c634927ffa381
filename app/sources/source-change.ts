/** Describes what a program changed in its cache between two readings, without secrets. */
import { type CachedAccount, cachedAccounts, nameOf, usernameOf } from 'tokenkeep/ipc';
import type { SourceReading } from 'tokenkeep/sources';

type Read = Pick<SourceReading, 'cache'> | null;

/**
 * Returns what changed: "Mara Lindqvist, 1 token refreshed." With several accounts, only their number. A token whose secret differs from
 * before was refreshed.
 *
 * @returns null if one of the two could not be read, or nothing changed
 */
export function changeBetween(before: Read, after: Read): string | null {
  if (before?.cache === null || after?.cache === null || before === null || after === null) return null;
  const [was, is] = [before.cache, after.cache].map((cache) => cachedAccounts(cache).byId);
  if (was === undefined || is === undefined) return null;
  const changes: { name: string; what: string }[] = [];
  for (const id of new Set([...was.keys(), ...is.keys()])) {
    const [old, now] = [was.get(id), is.get(id)];
    const what = changeOf(old, now);
    if (what !== null) changes.push({ name: nameIn(now ?? old), what });
  }
  const [first, ...others] = changes;
  if (first === undefined) return null;
  return others.length === 0 ? `${first.name}, ${first.what}.` : `${changes.length} accounts changed.`;
}

function changeOf(old: CachedAccount | undefined, now: CachedAccount | undefined): string | null {
  if (old === undefined) return 'signed in';
  if (now === undefined) return 'signed out';
  const [before, after] = [secretsOf(old), secretsOf(now)];
  const fresh = [...after].filter((secret) => !before.has(secret)).length;
  const gone = [...before].filter((secret) => !after.has(secret)).length;
  if (fresh > 0) return `${tokens(fresh)} ${gone > 0 ? 'refreshed' : 'added'}`;
  return gone > 0 ? `${tokens(gone)} removed` : null;
}

/** Access and refresh tokens: an ID token comes with each of them. */
function secretsOf({ accessTokens, refreshTokens }: CachedAccount): Set<string> {
  return new Set([...accessTokens, ...refreshTokens].map(({ secret }) => secret));
}

const tokens = (count: number): string => `${count} ${count === 1 ? 'token' : 'tokens'}`;

function nameIn(account: CachedAccount | undefined): string {
  return account === undefined
    ? ''
    : nameOf(account) || usernameOf(account) || (account.home_account_id ?? '');
}
