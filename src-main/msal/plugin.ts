import type { CacheHandle } from '../cache/handle.ts';
import type { CachePlugin, SerializableTokenCache, TokenCacheContext } from './library.ts';
import { LibraryMemory } from './memory.ts';
import { keepFilled } from './overwrite.ts';

/** One MSAL application's memory, and the accesses to it, one after the other: MSAL itself lets them overlap. */
interface Application {
  memory: LibraryMemory;
  last: Promise<void>;
}

/** An access between `before` and `after`. */
interface Access {
  epoch: number | undefined;
  end(): void;
}

/**
 * Keeps the token cache of `@azure/msal-node`, major 2 to 7, in a vault or a partition:
 *
 *     new PublicClientApplication({ auth, cache: { cachePlugin: msalCachePlugin(vault) } })
 *
 * MSAL sees what other processes and libraries wrote, an account that was removed elsewhere is gone from its memory, and
 * what it writes is merged by fields: nobody's update is lost. `removeAccount` signs out: nothing of the account is left,
 * whatever library wrote it. One plugin may serve several applications.
 *
 * Where the handle can't save, the call of MSAL rejects with the handle's error; what MSAL got stays in its memory and
 * is saved with the next write.
 */
export function msalCachePlugin(handle: CacheHandle): CachePlugin {
  const applications = new WeakMap<SerializableTokenCache, Application>();
  const accesses = new WeakMap<TokenCacheContext, Access>();

  const applicationOf = (cache: SerializableTokenCache): Application => {
    const known = applications.get(cache);
    if (known !== undefined) return known;
    const application = { memory: new LibraryMemory(cache), last: Promise.resolve() };
    applications.set(cache, application);
    keepFilled(cache, plugin);
    return application;
  };

  const plugin: CachePlugin = {
    async beforeCacheAccess(context) {
      const application = applicationOf(context.tokenCache);
      const { memory, last } = application;
      let end = (): void => undefined;
      application.last = new Promise<void>((resolve) => {
        end = resolve;
      });
      try {
        await last;
        const found = await handle.read((cache) => ({ news: memory.newsIn(cache), epoch: handle.epoch }));
        memory.tell(found.news);
        accesses.set(context, { epoch: found.epoch, end });
      } catch (error) {
        end(); // MSAL does not come back after a failure.
        throw error;
      }
    },

    async afterCacheAccess(context) {
      const access = accesses.get(context);
      if (access === undefined) return;
      accesses.delete(context);
      const { memory } = applicationOf(context.tokenCache);
      try {
        if (context.cacheHasChanged) {
          memory.note();
          await save(handle, memory, access.epoch);
        }
      } finally {
        access.end();
      }
    },
  };
  return plugin;
}

async function save(handle: CacheHandle, memory: LibraryMemory, epoch: number | undefined): Promise<void> {
  const { any, departure } = memory.pending;
  if (!any) return;
  const { change, saved } = memory.save();
  const since = epoch === undefined ? {} : { since: epoch };
  // Where the older copies can't be made worthless now, the account is removed all the same.
  if (departure && handle.erase !== undefined)
    await handle.erase(change).catch(() => handle.update(change, since));
  else await handle.update(change, since);
  saved();
}
