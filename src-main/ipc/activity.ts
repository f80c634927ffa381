/**
 * The activity of the accounts: sign-ins, refreshes, refusals, copies, imports and other events. It is app data in the cache, so it is
 * encrypted with the tokens, and only the main process writes it.
 *
 * [Note: activity in chunks] Each change writes its whole root to the vault file. A root therefore holds only some
 * events: `activity-1`, `activity-2`, … The last one grows; the first ones are removed when they are too old.
 *
 * [Note: no wrong clock removes records] A clock may be ahead for a while, and what was removed by its time would be lost. An event is
 * therefore too old only if an event of an earlier day says so as well: removal counts from the newest time on record that is at least a
 * day before the one that is recorded now.
 */
import * as v from 'valibot';
import { folded, isRecord } from '../cache/json.ts';
import type { Refusal } from '../cache/account-status.ts';
import { isRefusedForGood } from '../cache/schema/expiry.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import type { CacheChange } from '../cache/schema/entities.ts';
import { nameOf, nameWithRealm, usernameOf } from './account-views.ts';
import { appDataOf } from '../cache/app-data.ts';
import { appData, appDataNames, setAppData } from '../cache/token-cache.ts';
import { changeHistory } from '../accounts/account-history.ts';
import {
  type AccountId,
  allTokensOf,
  type CachedAccount,
  cachedAccounts,
} from '../accounts/cached-accounts.ts';
import type { Activity, ActivityAccount, ActivityEvent, ActivityList } from './contract.ts';
import type { ServedVault } from './ports.ts';
import { type IdentifiedToken, tokenItems } from './token-views.ts';

/**
 * Seconds that an event is kept.
 *
 * @example
 * import { ACTIVITY_KEPT } from 'tokenkeep/ipc';
 *
 * console.log(`Activity is kept for ${ACTIVITY_KEPT / 86_400} days.`);
 */
export const ACTIVITY_KEPT = 90 * 86_400;
const DAY = 86_400;
/** Events of a chunk, and chunks: at most 10,000 events. */
const CHUNK = 50;
const MOST_CHUNKS = 200;
/** The maximum number of events that are sent to a window. */
const MOST_SENT = 2_000;
/** The maximum number of accounts that one event names. */
const MOST_NAMED = 20;

const PREFIX = 'activity-';

/**
 * Records an event inside an update. Events that are too old are removed.
 *
 * @example
 * import { activityAccount, type AccountId, findAccount, recordActivity } from 'tokenkeep/ipc';
 *
 * async function noteSignIn(id: AccountId, at: number): Promise<void> {
 *   await vault.update((cache) => {
 *     const account = activityAccount(findAccount(cache, id));
 *     const provider = 'https://id.example';
 *     recordActivity(cache, at, [account], { kind: 'sign-in', client_id: 'my-app', way: 'browser', provider });
 *   });
 * }
 */
export function recordActivity(
  cache: TokenCache,
  at: number,
  accounts: readonly ActivityAccount[],
  activity: Activity,
): void {
  const chunks = chunksOf(cache);
  const last = chunks.at(-1);
  // With the events of a newer version, which are not understood here but stay.
  const before = last === undefined ? undefined : appData(cache, name(last));
  const isFull = !Array.isArray(before) || before.length >= CHUNK;
  const number = (last ?? 0) + (isFull ? 1 : 0);
  const others = accounts.length - MOST_NAMED;
  const event = {
    at,
    accounts: accounts.slice(0, MOST_NAMED),
    ...(others > 0 && { others }),
    ...activity,
  };
  setAppData(cache, name(number), [...(isFull ? [] : (before as unknown[])), event]);
  const left = isFull ? [...chunks, number] : chunks;
  const gone = Math.max(left.length - MOST_CHUNKS, tooOld(cache, left, at));
  for (const chunk of left.slice(0, gone)) setAppData(cache, name(chunk), undefined);
}

/**
 * Records inside an update that a provider refused a refresh token of an account, in its activity and, if no other refresh token of it is
 * left, in its history: only then the account needs a sign-in. Call it if `isTokenRefused` says so, after the token was marked as refused,
 * as `acquireTokenSilent` does. Does nothing if the account was signed out meanwhile.
 *
 * @param refusal `client_id`: the app that the token was refused to; `provider`: the host that refused it
 * @example
 * import { type AccountId, recordRefusal, refusalReason } from 'tokenkeep/ipc';
 *
 * async function noteRefusal(id: AccountId, code: string, at: number): Promise<void> {
 *   const refusal = { reason: refusalReason(code), at, code, client_id: 'my-app', provider: 'id.example' };
 *   await vault.update((cache) => recordRefusal(cache, id, refusal));
 * }
 */
export function recordRefusal(
  cache: TokenCache,
  id: AccountId,
  { client_id, provider, ...refusal }: Refusal & { readonly client_id: string; readonly provider: string },
): void {
  const account = cachedAccounts(cache).byId.get(id);
  if (account === undefined) return;
  if (allTokensOf(account).refreshTokens.every(isRefusedForGood)) changeHistory(cache, id, { refusal });
  const { at, reason, code } = refusal;
  recordActivity(cache, at, [activityAccount(account)], {
    kind: 'refused',
    client_id,
    provider,
    reason,
    code,
  });
}

/** Returns how many of the chunks, from the first one, hold nothing but events that are too old. [Note: no wrong clock removes records] */
function tooOld(cache: TokenCache, chunks: readonly number[], now: number): number {
  const newest = (chunk: number, until: number): number | undefined =>
    eventsOf(cache, chunk)
      .map(({ at }) => at)
      .filter((at) => at <= until)
      .sort((a, b) => b - a)[0];
  let agreed: number | undefined;
  for (const chunk of chunks.toReversed()) {
    agreed = newest(chunk, now - DAY);
    if (agreed !== undefined) break;
  }
  if (agreed === undefined) return 0;
  let old = 0;
  for (const [index, chunk] of chunks.entries()) {
    const last = newest(chunk, now);
    // A chunk with nothing but times in the future is as old as the one after it.
    if (last === undefined) continue;
    if (last > agreed - ACTIVITY_KEPT) break;
    old = index + 1;
  }
  return old;
}

/**
 * Records an event in a change of its own, after something that changed no entry. Does nothing while the vault can't be written: an action
 * that the user confirmed does not fail because its record can't be saved.
 *
 * @returns whether the event was recorded
 */
export async function noteActivity(
  vault: Pick<ServedVault, 'status' | 'update'>,
  at: number,
  accounts: readonly CachedAccount[],
  activity: Activity,
): Promise<boolean> {
  const { state, bytes } = vault.status;
  if (state !== 'ready' || bytes === null) return false;
  try {
    await vault.update((cache) => recordActivity(cache, at, accounts.map(activityAccount), activity));
    return true;
  } catch {
    return false; // The status says that the vault can't be written.
  }
}

/**
 * Returns the events, newest first.
 *
 * @param id only those of this account; null: all
 * @param now seconds since the epoch
 */
export function activityOf(cache: TokenCache, id: AccountId | null, now: number): ActivityList {
  const events = chunksOf(cache).flatMap((chunk) =>
    eventsOf(cache, chunk).map((event, index) => ({ id: `${chunk}-${index}`, ...event })),
  );
  // Clocks may be set back, so the order of the records is not always that of the times. A time in the future was recorded while a clock
  // was ahead: its event stands, and gets old, with the event that was recorded after it.
  let after = now;
  const placed = events
    .toReversed()
    .map((event) => ({ event, at: event.at > now ? after : (after = event.at) }));
  const wanted = placed.filter(
    ({ event, at }) =>
      at > now - ACTIVITY_KEPT && (id === null || event.accounts.some((account) => account.id === id)),
  );
  wanted.sort((a, b) => b.at - a.at);
  return { events: wanted.slice(0, MOST_SENT).map(({ event }) => event), total: wanted.length };
}

/**
 * Removes all events inside an update, and records that.
 *
 * @example
 * import { clearActivity } from 'tokenkeep/ipc';
 *
 * await vault.update((cache) => clearActivity(cache, Math.floor(Date.now() / 1000)));
 */
export function clearActivity(cache: TokenCache, at: number): void {
  for (const chunk of chunksOf(cache)) setAppData(cache, name(chunk), undefined);
  recordActivity(cache, at, [], { kind: 'cleared' });
}

/** Whether a change concerns nothing but the activity: accounts and tokens are unchanged. */
export function isOnlyActivity({ entities, kept }: CacheChange): boolean {
  return (
    entities.length === 0 &&
    kept.length > 0 &&
    kept.every(({ section }) => appDataOf(section)?.startsWith(PREFIX))
  );
}

/**
 * Names an account in an event. Its name stays readable after the account has been removed, so it is "" if it is only the account's
 * `home_account_id`, of which nothing is left after a sign-out.
 *
 * @example
 * import { activityAccount, cachedAccounts } from 'tokenkeep/ipc';
 *
 * const named = [...cachedAccounts(cache).byId.values()].map(activityAccount);
 */
export function activityAccount(account: CachedAccount): ActivityAccount {
  const name = nameOf(account) ?? usernameOf(account);
  const isId = folded(name) === folded(account.home_account_id);
  return { id: account.id, name: isId ? '' : nameWithRealm(name, account) };
}

/** Names the accounts of an imported document, as they are in the cache after the merge. */
export function importedAccounts(cache: TokenCache, document: TokenCache): ActivityAccount[] {
  const { byId } = cachedAccounts(cache);
  return [...cachedAccounts(document).byId.keys()].flatMap((id) => {
    const account = byId.get(id);
    return account === undefined ? [] : [activityAccount(account)];
  });
}

/** The facts of a token that an event records, without its secret. */
export function activityToken(
  account: CachedAccount,
  { id, type }: IdentifiedToken,
  from?: string,
): {
  token: IdentifiedToken['type'];
  api: string | null;
  client_id: string;
  realm?: string;
  from?: string;
} {
  const item = tokenItems(account).find((candidate) => candidate.id === id);
  const api = type === 'AccessToken' ? (item?.audience ?? item?.scopes.join(' ') ?? null) : null;
  const realm = item?.realm ?? '';
  return {
    token: type,
    api,
    client_id: item?.client_id ?? '',
    ...(realm === '' ? {} : { realm }),
    ...(from === undefined ? {} : { from }),
  };
}

const name = (chunk: number): string => `${PREFIX}${chunk}`;

/** Returns the numbers of the chunks in ascending order. */
function chunksOf(cache: TokenCache): number[] {
  return appDataNames(cache)
    .filter((each) => each.startsWith(PREFIX))
    .map((each) => Number(each.slice(PREFIX.length)))
    .filter((number) => Number.isSafeInteger(number) && number > 0)
    .sort((a, b) => a - b);
}

const text = v.string();
const number = v.number();
const perhaps = v.nullable(text);
const tokenType = v.picklist(['AccessToken', 'RefreshToken', 'IdToken']);
const common = {
  at: number,
  accounts: v.array(v.object({ id: text, name: v.optional(text, '') })),
  others: v.exactOptional(number),
};
const aboutToken = {
  token: tokenType,
  api: perhaps,
  client_id: text,
  realm: v.exactOptional(text),
  from: v.exactOptional(text),
};
const shape = v.variant('kind', [
  v.object({
    ...common,
    kind: v.literal('sign-in'),
    client_id: text,
    way: v.picklist(['browser', 'device']),
    provider: text,
  }),
  v.object({
    ...common,
    kind: v.literal('refresh'),
    client_ids: v.array(text),
    apis: v.array(text),
    tokens: number,
    until: v.nullable(number),
    automatic: v.boolean(),
    realms: v.exactOptional(v.array(text)),
  }),
  v.object({
    ...common,
    kind: v.literal('refused'),
    client_id: text,
    provider: text,
    reason: v.picklist(['refused', 'expired', 'revoked']),
    code: perhaps,
  }),
  v.object({ ...common, kind: v.literal('reveal'), ...aboutToken }),
  v.object({
    ...common,
    kind: v.literal('copy'),
    ...aboutToken,
    form: v.picklist(['token', 'header', 'curl']),
  }),
  v.object({
    ...common,
    kind: v.literal('removal'),
    tokens: number,
    client_id: text,
    api: perhaps,
    realm: v.exactOptional(text),
  }),
  v.object({ ...common, kind: v.literal('sign-out'), tokens: number }),
  v.object({ ...common, kind: v.literal('import'), file: text, accountsAdded: number, tokensAdded: number }),
  v.object({ ...common, kind: v.literal('export'), file: text, accountsExported: number }),
  v.object({ ...common, kind: v.literal('rotation') }),
  v.object({ ...common, kind: v.literal('repair'), entries: number, undo: v.boolean() }),
  v.object({ ...common, kind: v.literal('cleared') }),
]);

type Recorded = Pick<ActivityEvent, 'at' | 'accounts' | 'others'> & Activity;

/** Validated chunks. App data is frozen, so the result stays true. */
const validated = new WeakMap<object, readonly Recorded[]>();

/** Returns the events of a chunk. Those of a newer version are skipped. */
function eventsOf(cache: TokenCache, chunk: number): readonly Recorded[] {
  const kept = appData(cache, name(chunk));
  if (!Array.isArray(kept)) return [];
  const before = validated.get(kept);
  if (before !== undefined) return before;
  const events = kept.flatMap((event: unknown) => {
    const result = isRecord(event) ? v.safeParse(shape, event) : null;
    return result?.success ? [result.output] : [];
  });
  validated.set(kept, events);
  return events;
}
