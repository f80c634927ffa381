import { AsyncLocalStorage } from 'node:async_hooks';
import { NoRequestError } from '../errors.ts';
import type { Partition } from './partitioned-caches.ts';

/** How a request gets its client. */
export interface PerRequestOptions<Client> {
  /** Makes the client of one request: called once for each that asks for it. Share its configuration, not the client. */
  client: (partition: Partition) => Client;
}

/** One client of a library for each request. */
export interface PerRequest<Client> {
  /**
   * Runs what answers a request, as middleware does: `perRequest.run(caches.partition(req.session.id), next)`. All that `fn` starts, and awaits,
   * belongs to this request.
   */
  run<T>(partition: Partition, fn: () => T): T;
  /** @throws NoRequestError outside of `run` */
  readonly client: Client;
  /** The same cache without the client, e.g. to sign out. @throws NoRequestError outside of `run` */
  readonly partition: Partition;
}

/**
 * One client for each request, whose cache is that request's, for libraries that keep a cache in the client: MSAL Node.
 *
 * A client of MSAL Node that is shared by all users can't be made safe from outside: it has one cache in memory, loads a
 * partition into it, and looks things up later, when another request may have loaded another one. So here the client is
 * made for the request, and one that was kept and is used while another request runs, or none, is refused its cache: it
 * throws NoRequestError, and nobody's tokens are read or written.
 */
export function perRequest<Client>({ client: make }: PerRequestOptions<Client>): PerRequest<Client> {
  const requests = new AsyncLocalStorage<Request<Client>>();
  const current = (): Request<Client> => requests.getStore() ?? refuse('No request is running');
  return {
    run: (partition, fn) => {
      const request: Request<Client> = {
        partition: guarded(partition, () => {
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
    `${what}, so it is not known whose tokens are meant. Nothing was read or written. Ask for the client inside run(), in each request.`,
  );
}

/** The same partition, and a check before each use of it. */
function guarded(partition: Partition, check: () => void): Partition {
  return {
    key: partition.key,
    read: async (fn) => {
      check();
      return partition.read(fn);
    },
    update: async (fn) => {
      check();
      return partition.update(fn);
    },
    signOut: async (home_account_id) => {
      check();
      return partition.signOut(home_account_id);
    },
    remove: async () => {
      check();
      return partition.remove();
    },
    exclusively: async (name, task) => {
      check();
      return partition.exclusively(name, task);
    },
  };
}
