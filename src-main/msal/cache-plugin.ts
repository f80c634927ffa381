import { flightOf } from './flight.ts';
import type { CacheHandle } from '../cache/handle.ts';
import { InvalidArgumentError } from '../errors.ts';
import { checkArgument, having, type Kind } from '../options.ts';
import type { CachePlugin, SerializableTokenCache, TokenCacheContext } from './library.ts';
import { LibraryMemory, type MissingChanges } from './library-memory.ts';
import type { TokenCache } from '../cache/token-cache.ts';

/**
 * Maximum duration of an access, in milliseconds. MSAL closes each access within its next synchronous steps, but an app that creates its
 * own context may never close it, and other accesses must not wait forever.
 */
const OPEN_AT_MOST = 2_000;

/**
 * The plugin that filled the memory of an MSAL application last. A client that is shared by several plugins, one for each user, is a
 * mistake, and what MSAL changes outside of an access could then be anybody's: only the plugin that filled the memory may save it.
 */
const filledBy = new WeakMap<SerializableTokenCache, Application>();

/** An access between `beforeCacheAccess` and `afterCacheAccess`. */
interface Access {
  epoch: number | undefined;
  end: () => void;
}

/**
 * Creates a cache plugin that keeps the token cache of `@azure/msal-node`, majors 2 to 7, in a vault or a partition.
 *
 * MSAL sees changes by other processes and libraries. An account that was removed elsewhere disappears from MSAL's memory. MSAL's changes
 * are merged field by field, so no update is lost, and its removals (a refresh token that the provider refused) apply to all processes.
 * `removeAccount` signs the account out: every entry of the account is removed, whichever library wrote it. One plugin may serve several
 * applications.
 *
 * If the handle cannot be read or written, the MSAL call rejects with the handle's error. Tokens that MSAL got stay in its memory and are
 * saved with the next write.
 *
 * @param handle a vault, a partition, or a promise of one, since most apps build MSAL's configuration synchronously; if the promise
 *   rejects, each MSAL call rejects with its error
 * @example
 * import { PublicClientApplication } from '@azure/msal-node';
 * import { openVault } from 'tokenkeep';
 * import { msalCachePlugin } from 'tokenkeep/msal';
 *
 * const application = new PublicClientApplication({
 *   auth: { clientId: 'my-client-id' },
 *   cache: { cachePlugin: msalCachePlugin(openVault({ file: '/home/ada/.config/my-app/accounts.vault' })) },
 * });
 */
export function msalCachePlugin(handle: CacheHandle | Promise<CacheHandle>): CachePlugin {
  checkArgument('msalCachePlugin', 'handle', handle, HANDLE);
  const opening = Promise.resolve(handle);
  opening.catch(() => undefined); // Each access reports the error.
  const applications = new WeakMap<SerializableTokenCache, Application>();

  const applicationOf = (cache: SerializableTokenCache): Application => {
    const known = applications.get(cache);
    if (known !== undefined) return known;
    const application = new Application(cache, opening);
    applications.set(cache, application);
    keepFilled(cache, plugin);
    return application;
  };

  const plugin: CachePlugin = {
    beforeCacheAccess: async (context) => applicationOf(context.tokenCache).before(context),
    afterCacheAccess: async (context) => applicationOf(context.tokenCache).after(context),
  };
  return plugin;
}

const OPENED = having('', 'read', 'update');
const OPENING = having('', 'then');
const HANDLE: Kind = {
  is: (value) => OPENED.is(value) || OPENING.is(value),
  what: 'a vault, a partition or what `inMemory` returns, or a promise of one',
};

/** The state of one MSAL application. Serializes cache accesses, which MSAL lets overlap. */
class Application {
  readonly #cache: SerializableTokenCache;
  readonly #memory: LibraryMemory;
  readonly #opening: Promise<CacheHandle>;
  readonly #accesses = new WeakMap<TokenCacheContext, Access>();
  /** Resolves when the last requested access has ended. */
  #last: Promise<void> = Promise.resolve();
  /** Ends the open access; undefined if none is open. */
  #open: (() => void) | undefined;
  #isSaving = false;
  /** The `epoch` of the handle when MSAL's memory was last updated. */
  #epoch: number | undefined;

  constructor(cache: SerializableTokenCache, opening: Promise<CacheHandle>) {
    this.#cache = cache;
    this.#memory = new LibraryMemory(cache);
    this.#opening = opening;
    this.#memory.onChange(() => void this.#saveSoon());
  }

  async before(context: TokenCacheContext): Promise<void> {
    this.#accesses.get(context)?.end(); // The app reuses a context that is still open.
    const end = await this.#turn();
    try {
      const handle = await this.#opening;
      if (filledBy.get(this.#cache) === this) this.#memory.note();
      // A vault that cannot be written can still be read. Unsaved changes are kept for the next write.
      await this.#save(handle, this.#epoch).catch(() => undefined);
      await this.#fill(handle);
      const timer = setTimeout(end, OPEN_AT_MOST).unref();
      const ended = (): void => {
        clearTimeout(timer);
        end();
      };
      this.#accesses.set(context, { epoch: this.#epoch, end: ended });
      this.#open = end;
    } catch (error) {
      end(); // MSAL does not call `afterCacheAccess` after a failure.
      throw error;
    }
  }

  async #fill(handle: CacheHandle): Promise<void> {
    const current = flightOf(this.#cache, handle);
    if (current?.filled === this && filledBy.get(this.#cache) === this) {
      this.#memory.load(undefined);
      return;
    }
    const fill = (cache: TokenCache): { missing: MissingChanges | undefined; epoch: number | undefined } => ({
      missing: this.#memory.missingFrom(cache),
      epoch: handle.epoch,
    });
    const seen = current?.handle === handle ? current.seen : undefined;
    const isUnchanged = seen !== undefined && seen.cache.version === seen.version;
    const found = isUnchanged ? fill(seen.cache) : await handle.read(fill);
    filledBy.set(this.#cache, this);
    this.#memory.load(found.missing);
    this.#epoch = found.epoch;
    if (current !== undefined) current.filled = this;
  }

  /** Saves MSAL's changes. The context may be one that the app created itself. */
  async after(context: TokenCacheContext): Promise<void> {
    const access = this.#accesses.get(context);
    this.#accesses.delete(context);
    if (access !== undefined && !context.cacheHasChanged) {
      access.end();
      return;
    }
    const end = access?.end ?? (await this.#turn());
    try {
      this.#assertOwn();
      this.#memory.note({ everything: true });
      await this.#save(await this.#opening, access === undefined ? this.#epoch : access.epoch);
    } finally {
      end();
    }
  }

  /** @throws InvalidArgumentError if another plugin has refilled MSAL's memory: what is in it belongs to another cache */
  #assertOwn(): void {
    const last = filledBy.get(this.#cache);
    if (last === undefined || last === this) return;
    throw new InvalidArgumentError(
      'One MSAL client was used with two caches at once, so what it holds may belong to another user. Nothing was saved. Create a client for each cache.',
    );
  }

  /** Waits until no other access is open. */
  async #turn(): Promise<() => void> {
    const last = this.#last;
    let resolve = (): void => undefined;
    this.#last = new Promise<void>((done) => {
      resolve = done;
    });
    await last;
    const end = (): void => {
      if (this.#open === end) this.#open = undefined;
      resolve();
    };
    return end;
  }

  async #save(handle: CacheHandle, epoch: number | undefined): Promise<void> {
    const { any, removesAccount } = this.#memory.pending;
    if (!any) return;
    const { change, saved } = this.#memory.save();
    const began = flightOf(this.#cache, handle)?.epoch ?? epoch;
    const since = began === undefined ? {} : { since: began };
    // If older copies cannot be made unreadable now, still remove the account.
    if (removesAccount && handle.erase !== undefined)
      await handle.erase(change).catch(() => handle.update(change, since));
    else await handle.update(change, since);
    saved();
  }

  /**
   * Saves what MSAL changes outside of any access: it drops a refresh token that the provider refused and calls no hook. Other processes
   * would send that token again. If it can't be saved now, the next access tries again.
   */
  async #saveSoon(): Promise<void> {
    if (this.#open !== undefined || this.#isSaving || filledBy.get(this.#cache) !== this) return;
    this.#isSaving = true;
    const end = await this.#turn();
    this.#isSaving = false;
    try {
      if (filledBy.get(this.#cache) !== this) return;
      this.#memory.note();
      if (this.#memory.pending.any) await this.#save(await this.#opening, this.#epoch);
    } catch {
      // The change stays pending.
    } finally {
      end();
    }
  }
}

/**
 * [Note: MSAL empties its memory] From major 3 MSAL refills its memory before each silent request: it removes everything in it, one key
 * after the other, calls the plugin, and copies what is there then (`TokenCache.overwriteCache`). This plugin keeps the memory equal to the
 * cache, so all that is left to do is to call it: in this instance the method is replaced by one that does. That also keeps requests
 * that overlap from finding the memory empty, and from losing what one of them has written so far.
 *
 * What MSAL keeps beside the entities (metadata of authorities, throttling) stays, too, as it does where MSAL has no plugin.
 * `clearCache()` empties the memory as ever; then, and in an MSAL without this method, LiveStore puts back what was in it.
 */
function keepFilled(cache: SerializableTokenCache, own: CachePlugin): void {
  if (!overwrites(cache)) return;
  // An app may have put a plugin of its own around this one.
  const plugin = 'persistence' in cache && isPlugin(cache.persistence) ? cache.persistence : own;
  cache.overwriteCache = async () => {
    const context = { tokenCache: cache, cacheHasChanged: false };
    await plugin.beforeCacheAccess(context);
    await plugin.afterCacheAccess(context);
  };
}

function overwrites(
  cache: SerializableTokenCache,
): cache is SerializableTokenCache & { overwriteCache(): Promise<void> } {
  return 'overwriteCache' in cache && typeof cache.overwriteCache === 'function';
}

function isPlugin(value: unknown): value is CachePlugin {
  if (typeof value !== 'object' || value === null) return false;
  return 'beforeCacheAccess' in value && 'afterCacheAccess' in value;
}
