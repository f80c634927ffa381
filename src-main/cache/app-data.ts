import type { Entry } from './entry.ts';
import type { Store } from './store.ts';

// [Note: app data in the cache] Data that an app keeps beside the entries of a cache: profiles, histories of accounts, activity. It is
// stored in separate roots of the cache document, which no MSAL library touches, so it is committed together with the entries that it is
// about. `merge` leaves it out, so an imported document can't bring its own. A sign-out leaves it alone: the ID of an account is free text
// in an imported document and may equal any word in it. What is about an account is removed by the code that stores it.

const PREFIX = 'Tokenkeep:';

/** Returns the name of the root for app data of this name. */
export const rootOfAppData = (name: string): string => PREFIX + name;

/** Whether a root of a cache document holds app data. */
export const isAppData = (section: string): boolean => section.startsWith(PREFIX);

/** Returns the name of the app data in a root of a cache document; undefined if the root holds none. */
export const appDataOf = (section: string): string | undefined =>
  isAppData(section) ? section.slice(PREFIX.length) : undefined;

/** Returns the unrecognized roots that hold no app data. */
export function foreignRoots(store: Store): Entry[] {
  return store.keptRoots().filter(({ section }) => !isAppData(section));
}
