/** Access to the session of a request, through its session library and as currently stored. */
import { InvalidArgumentError, PartitionStoreError, SessionEndedError } from '../../errors.ts';
import { KeyedQueue } from '../../waiting.ts';
import { alarm } from '../deadline.ts';
import type { PartitionLeases } from '../partition-store.ts';
import { memoryLeases } from './memory-store.ts';

/**
 * The session of a request: the object of express-session, iron-session or @fastify/secure-session; for every other library a
 * function that returns the request's session, such as `() => req.session`.
 */
export type SessionSource = object | (() => object | null | undefined);

export interface SessionAccess {
  /** Returns a field as currently stored; undefined if the session has ended. */
  read(field: string): Promise<unknown>;
  /**
   * Sets a field (undefined removes it) and saves the session, if it is still the request's own and still exists in its store.
   *
   * @param check throws if the session must not be saved like this; the session is then unchanged
   * @throws SessionEndedError; PartitionStoreError `store_mismatch` if the session does not keep the field; what saving throws
   */
  write(field: string, value: unknown, check: (session: object) => void): Promise<void>;
  /** Runs a task that reads and then saves, one at a time for all requests of this process that share the session. */
  inTurn<T>(task: () => Promise<T>): Promise<T>;
  /** Leases among the requests of this process; absent if they cannot be coordinated. */
  readonly leases?: PartitionLeases;
}

/** Information about a session that Tokenkeep cannot determine itself. */
export interface SessionAccessOptions {
  /**
   * The response that carries the session's cookie. Once its headers are sent, the cookie cannot change any more, and an update
   * is refused instead of being lost.
   */
  response?: { readonly headersSent: boolean };
  /**
   * Whether the session still exists in its own store. Asked before each save, for sessions on a server that Tokenkeep cannot
   * see (koa-session with a store, @fastify/session): saving one that another request has ended would revive it.
   */
  isAlive?: (session: object) => boolean | Promise<boolean>;
}

/** @throws InvalidArgumentError if the session cannot be updated safely through this object */
export function accessTo(source: SessionSource, options: SessionAccessOptions, field: string): SessionAccess {
  if (typeof source === 'function')
    return new FollowedSession(source as () => object | null | undefined, options, field);
  if (!isObject(source)) {
    throw new InvalidArgumentError(
      'There is no session: does the session middleware run before this? Nothing was read or written.',
    );
  }
  if (isStoredSession(source)) return new StoredSession(source, field);
  if (!Object.isExtensible(source)) throw new InvalidArgumentError(`This session is read-only. ${NOTHING}`);
  const isIron = isFunction(property(source, 'updateConfig')) && isFunction(property(source, 'save'));
  // iron-session's destroy() removes all fields; if this one is missing, it has been called.
  if (isIron && property(source, field) === undefined) Reflect.set(source, field, {});
  if (isIron)
    return new RequestSession(() => (property(source, field) === undefined ? null : source), options, field);
  const isSecureSession = hasGetAndSet(source) && typeof property(source, 'deleted') === 'boolean';
  if (isSecureSession) return new RequestSession(() => source, options);
  throw new InvalidArgumentError(
    `This object does not show whether it is still the session of its request. Pass a function that returns the current one: sessionStore(() => req.session). ${NOTHING}`,
  );
}

const NOTHING = 'Nothing was read or written.';

/** The session that a function returns, in whatever way its library keeps it. */
class FollowedSession implements SessionAccess {
  readonly #source: () => object | null | undefined;
  readonly #request: RequestSession;
  readonly #field: string;
  readonly leases?: PartitionLeases;

  constructor(source: () => object | null | undefined, options: SessionAccessOptions, field: string) {
    this.#field = field;
    this.#source = () => {
      const session = source();
      assertFollowable(session, options);
      return session;
    };
    // Later, it may be: express-session removes the session that it destroys.
    if (source() === undefined)
      throw new InvalidArgumentError(
        `The function returned undefined instead of a session: does the session middleware run before this? If it does, this request has destroyed its session, the session's store is not connected, or its cookie is for another path. ${NOTHING}`,
      );
    this.#request = new RequestSession(this.#source, options);
    const { leases } = this.#now;
    if (leases !== undefined) this.leases = leases;
  }

  /** A session of express-session is watched in its store, also if a function returns it. */
  get #now(): SessionAccess {
    const session = this.#source();
    return isObject(session) && isStoredSession(session)
      ? new StoredSession(session, this.#field)
      : this.#request;
  }

  async read(field: string): Promise<unknown> {
    return this.#now.read(field);
  }

  async write(field: string, value: unknown, check: (session: object) => void): Promise<void> {
    return this.#now.write(field, value, check);
  }

  async inTurn<T>(task: () => Promise<T>): Promise<T> {
    return this.#now.inTurn(task);
  }
}

/** @throws InvalidArgumentError if the session can't be updated safely through a function */
function assertFollowable(session: unknown, { isAlive }: SessionAccessOptions): void {
  if (session !== undefined && session !== null && !isObject(session))
    throw new InvalidArgumentError(
      `The function returned a ${typeof session} instead of a session. Pass a function that returns the session object: sessionStore(() => req.session). ${NOTHING}`,
    );
  if (isFunction(property(session, 'then')))
    throw new InvalidArgumentError(
      `The function returned a promise of a session, so what is written would be lost. Await the session first: const session = await …; sessionStore(session). ${NOTHING}`,
    );
  // @fastify/session, and koa-session with a store.
  const isInStore = ['encryptedSessionId', 'externalKey'].some(
    (name) => typeof property(session, name) === 'string',
  );
  if (isInStore && isAlive === undefined)
    throw new InvalidArgumentError(
      `This session is kept in a store that cannot be seen from here, so a session that has ended would be revived. Pass isAlive, which asks that store. ${NOTHING}`,
      { field: 'isAlive' },
    );
}

/** A session in a cookie, or of a library whose store cannot be reached from its session. */
class RequestSession implements SessionAccess {
  readonly #current: () => object | null;
  readonly #options: SessionAccessOptions;
  readonly #keptField: string | undefined;

  /** @param keptField a field that is emptied but never removed */
  constructor(source: () => object | null | undefined, options: SessionAccessOptions, keptField?: string) {
    this.#options = options;
    this.#keptField = keptField;
    this.#current = () => {
      const session = source();
      return isObject(session) && property(session, 'deleted') !== true ? session : null;
    };
  }

  read(field: string): Promise<unknown> {
    const session = this.#current();
    return Promise.resolve(session === null ? undefined : get(session, field));
  }

  async write(field: string, value: unknown, check: (session: object) => void): Promise<void> {
    const session = this.#current() ?? ended();
    if (this.#options.response?.headersSent === true) tooLate();
    if (this.#options.isAlive !== undefined && !(await this.#options.isAlive(session))) {
      set(session, field, undefined); // @fastify/session saves the session at the end of the request, whatever happened to it.
      ended();
    }
    const before = get(session, field);
    const empty = field === this.#keptField ? {} : undefined;
    let next = value === undefined ? empty : value;
    set(session, field, next);
    // A session with `get` and `set` may have no way to remove a field, or keep null instead.
    if (next === undefined && get(session, field) !== undefined) set(session, field, (next = {}));
    try {
      check(session);
      if (this.#current() !== session) ended();
      await save(session);
      if (!isSame(get(this.#current() ?? ended(), field), next)) mismatch();
    } catch (error) {
      set(session, field, before);
      throw error;
    }
  }

  inTurn<T>(task: () => Promise<T>): Promise<T> {
    const session = this.#current();
    return session === null ? task() : shared(session).queue.run('', task);
  }
}

/** A session of express-session, with access to its store. */
class StoredSession implements SessionAccess {
  readonly #session: ExpressSession;

  constructor(session: ExpressSession, field: string) {
    this.#session = session;
    watch(session.req.sessionStore, field);
  }

  get leases(): PartitionLeases {
    return shared(this.#session.req.sessionStore).leases;
  }

  async read(field: string): Promise<unknown> {
    return property(await this.#stored(), field);
  }

  async write(field: string, value: unknown, check: (session: object) => void): Promise<void> {
    await this.#assertAlive();
    const session = this.#own(); // Checked after the store, so that nothing runs between this and the save.
    const before = property(session, field);
    set(session, field, value);
    try {
      check(session);
      saving.add(session);
      await saveWith(session, property(session, 'save'), true).finally(() => saving.delete(session));
      const stored = await this.#stored();
      if (stored === null) ended();
      if (!isSame(property(stored, field), value)) mismatch();
      alive.set(this.#session.req, this.#session.id);
    } catch (error) {
      set(session, field, before);
      throw error;
    }
  }

  inTurn<T>(task: () => Promise<T>): Promise<T> {
    return shared(this.#session.req.sessionStore).queue.run(this.#session.id, task);
  }

  /** Returns the request's session if it is still the same one. `reload()` creates another object with the same id. */
  #own(): object {
    const { req, id } = this.#session;
    const { session } = req;
    if (isDestroyed(req.sessionStore, id)) ended();
    if (isObject(session) && req.sessionID === id && property(session, 'id') === id) return session;
    return ended();
  }

  /** Checks that the session is in its store if the browser sent its id or it was saved. A new one is not stored yet. */
  async #assertAlive(): Promise<void> {
    const { req, id } = this.#session;
    this.#own();
    if ((await this.#stored()) !== null) {
      alive.set(req, id);
      return;
    }
    const cookies = property(property(req, 'headers'), 'cookie');
    const wasNamed =
      typeof cookies === 'string' && [id, encodeURIComponent(id)].some((name) => cookies.includes(name));
    const wasAlive = alive.get(req) === id;
    const isTooLate = property(property(req, 'res'), 'headersSent') === true;
    if (wasNamed || wasAlive || isTooLate) ended();
  }

  #stored(): Promise<object | null> {
    const { req, id } = this.#session;
    return new Promise((resolve, reject) => {
      const done = (error: unknown, found?: unknown): void => {
        if (isFailure(error)) reject(asError(error, 'The session could not be read.'));
        else resolve(isObject(found) ? found : null);
      };
      Reflect.apply(req.sessionStore.get, req.sessionStore, [id, done]);
    });
  }
}

/** As in express-session, ENOENT says that there is no such session: stores in files answer with it. */
function isFailure(error: unknown): boolean {
  return error !== undefined && error !== null && property(error, 'code') !== 'ENOENT';
}

interface SessionLibraryStore {
  readonly get: (...args: unknown[]) => unknown;
}

interface ExpressSession {
  readonly id: string;
  readonly req: {
    readonly sessionStore: SessionLibraryStore;
    session?: unknown;
    sessionID?: unknown;
  };
}

function isStoredSession(session: object): session is ExpressSession {
  const store = property(property(session, 'req'), 'sessionStore');
  return (
    typeof property(session, 'id') === 'string' &&
    isFunction(property(store, 'get')) &&
    isFunction(property(session, 'save'))
  );
}

/** By request: the id of a session that was found in its store. */
const alive = new WeakMap<object, string>();

/** By session store: the sessions that this process has destroyed. */
const destroyed = new WeakMap<object, Destroyed>();

interface Destroyed {
  /** Oldest first. */
  readonly ids: Set<string>;
  /** The store's own function. */
  readonly destroy: (id: string, done: (error?: unknown) => void) => unknown;
}
const MOST_DESTROYED = 10_000;

/** Sessions that are being saved by an update of a partition. */
const saving = new WeakSet<object>();

/** By session store: the fields that hold partitions. */
const fields = new WeakMap<object, Set<string>>();

function watch(store: SessionLibraryStore, field: string): void {
  const known = fields.get(store);
  known?.add(field);
  if (known !== undefined || !Object.isExtensible(store)) return;
  fields.set(store, new Set([field]));
  noteDestroyed(store);
  keepFields(store);
}

/**
 * Records which sessions this process destroys: one that another request destroys between our check of the store and our save would
 * be revived. Ids are random and never reused.
 */
function noteDestroyed(store: object): void {
  const destroy = property(store, 'destroy');
  if (!isFunction(destroy)) return;
  const ids = new Set<string>();
  destroyed.set(store, { ids, destroy: (...call) => Reflect.apply(destroy, store, call) });
  Reflect.set(store, 'destroy', function destroyNoted(this: unknown, id: unknown, ...rest: unknown[]) {
    if (typeof id === 'string') ids.add(id);
    const [oldest] = ids;
    if (ids.size > MOST_DESTROYED && oldest !== undefined) ids.delete(oldest);
    return Reflect.apply<unknown, unknown[], unknown>(destroy, this, [id, ...rest]);
  });
}

function isDestroyed(store: object, id: string): boolean {
  return destroyed.get(store)?.ids.has(id) === true;
}

/**
 * [Note: overtaken saves] A store with several connections, such as connect-pg-simple, may carry out a save after the `destroy` that was
 * called later. So a session that was destroyed while it was being saved is destroyed once more.
 *
 * @returns the arguments of `set` after the session, with a callback that does so
 */
function destroyingAgain(store: object, id: unknown, [callback, ...rest]: readonly unknown[]): unknown[] {
  const tell = isFunction(callback) ? callback : (): void => undefined;
  const saved = (...answer: unknown[]): void => {
    const known = destroyed.get(store);
    if (typeof id !== 'string' || known === undefined || !known.ids.has(id)) return void tell(...answer);
    new Promise<unknown>((resolve) => known.destroy(id, resolve)).then(
      (error) => tell(error ?? answer[0]),
      (error: unknown) => tell(error),
    );
  };
  return [saved, ...rest];
}

/** Milliseconds after which a session store that does not answer no longer holds up the session. */
const LONGEST_TURN = 5000;

/**
 * Keeps what express-session saves by itself from changing partitions. At the end of a request, it saves the whole session as it was when
 * the request began, if the app has changed a field: the tokens of a session that has ended meanwhile would come back, and those
 * that another request has written would be replaced by older ones. So the partitions in such a save are taken from the store.
 */
function keepFields(store: SessionLibraryStore): void {
  const set = property(store, 'set');
  if (!isFunction(set)) return;
  Reflect.set(
    store,
    'set',
    function setKept(this: unknown, id: unknown, session: unknown, ...rest: unknown[]) {
      const save = (it: unknown): unknown =>
        Reflect.apply(set, this, [id, it, ...destroyingAgain(store, id, rest)]);
      const held = [...(fields.get(store) ?? [])].filter((field) => property(session, field) !== undefined);
      if (typeof id !== 'string' || !isObject(session) || saving.has(session) || held.length === 0)
        return save(session);
      return shared(store).queue.run(
        id,
        () =>
          new Promise<void>((resolve) => {
            const done = (error: unknown, found?: unknown): void => {
              const [callback] = rest;
              if (!isFailure(error))
                save(withFields(session, held, isDestroyed(store, id) ? undefined : found));
              else if (isFunction(callback)) callback(error);
              cancel();
              resolve();
            };
            const cancel = alarm(LONGEST_TURN, resolve);
            try {
              Reflect.apply(store.get, store, [id, done]);
            } catch (error) {
              done(error ?? new Error('The session store failed.'));
            }
          }),
      );
    },
  );
}

/** Returns a copy of a session, with these fields taken from another one. */
function withFields(session: object, names: readonly string[], from: unknown): object {
  const copy = Object.create(
    Object.getPrototypeOf(session) as object | null,
    Object.getOwnPropertyDescriptors(session),
  ) as object;
  for (const name of names) set(copy, name, property(from, name));
  return copy;
}

/** By session store, or by session if there is no store. */
const sharedBy = new WeakMap<object, { queue: KeyedQueue; leases: PartitionLeases }>();

function shared(one: object): { queue: KeyedQueue; leases: PartitionLeases } {
  const known = sharedBy.get(one);
  if (known !== undefined) return known;
  const made = { queue: new KeyedQueue(), leases: memoryLeases(() => performance.now() / 1000) };
  sharedBy.set(one, made);
  return made;
}

export function get(session: object, field: string): unknown {
  return hasGetAndSet(session) ? session.get(field) : property(session, field);
}

function set(session: object, field: string, value: unknown): void {
  if (hasGetAndSet(session)) session.set(field, value);
  else if (value === undefined) Reflect.deleteProperty(session, field);
  else Reflect.set(session, field, value);
}

function hasGetAndSet(
  session: object,
): session is { get: (field: string) => unknown; set: (field: string, value: unknown) => unknown } {
  return isFunction(property(session, 'get')) && isFunction(property(session, 'set'));
}

function save(session: object): Promise<void> {
  const method = property(session, 'save');
  return isFunction(method) ? saveWith(session, method, false) : Promise.resolve();
}

/**
 * Waits for a `save` that takes a callback (express-session), returns a promise (iron-session), may do either (koa-session 7), or does
 * neither: that of koa-session before 6.4 only notes, in `_requireSave`, that the response is to save the session.
 *
 * @param callsBack it calls back whatever it returns
 */
function saveWith(session: object, method: unknown, callsBack: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: unknown): void => reject(asError(error, 'The session was not saved.'));
    const done = (error?: unknown): void =>
      error === undefined || error === null ? resolve() : failed(error);
    const result: unknown = Reflect.apply(method as () => unknown, session, [done]);
    if (callsBack) return;
    if (isObject(result) && isFunction(property(result, 'then')))
      Promise.resolve(result).then(() => resolve(), failed);
    else if ((method as () => unknown).length === 0 && property(session, '_requireSave') === true) resolve();
  });
}

function isSame(found: unknown, wanted: unknown): boolean {
  return JSON.stringify(found) === JSON.stringify(wanted);
}

function asError(error: unknown, message: string): Error {
  return error instanceof Error ? error : new Error(message, { cause: error });
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isFunction(value: unknown): value is (...args: unknown[]) => unknown {
  return typeof value === 'function';
}

function property(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}

function ended(): never {
  throw new SessionEndedError(
    'This session has ended (signed out, regenerated or expired), or is no longer the session of its request. Nothing was saved. Open the partition again from the current session.',
  );
}

function tooLate(): never {
  throw new SessionEndedError(
    'The response has begun, so the cookie that holds the session can no longer change. Nothing was saved. Update the partition before you send the response.',
  );
}

function mismatch(): never {
  throw new PartitionStoreError(
    'store_mismatch',
    'The session did not keep what was written to it. The tokens were not stored. Use a session that keeps all of its fields, or Redis or PostgreSQL.',
  );
}
