/** The grants of one client at one issuer, in a vault, a partition or memory. */
import { codeThatAsksUser } from '../cache/acquire.ts';
import { type Clock, systemClock } from '../cache/clock.ts';
import { Entry } from '../cache/entry.ts';
import { type CacheHandle, exclusively } from '../cache/handle.ts';
import { isRecord } from '../cache/json.ts';
import { CLOCK_SKEW } from '../cache/schema/expiry.ts';
import { hashText } from '../cache/schema/match.ts';
import { GRANT, type GrantItem } from '../cache/schema/grants.ts';
import { canonicalIssuer } from '../cache/schema/authorities.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import { GrantError, InvalidArgumentError, SignInRequiredError } from '../errors.ts';
import { checkOptions, FLAG, FUNCTION, SIGNAL, TEXT } from '../options.ts';
import {
  assertIssuer,
  checkedGrant,
  checkedPlace,
  expiryOf,
  type Grant,
  type GrantSummary,
  itemOf,
  type KeptGrant,
  keptGrant,
  keyOf,
  type Place,
  refreshed,
  type Stored,
  storedIn,
  summaryOf,
  type TokenResponse,
  mismatch,
  mismatchIn,
  type Refusal,
} from './grant.ts';

/** Which grants `openGrants` opens. */
export interface GrantsOptions {
  /** The issuer (RFC 8414): the URL of the authorization server, or whatever URL stands for it. */
  issuer: string;
  /** The client that the grants are filed under: its client ID, or a name if it registers dynamically. */
  client_id: string;
  /** Returns the time in seconds since the epoch. Default: the system clock. */
  now?: () => number;
}

/** Options of `fresh`. */
export interface FreshOptions {
  /** Aborts the wait. A refresh that is already under way is finished and kept all the same, so that no rotated token is lost. */
  signal?: AbortSignal;
  /** Seconds for which the access token must still be valid. Default: 60, limited to a quarter of its lifetime. */
  minLifetime?: number;
  /** An access token that an API refused before it expired. It is not returned. */
  rejected?: string;
  /** Milliseconds after which a refresh that has not answered is given up. Default: 30,000. */
  timeout?: number;
}

/**
 * Refreshes a grant at its provider.
 *
 * @param grant the grant, with its refresh token, keys and registration
 * @param signal aborted when the refresh is given up: after `timeout`, or when the turn is lost. Pass it to the request
 * @returns the token response, as it came. Reject with the provider's error; `invalid_grant` is recognized in the forms in which OAuth
 *   libraries report it
 */
export type RefreshGrant = (
  grant: KeptGrant & { readonly tokens: TokenResponse & { readonly refresh_token: string } },
  signal: AbortSignal,
) => Promise<TokenResponse | Readonly<Record<string, unknown>>>;

/** Seconds. */
const MARGIN = 60;
/** Milliseconds. */
const TIMEOUT = 30_000;

/** Hashes of refused refresh tokens whose refusal could not be written. */
const unwritten = new WeakMap<CacheHandle, Map<string, Refusal>>();

/**
 * Opens the grants of a client at an issuer. Nothing is read or written yet.
 *
 * @param handle a vault, a partition, or a cache in memory
 * @throws InvalidArgumentError
 * @example
 * import { openVault } from 'tokenkeep';
 * import { openGrants } from 'tokenkeep/oauth';
 *
 * const vault = await openVault({ file: '/home/ada/.config/my-app/accounts.vault' });
 * const grants = openGrants(vault, { issuer: 'https://id.example', client_id: 'my-app' });
 * await grants.add('work', { tokens: { access_token: 'secret', refresh_token: 'secret', expires_in: 300 } });
 */
export function openGrants(handle: CacheHandle, options: GrantsOptions): Grants {
  return new Grants(handle, options);
}

/**
 * The grants of one client at one issuer. Created by `openGrants`.
 *
 * @example
 * import { type Grants, openGrants } from 'tokenkeep/oauth';
 *
 * const grants: Grants = openGrants(vault, { issuer: 'https://id.example', client_id: 'my-app' });
 * if (await grants.remove('work')) console.log('Signed out.');
 */
export class Grants {
  readonly #handle: CacheHandle;
  readonly #now: Clock;
  readonly #at: Omit<Place, 'label'>;

  /** @internal `isResource`: the issuer is the resource that the grants are for, whose authorization server has a different issuer. */
  constructor(handle: CacheHandle, options: GrantsOptions, isResource = false) {
    checkOptions('openGrants', options, { issuer: TEXT, client_id: TEXT, now: FUNCTION });
    const { issuer, client_id, now = systemClock } = options;
    this.#at = { issuer, client_id, ...(isResource ? { isResource } : {}) };
    checkedPlace({ ...this.#at, label: '-' });
    this.#handle = handle;
    this.#now = () => Math.floor(now());
  }

  /** Returns the part of each grant that may be shown: no secrets. */
  async list(): Promise<GrantSummary[]> {
    const { issuer, client_id } = this.#at;
    return this.#handle.read((cache) =>
      itemsIn(cache)
        .filter((item) => item.client_id === client_id)
        .filter((item) => canonicalIssuer(item.authority) === canonicalIssuer(issuer))
        .map(summaryOf),
    );
  }

  /** Returns a grant; undefined if there is none under the label. */
  async get(label: string): Promise<KeptGrant | undefined> {
    const place = this.#place(label);
    return this.#handle.read((cache) => {
      const item = itemIn(cache, place);
      return item && keptGrant(item, opened(item));
    });
  }

  /**
   * Keeps a grant. All of it is kept verbatim.
   *
   * @param label the name to find it by: an account, a server, or a name that the user chose
   * @throws InvalidArgumentError if the grant can't be kept: `field` names the cause; GrantError `grant_exists` if there is a
   *   grant under the label and `replace` was not asked for. Nothing is changed
   */
  async add(label: string, grant: Grant, options: { replace?: boolean } = {}): Promise<KeptGrant> {
    const { replace = false } = checkOptions('add', options, { replace: FLAG }, 'Nothing was changed.');
    const place = this.#place(label);
    const checked = checkedGrant(grant);
    assertIssuer(checked, place);
    return this.#handle.update((cache) => {
      if (!replace && itemIn(cache, place) !== undefined) {
        throw new GrantError(
          'grant_exists',
          `There is a grant under the label “${label}” already. Nothing was changed. Pass \`replace: true\` to replace it.`,
        );
      }
      return put(cache, place, { grant: checked }, this.#now());
    });
  }

  /**
   * Changes a grant, or makes it if there is none, in one transaction.
   *
   * @param change gets the grant, and returns what to keep in its place; undefined removes it. Must be synchronous
   * @throws InvalidArgumentError if the result can't be kept. Nothing is changed
   */
  async change(
    label: string,
    change: (grant: KeptGrant | undefined) => Grant | undefined,
  ): Promise<KeptGrant | undefined> {
    const place = this.#place(label);
    return this.#handle.update((cache) => {
      const item = itemIn(cache, place);
      const before = item && opened(item);
      const changed = change(item && before && keptGrant(item, before));
      if (changed === undefined) {
        remove(cache, place);
        return undefined;
      }
      const grant = checkedGrant(changed);
      assertIssuer(grant, place);
      const isSame = before !== undefined && before.grant.tokens?.access_token === grant.tokens?.access_token;
      // A change that leaves the access token alone does not reset its age.
      const at = isSame && item !== undefined ? Number(item.cached_at ?? this.#now()) : this.#now();
      const wasDerived = before !== undefined && before.grant.expires_at === undefined;
      const { expires_at, ...rest } = grant;
      const own =
        wasDerived && expires_at === expiryOf(before.grant, Number(item?.cached_at ?? 0)) ? rest : grant;
      const refused = before?.refused;
      const isRefused = refused !== undefined && refused.hash === hashOf(grant);
      return put(cache, place, { grant: own, ...(isRefused ? { refused } : {}) }, at);
    });
  }

  /**
   * Removes a grant. In a vault, older copies of the file can't be opened afterwards, as after `signOut`. A refresh that is under way can't
   * bring it back. The provider is not told: revoke the tokens first (RFC 7009).
   *
   * @returns whether there was one
   */
  async remove(label: string): Promise<boolean> {
    const place = this.#place(label);
    const was = await this.#handle.read((cache) => itemIn(cache, place) !== undefined);
    if (!was) return false;
    if (this.#handle.erase === undefined) return this.#handle.update((cache) => remove(cache, place));
    return (await this.#handle.erase((cache) => remove(cache, place))).value;
  }

  /**
   * Returns the grant with an access token that is valid, refreshed if need be. Of all callers in all processes, one asks the provider, and
   * the others get what it got: providers that rotate refresh tokens treat reuse as theft (RFC 9700 §4.14.2).
   *
   * @example
   * ```ts
   * import { openGrants } from 'tokenkeep/oauth';
   *
   * const grants = openGrants(vault, { issuer: 'https://id.example', client_id: 'my-app' });
   * const { tokens } = await grants.fresh('work', async ({ tokens: { refresh_token } }, signal) => {
   *   const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token, client_id: 'my-app' });
   *   const response = await fetch('https://id.example/token', { method: 'POST', body, signal });
   *   return response.json();
   * });
   * ```
   *
   * @throws SignInRequiredError if there is no grant, it has no refresh token, the provider refused it (`invalid_grant`, which is
   *   remembered) or asks the user (`interaction_required` and the like; see `reason`), or it was signed out in the meantime; GrantError if
   *   the provider answered for another user or another issuer, which is remembered as a refusal; otherwise the error that `refresh`
   *   rejected with. The old grant is kept
   */
  async fresh(label: string, refresh: RefreshGrant, options: FreshOptions = {}): Promise<KeptGrant> {
    const place = this.#place(label);
    const { signal, timeout = TIMEOUT } = checkOptions('fresh', options, {
      signal: SIGNAL,
      minLifetime: true,
      rejected: TEXT,
      timeout: true,
    });
    signal?.throwIfAborted();
    const first = await this.#look(place);
    if (this.#isFresh(first, options)) return first.kept;
    const turn = exclusively(this.#handle, `grant ${keyOf(place)}`, async (lost) => {
      signal?.throwIfAborted();
      const now = await this.#look(place);
      // A token that another caller got while this one waited is returned, however short its lifetime.
      const isNews = accessTokenOf(now) !== accessTokenOf(first);
      if (this.#isFresh(now, isNews ? { ...options, minLifetime: 0 } : options)) return now.kept;
      const limits = [AbortSignal.timeout(timeout), ...(lost === undefined ? [] : [lost])];
      return this.#refresh(place, now, refresh, AbortSignal.any(limits));
    });
    return signal === undefined ? turn : abortable(turn, signal);
  }

  #place(label: string): Place {
    return checkedPlace({ ...this.#at, label });
  }

  /** @throws SignInRequiredError if there is no grant */
  #look(place: Place): Promise<Found> {
    return this.#handle.read((cache) => {
      const item = itemIn(cache, place);
      if (item === undefined) throw signInRequired('There is no grant under this label.');
      const stored = opened(item);
      return { item, stored, kept: keptGrant(item, stored) };
    });
  }

  #isFresh(found: Found, { minLifetime, rejected }: FreshOptions): boolean {
    const { stored, item } = found;
    const token = accessTokenOf(found);
    if (token === undefined || token === rejected) return false;
    const cachedAt = Number(item.cached_at ?? 0);
    const expires = expiryOf(stored.grant, cachedAt);
    if (expires === undefined) return true;
    if (cachedAt > this.#now() + CLOCK_SKEW) return false; // The clock was ahead, so the expiry is wrong as well.
    // At least one second: the clock has whole seconds, and a request takes time.
    const margin = minLifetime ?? Math.max(1, Math.min(MARGIN, (expires - cachedAt) / 4));
    return expires - margin > this.#now();
  }

  async #refresh(place: Place, found: Found, refresh: RefreshGrant, signal: AbortSignal): Promise<KeptGrant> {
    const { kept, stored } = found;
    const refresh_token = kept.tokens?.refresh_token;
    if (kept.tokens === undefined || refresh_token === undefined)
      throw signInRequired('A new access token is needed, and there is no refresh token.');
    const hash = hashText(refresh_token);
    const refused = stored.refused?.hash === hash ? stored.refused : unwritten.get(this.#handle)?.get(hash);
    if (refused?.other !== undefined) throw mismatch(refused.other, place);
    if (refused !== undefined)
      throw signInRequired('The provider refused the refresh token before.', { reason: 'invalid_grant' });
    const call = Promise.resolve(refresh({ ...kept, tokens: { ...kept.tokens, refresh_token } }, signal));
    const keep = async (): Promise<KeptGrant> => {
      let answer: unknown;
      try {
        answer = await call;
      } catch (cause) {
        await this.#assertNotAsking(place, hash, cause, cause);
        throw cause;
      }
      await this.#assertNotAsking(place, hash, answer);
      try {
        return await this.#keep(place, answer, refresh_token);
      } catch (error) {
        const other = mismatchIn(error);
        if (other !== undefined) await this.#refused(place, { hash, at: this.#now(), other });
        throw error;
      }
    };
    const keeping = keep();
    keeping.catch(() => undefined); // awaited below, unless the answer comes too late
    // An answer that comes too late is kept as well, if nothing else came in between. One that came in time is waited for until it is kept.
    const settled = call.then(
      () => undefined,
      () => undefined,
    );
    await abortable(settled, signal);
    return keeping;
  }

  /** @throws SignInRequiredError if the provider refused the refresh token or asks the user */
  async #assertNotAsking(place: Place, hash: string, outcome: unknown, cause?: unknown): Promise<void> {
    const reason = codeThatAsksUser(outcome);
    if (reason === undefined) return;
    if (reason === 'invalid_grant') await this.#refused(place, { hash, at: this.#now() });
    const why =
      reason === 'invalid_grant'
        ? 'The provider refused the refresh token.'
        : `The provider does not refresh this grant without asking the user (${reason}).`;
    throw signInRequired(why, { cause, reason });
  }

  #keep(place: Place, answer: unknown, redeemed: string): Promise<KeptGrant> {
    if (!isRecord(answer) || typeof answer['access_token'] !== 'string' || answer['access_token'] === '') {
      throw new InvalidArgumentError('The refresh returned no `access_token`. The old grant is unchanged.', {
        field: 'access_token',
      });
    }
    const { tokens } = checkedGrant({ tokens: answer });
    return this.#handle.update((cache) => {
      const item = itemIn(cache, place);
      if (item === undefined) throw signInRequired('The grant was signed out while it was being refreshed.');
      const { grant } = opened(item);
      // A new sign-in came in between: it is newer than the refresh.
      if (grant.tokens?.refresh_token !== redeemed) return keptGrant(item, { grant });
      return put(cache, place, { grant: refreshed(grant, tokens as TokenResponse, place) }, this.#now());
    });
  }

  /** [Note: refused once] Notes a refusal, so that no process sends the refresh token again. */
  async #refused(place: Place, refused: Refusal): Promise<void> {
    try {
      await this.#handle.update((cache) => {
        const item = itemIn(cache, place);
        if (item === undefined) return;
        const { grant } = opened(item);
        if (hashOf(grant) !== refused.hash) return;
        put(cache, place, { grant, refused }, Number(item.cached_at ?? 0));
      });
    } catch {
      // The vault can't be written now. This process remembers all the same.
      const known = unwritten.get(this.#handle) ?? new Map<string, Refusal>();
      unwritten.set(this.#handle, known.set(refused.hash, refused));
    }
  }
}

interface Found {
  readonly item: GrantItem;
  readonly stored: Stored;
  readonly kept: KeptGrant;
}

function accessTokenOf({ stored }: Found): string | undefined {
  return stored.grant.tokens?.access_token;
}

function hashOf({ tokens }: Grant): string {
  return hashText(tokens?.refresh_token ?? '');
}

function itemsIn(cache: TokenCache): GrantItem[] {
  return [...storeOf(cache).entries(GRANT)].flatMap(({ entity }) =>
    entity === null ? [] : [entity as GrantItem],
  );
}

function itemIn(cache: TokenCache, place: Place): GrantItem | undefined {
  return (storeOf(cache).entry(GRANT, keyOf(place))?.entity as GrantItem | null | undefined) ?? undefined;
}

/** @throws GrantError `grant_newer` */
function opened(item: GrantItem): Stored {
  const stored = storedIn(item);
  if (stored !== undefined) return stored;
  throw new GrantError(
    'grant_newer',
    `The grant “${item.label}” was written by a newer version of Tokenkeep, or by another program. It is unchanged. Update this program.`,
  );
}

function put(cache: TokenCache, place: Place, stored: Stored, at: number): KeptGrant {
  const item = itemOf(place, stored, at);
  storeOf(cache).run(() => storeOf(cache).put(Entry.of(GRANT, keyOf(place), item)));
  return keptGrant(item, stored);
}

function remove(cache: TokenCache, place: Place): boolean {
  const store = storeOf(cache);
  const key = keyOf(place);
  const was = store.entry(GRANT, key) !== undefined;
  store.run(() => store.drop({ section: GRANT, key }));
  return was;
}

function signInRequired(
  why: string,
  options: ConstructorParameters<typeof SignInRequiredError>[1] = {},
): SignInRequiredError {
  return new SignInRequiredError(`${why} The user has to sign in.`, options);
}

/** Rejects when the signal aborts. The work goes on, and its error is then ignored. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let end = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    end = () => signal.removeEventListener('abort', abort);
  });
  return Promise.race([work, aborted]).finally(end);
}
