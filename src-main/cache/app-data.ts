/**
 * [Note: app data in the cache] Data that an app keeps beside the entries of a cache: profiles, histories of accounts, activity. It is
 * stored in separate roots of the cache document, which no MSAL library touches, so it is committed together with the entries that it is
 * about. `merge` leaves it out, so an imported document can't bring its own.
 */
import { Entry } from './entry.ts';
import { storeOf, type TokenCache } from './token-cache.ts';

const PREFIX = 'Tokenkeep:';

/** Whether a root of a cache document holds app data. */
export const isAppData = (section: string): boolean => section.startsWith(PREFIX);

/**
 * Returns the value stored under a name, as frozen JSON; undefined if there is none.
 *
 * @example
 * import { appData } from 'tokenkeep/ipc';
 *
 * const settings = await vault.read((cache) => appData(cache, 'my-app settings'));
 */
export function appData(cache: TokenCache, name: string): unknown {
  return storeOf(cache).kept(PREFIX + name)?.value;
}

/**
 * Keeps a value under a name, inside an update. Searches ignore it.
 *
 * @param value JSON without the ids of accounts: a sign-out removes what names the account; undefined removes the value
 *
 * @example
 * import { setAppData } from 'tokenkeep/ipc';
 *
 * await vault.update((cache) => setAppData(cache, 'my-app settings', { theme: 'dark' }));
 */
export function setAppData(cache: TokenCache, name: string, value: unknown): void {
  const store = storeOf(cache);
  store.run(() => {
    if (value === undefined) store.drop({ section: PREFIX + name, key: null });
    else store.put(Entry.of(PREFIX + name, null, JSON.parse(JSON.stringify(value)) as unknown));
  });
}

/** Returns the name of the app data in a root of a cache document; undefined if the root holds none. */
export const appDataOf = (section: string): string | undefined =>
  isAppData(section) ? section.slice(PREFIX.length) : undefined;

/** Returns the names under which values are stored. */
export function appDataNames(cache: TokenCache): string[] {
  return storeOf(cache)
    .keptRoots()
    .flatMap(({ section }) => appDataOf(section) ?? []);
}
