import { AsyncLocalStorage } from 'node:async_hooks';
import type { AccountReference } from '../cache/schema/entities.ts';
import { NoRequestError } from '../errors.ts';
import { checkOptions, FUNCTION, requireOptions } from '../options.ts';
import type { Abortable } from '../waiting.ts';
import type { Partition } from './partitioned-caches.ts';

/** Options of `perRequest`. */
export interface PerRequestOptions<Client> {
  /** Creates the client of one request. Called at most once per request. Share the configuration, not the client. */
  client: (partition: Partition) => Client;
}

/**
 * One client of an OAuth library for each request.
 *
 * @example
 * import type { PerRequest } from 'tokenkeep/partitions';
 *
 * const accountsOf = (msal: PerRequest<object>) => msal.partition.read((cache) => cache.accounts());
 */
export interface PerRequest<Client> {
  /**
   * Runs the code that answers a request, as middleware does: `perRequest.run(caches.partition(req.session.id), next)`. Everything that
   * `fn` starts and awaits belongs to this request.
   */
  run<T>(partition: Partition, fn: () => T): T;
  /** The request's client, created on first access. @throws NoRequestError outside of `run` */
  readonly client: Client;
  /** The same cache without the client, e.g. to sign out. @throws NoRequestError outside of `run` */
  readonly partition: Partition;
}

/**
 * Makes one client, with its own cache, for each request: for libraries that keep a cache in the client, such as MSAL Node.
 *
 * A client of MSAL Node that all users share cannot be made safe by a wrapper: it has one cache in memory, loads a
 * partition into it and reads from it later, when another request may have loaded another partition. So the client is
 * created per request. A client that is kept and used outside its request cannot access its cache: it
 * throws NoRequestError, and nobody's tokens are read or written.
 *
 * @example
 * import { ConfidentialClientApplication } from '@azure/msal-node';
 * import type { IncomingMessage } from 'node:http';
 * import { msalCachePlugin } from 'tokenkeep/msal';
 * import { type PartitionedCaches, perRequest } from 'tokenkeep/partitions';
 *
 * const msal = perRequest({
 *   client: (partition) =>
 *     new ConfidentialClientApplication({ auth, cache: { cachePlugin: msalCachePlugin(partition) } }),
 * });
 * const middleware = (caches: PartitionedCaches) => (req: IncomingMessage & { cacheId: string }, _: unknown, next: () => void) =>
 *   msal.run(caches.partition(req.cacheId), next);
 */
export function perRequest<Client>(options: PerRequestOptions<Client>): PerRequest<Client> {
  const { client: make } = checkOptions('perRequest', options, { client: FUNCTION });
  requireOptions('perRequest', { client: make }, ['client']);
  const requests = new AsyncLocalStorage<Request<Client>>();
  const current = (): Request<Client> => requests.getStore() ?? refuse('No request is running');
  return {
    run: (partition, fn) => {
      const request: Request<Client> = {
        partition: new GuardedPartition(partition, () => {
          if (requests.getStore() !== request)
            refuse('This client belongs to another request, or to one that has ended');
        }),
        client: undefined,
      };
      return requests.run(request, fn);
    },
    get client() {
      const request = current();
      request.client ??= { made: make(request.partition) };
      return request.client.made;
    },
    get partition() {
      return current().partition;
    },
  };
}

interface Request<Client> {
  readonly partition: Partition;
  client: { readonly made: Client } | undefined;
}

function refuse(what: string): never {
  throw new NoRequestError(
    `${what}, so it is unknown whose tokens are meant. Nothing was read or written. Ask for the client inside run(), in each request.`,
  );
}

/** A partition that checks before each use that its request is running. */
class GuardedPartition implements Partition {
  readonly #partition: Partition;
  readonly #check: () => void;

  constructor(partition: Partition, check: () => void) {
    this.#partition = partition;
    this.#check = check;
  }

  get key(): string {
    return this.#partition.key;
  }

  get epoch(): number {
    return this.#partition.epoch ?? 0;
  }

  async read<T>(...args: Parameters<Partition['read']>): Promise<T> {
    return this.#checked().read(...args) as Promise<T>;
  }

  async update<T>(...args: Parameters<Partition['update']>): Promise<T> {
    return this.#checked().update(...args) as Promise<T>;
  }

  async signOut(account: string | AccountReference): ReturnType<Partition['signOut']> {
    return this.#checked().signOut(account);
  }

  async remove(): Promise<void> {
    return this.#checked().remove();
  }

  async exclusively<T>(
    name: string,
    task: (signal: AbortSignal) => Promise<T>,
    options?: Abortable,
  ): Promise<T> {
    return this.#checked().exclusively(name, task, options);
  }

  #checked(): Partition {
    this.#check();
    return this.#partition;
  }
}
