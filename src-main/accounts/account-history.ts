/**
 * The histories of accounts, kept beside their entries in the cache and encrypted with it: where they were imported from, which
 * provider issued their tokens, and what that provider refused. See [Note: app data in the cache].
 *
 * [Note: histories in chunks] Each change writes its whole root to the vault's file, so a root holds the histories of only a few accounts:
 * those whose IDs, which are hashes, have the same first two characters.
 */
import { isRecord, sameJson } from '../cache/json.ts';
import { GRANT, type GrantItem } from '../cache/schema/grants.ts';
import { addCounts, type MergeCounts, mergeOwn, mergePart, partsOf } from '../cache/document/merge.ts';
import type { Refusal } from '../cache/account-status.ts';
import { type Change, type Entry, inverse, placeOf } from '../cache/entry.ts';
import { cloudOf, issuerIn } from '../cache/schema/authorities.ts';
import {
  appData,
  appDataNames,
  apply,
  cacheOf,
  setAppData,
  storeOf,
  type TokenCache,
} from '../cache/token-cache.ts';
import { tokensOfGrant } from '../oauth/grant-tokens.ts';
import { type AccountId, type CachedAccount, cachedAccounts, idOf } from './cached-accounts.ts';

/** A signature that was verified with the provider's keys. */
export interface SignatureCheck {
  /** The key's `kid`; null if the token names none. */
  key_id: string | null;
  /** Seconds since the epoch. */
  at: number;
}

/** The history of an account, stored beside its entries. */
export interface AccountHistory {
  /** The provider refused to refresh it, and nothing has succeeded since. */
  refusal: Refusal | null;
  /** The file that the account was imported from; null if unknown, or if a sign-in here has replaced all that came from it. */
  source: string | null;
  /** Another program may still use the account's refresh tokens: the one that `source` belongs to, or, without a source, an unknown one. */
  shared: boolean;
  /** The client ids whose tokens are the vault's own although the account is `shared`: no later import brought tokens of theirs. */
  ownClients: readonly string[];
  /**
   * Its imported grants whose refresh tokens another program may still use, by a hash of these tokens: a rotated token belongs to the
   * program that rotated it.
   */
  sharedGrants: readonly string[];
  /** By client id: the issuer that the user signed in at, or agreed to send the refresh token to. */
  issuers: Readonly<Record<string, string>>;
  /** ID tokens whose signature was verified, by a hash of the token. See signatures.ts. */
  signatures: Readonly<Record<string, SignatureCheck>>;
}

const PREFIX = 'accounts-';
const NOTHING: AccountHistory = {
  refusal: null,
  source: null,
  shared: false,
  ownClients: [],
  sharedGrants: [],
  issuers: {},
  signatures: {},
};

/**
 * Returns the history of an account; an empty one if none is stored.
 *
 * @example
 * import { cachedAccounts, historyOf } from 'tokenkeep/ipc';
 *
 * const shared = await vault.read((cache) =>
 *   [...cachedAccounts(cache).byId.keys()].filter((id) => historyOf(cache, id).shared),
 * );
 */
export function historyOf(cache: TokenCache, id: AccountId): AccountHistory {
  const chunk = chunkNamed(cache, chunkOf(id));
  return Object.hasOwn(chunk, id) ? { ...NOTHING, ...chunk[id] } : NOTHING;
}

type Chunk = Readonly<Record<AccountId, Partial<AccountHistory>>>;

/** Returns the name of the app data that holds the history of an account. [Note: histories in chunks] */
const chunkOf = (id: AccountId): string => PREFIX + id.slice(0, 2);

function chunkNamed(cache: TokenCache, name: string): Chunk {
  const stored = appData(cache, name);
  if (!isRecord(stored)) return {};
  const histories = Object.entries(stored).filter(
    ([id, history]) => isRecord(history) && chunkOf(id) === name,
  );
  return Object.fromEntries(histories) as Chunk;
}

/** Returns the stored histories, without the members that equal those of an empty one. */
export function storedHistories(cache: TokenCache): Map<AccountId, Partial<AccountHistory>> {
  const names = appDataNames(cache).filter((name) => name.startsWith(PREFIX));
  return new Map(names.flatMap((name) => Object.entries(chunkNamed(cache, name))));
}

/**
 * Changes the history of an account, inside an update. Does nothing if the account is not in the cache.
 *
 * @example
 * import { type AccountId, changeHistory } from 'tokenkeep/ipc';
 *
 * async function keepForThisAppOnly(id: AccountId): Promise<void> {
 *   await vault.update((cache) => changeHistory(cache, id, { shared: false }));
 * }
 */
export function changeHistory(cache: TokenCache, id: AccountId, changes: Partial<AccountHistory>): void {
  changeHistories(cache, new Map([[id, changes]]));
}

/** Changes the histories of many accounts at once, because each call has to go through all accounts. */
function changeHistories(cache: TokenCache, changes: ReadonlyMap<AccountId, Partial<AccountHistory>>): void {
  const there = cachedAccounts(cache).byId;
  replaceHistories(
    cache,
    [...changes.keys()].filter((id) => there.has(id)),
    (id, before) => said({ ...before, ...changes.get(id) }),
  );
}

/** @param next returns an account's history from the one that is stored; undefined removes it */
function replaceHistories(
  cache: TokenCache,
  ids: readonly AccountId[],
  next: (id: AccountId, before: Partial<AccountHistory> | undefined) => Partial<AccountHistory> | undefined,
): void {
  for (const id of ids) {
    const name = chunkOf(id);
    const chunk = new Map(Object.entries(chunkNamed(cache, name)));
    const history = next(id, chunk.get(id));
    if (history === undefined) chunk.delete(id);
    else chunk.set(id, history);
    setAppData(cache, name, chunk.size === 0 ? undefined : Object.fromEntries(chunk));
  }
}

/** Returns a history without the members that equal those of an empty one, because a vault reads all histories when it is opened. */
function said(history: Partial<AccountHistory>): Partial<AccountHistory> {
  const members = Object.entries(history).filter(
    ([name, value]) => !sameJson(value, NOTHING[name as keyof AccountHistory]),
  );
  return Object.fromEntries(members);
}

/** Drops the histories of accounts that are no longer in the cache, inside an update. A later sign-in starts a new history. */
export function dropOldHistories(cache: TokenCache): void {
  const stored = storedHistories(cache);
  if (stored.size === 0) return;
  const there = cachedAccounts(cache).byId;
  drop(
    cache,
    [...stored.keys()].filter((id) => !there.has(id)),
  );
}

/** Does what `dropOldHistories` does for the accounts that these changes removed. Its cost depends on those accounts, not on all. */
export function dropHistoriesOfRemoved(cache: TokenCache, changes: readonly Change[]): void {
  const items = changes.filter((change) => placeOf(change).key !== null);
  const accounts = new Set(
    items.flatMap(({ before, after }) => [before, after].flatMap((one) => one?.account ?? [])),
  );
  const left = [...accounts].flatMap((account) => storeOf(cache).ofAccount(account));
  const before = cacheOf(left);
  apply(before, items.map(inverse));
  const there = idsOf(left);
  const entries = storeOf(before).all();
  // Without an account entity, the first entry of a user decides whether the ID has the issuer, and their order is not known any more.
  const isIssued = ({ entity }: Entry): boolean => issuerIn(entity) !== '';
  const ids = [entries, entries.filter(isIssued), entries.filter((one) => !isIssued(one))].flatMap((some) => [
    ...idsOf(some),
  ]);
  drop(
    cache,
    ids.filter((id) => !there.has(id)),
  );
}

function idsOf(entries: readonly Entry[]): ReadonlySet<AccountId> {
  return new Set(cachedAccounts(cacheOf(entries)).byId.keys());
}

function drop(cache: TokenCache, ids: readonly AccountId[]): void {
  const stored = ids.filter((id) => Object.hasOwn(chunkNamed(cache, chunkOf(id)), id));
  replaceHistories(cache, stored, () => undefined);
}

/**
 * Merges what a sign-out removed from this cache, inside an update. Entries and histories that the cache got since are newer and stay.
 *
 * @param removed the removed entries, with the histories that were removed with them
 */
export function putBack(cache: TokenCache, removed: TokenCache): void {
  mergeOwn(cache, removed);
  const present = storedHistories(cache);
  const missing = [...storedHistories(removed)].filter(([id]) => !present.has(id));
  if (missing.length > 0) changeHistories(cache, new Map(missing));
}

/**
 * Marks all refresh tokens and grants of accounts whose histories may be lost as used by another program as well, inside an update. What
 * is lost is lost in whole chunks.
 */
export function markUnknownAsShared(cache: TokenCache): void {
  const accounts = [...cachedAccounts(cache).byId.values()];
  const unknown = accounts.filter(({ id }) => appData(cache, chunkOf(id)) === undefined);
  markAsShared(cache, unknown, null);
}

/**
 * Marks all refresh tokens and grants in the cache as used by another program as well, inside an update.
 *
 * @param source the file that they came from
 */
export function markAllAsShared(cache: TokenCache, source: string | null): void {
  markAsShared(cache, cachedAccounts(cache).byId.values(), source);
}

function markAsShared(cache: TokenCache, accounts: Iterable<CachedAccount>, source: string | null): void {
  const changes = new Map<AccountId, Partial<AccountHistory>>();
  for (const account of accounts) {
    const sharedGrants = grantsOf(account).map(grantMark);
    const shared = account.refreshTokens.length > 0;
    if (shared || sharedGrants.length > 0)
      changes.set(account.id, { source, sharedGrants, ...(shared ? { shared, ownClients: [] } : {}) });
  }
  if (changes.size > 0) changeHistories(cache, changes);
}

/**
 * Returns the sentence of a confirmation prompt that says why refreshing an account whose history is `shared` may sign another
 * program out.
 *
 * @param who the account's name
 * @param source the history's `source`
 * @example
 * import { type AccountId, historyOf, sharedText } from 'tokenkeep/ipc';
 *
 * async function questionFor(id: AccountId, name: string): Promise<string> {
 *   const { source } = await vault.read((cache) => historyOf(cache, id));
 *   return `${sharedText(name, source)} Refresh it?`;
 * }
 */
export function sharedText(who: string, source: string | null): string {
  return source === null
    ? `A damaged part of the vault was lost, and with it whether ${who} was imported. Another program that uses the same refresh token may be signed out, because many providers accept a refresh token only once.`
    : `${who} was imported from ${source}. The program that this file belongs to may be signed out, because many providers accept a refresh token only once.`;
}

/**
 * Returns the reason why a provider refused a refresh token. Entra ID states it; `invalid_grant` alone does not (RFC 6749
 * §5.2).
 *
 * @param code the provider's error code; Entra's own number may follow, as in `invalid_grant, AADSTS50173`
 * @example
 * import { changeHistory, refusalReason } from 'tokenkeep/ipc';
 *
 * async function noteRefusal(id: string, code: string, at: number): Promise<void> {
 *   await vault.update((cache) => changeHistory(cache, id, { refusal: { reason: refusalReason(code), at, code } }));
 * }
 */
export function refusalReason(code: string | null): Refusal['reason'] {
  if (/AADSTS(?:70008|70043|700082|700084)\b/.test(code ?? '')) return 'expired';
  return /AADSTS(?:50173|70000)\b/.test(code ?? '') ? 'revoked' : 'refused';
}

/**
 * Merges an imported document, inside an update, and marks the accounts that got a refresh or ID token or a grant from it: another program
 * may still use the refresh token, and anyone may have written the ID token and the issuer in it.
 *
 * @param source the file's path
 */
export function mergeAsImport(cache: TokenCache, document: TokenCache, source: string): MergeCounts {
  const work = new ImportWork(cache, document, source);
  for (const account of work.parts) work.merge(account);
  return work.finish();
}

/** Does what `mergeAsImport` does, and pauses between accounts. */
export async function mergeAsImportInTurns(
  cache: TokenCache,
  document: TokenCache,
  source: string,
  pause: () => Promise<void>,
): Promise<MergeCounts> {
  const work = new ImportWork(cache, document, source);
  for (const account of work.parts) {
    await pause();
    work.merge(account);
  }
  await pause();
  return work.finish();
}

/** The work of an import, account by account. */
class ImportWork {
  readonly parts: readonly string[];
  readonly #cache: TokenCache;
  readonly #document: TokenCache;
  readonly #source: string;
  readonly #changes = new Map<AccountId, Partial<AccountHistory>>();
  #counts: MergeCounts | null = null;

  constructor(cache: TokenCache, document: TokenCache, source: string) {
    this.#cache = cache;
    this.#document = document;
    this.#source = source;
    this.parts = partsOf(document);
  }

  merge(part: string): void {
    const offered = secretsOfAll(this.#document, part);
    const known = secretsOfAll(this.#cache, part);
    const before = usersOf(this.#cache, part).map((account) => ({
      account,
      history: historyOf(this.#cache, account.id),
    }));
    this.#counts = addCounts(this.#counts, mergePart(this.#cache, this.#document, part));
    const isTaken = (secret: string): boolean => offered.has(secret) && !known.has(secret);
    const source = this.#source;
    // Compares users, not IDs: the ID depends on the issuer that the document names, and the vault may know a different one.
    const after = usersOf(this.#cache, part);
    const ids = new Set(after.map(({ id }) => id));
    for (const account of after) {
      const isNew = !before.some((one) => one.account.id === account.id);
      // An account gets another ID if the document names its issuer. It is the same account.
      const renamed = isNew
        ? before.find((one) => !ids.has(one.account.id) && isOnHost(one.account, account))
        : undefined;
      const kept = renamed?.history ?? {};
      const grants = grantsOf(account);
      const history = renamed?.history ?? historyOf(this.#cache, account.id);
      const marked = grants.length === 0 ? [] : history.sharedGrants;
      const sharedGrants = grants
        .map((one) => [one, grantMark(one)] as const)
        .filter(([one, mark]) => isTaken(one) || marked.includes(mark))
        .map(([, mark]) => mark);
      const taken = clientsOf(account, (token) => secretsIn([token]).some(isTaken));
      if (taken.length > 0) {
        const known = renamed ?? before.find((one) => one.account.id === account.id);
        // Where nothing was shared, all that was there was obtained here, or the user had agreed to its use.
        const own = history.shared ? history.ownClients : clientsOf(known?.account);
        const ownClients = own.filter((client_id) => !taken.includes(client_id));
        const marks = { source, shared: true, ownClients, sharedGrants, refusal: null };
        this.#changes.set(account.id, { ...kept, ...marks });
      } else if (grants.some(isTaken)) this.#changes.set(account.id, { ...kept, source, sharedGrants });
      else if (renamed !== undefined) this.#changes.set(account.id, kept);
    }
  }

  finish(): MergeCounts {
    if (this.#changes.size > 0) changeHistories(this.#cache, this.#changes);
    return this.#counts ?? mergePart(this.#cache, this.#document, '');
  }
}

/** Whether two users of one account id are at the same host, whatever their issuers. */
const isOnHost = (a: CachedAccount, b: CachedAccount): boolean =>
  cloudOf(a.environment) === cloudOf(b.environment);

/** The users of an account id, without the rest of the cache. "": none. */
function usersOf(cache: TokenCache, account: string): CachedAccount[] {
  if (account === '') return [];
  return [...cachedAccounts(cacheOf(storeOf(cache).ofAccount(account))).byId.values()];
}

/** Returns the secrets of the refresh and ID tokens of an account id, and the refresh tokens of its grants. */
function secretsOfAll(cache: TokenCache, account: string): Set<string> {
  if (account === '') return new Set();
  const tokens = storeOf(cache)
    .ofAccount(account)
    .flatMap(({ section, entity }): readonly { readonly secret: string }[] => {
      if (entity === null) return [];
      if (section === GRANT) return tokensOfGrant(entity as GrantItem).refreshTokens;
      return section === 'RefreshToken' || section === 'IdToken' ? [entity as { secret: string }] : [];
    });
  return new Set(secretsIn(tokens));
}

/**
 * Whether no refresh token of an account, those of its grants included, was obtained here, or used with the user's consent. Opens the account
 * only if that may be so: of an account whose MSAL tokens were all imported, only imported grants are looked at, and own ones don't count.
 */
export function isUnused(
  { shared, ownClients, sharedGrants }: AccountHistory,
  account: Pick<CachedAccount, 'refreshTokens' | 'grants'>,
): boolean {
  if (sharedGrants.length === 0 && (!shared || ownClients.length === 0)) return shared;
  const isOwn = ({ client_id }: Token): boolean => !shared || ownClients.includes(client_id);
  return (
    !account.refreshTokens.some(isOwn) &&
    grantsOf(account).every((secret) => sharedGrants.includes(grantMark(secret)))
  );
}

/** Whether the program that wrote an imported file may still use the refresh token of this grant. */
export function isSharedGrant({ sharedGrants }: AccountHistory, grant: GrantItem): boolean {
  return marksOf(grant).some((mark) => sharedGrants.includes(mark));
}

/** Returns the history of an account after the user has agreed that a grant of it is refreshed here. */
export function withOwnGrant({ sharedGrants }: AccountHistory, grant: GrantItem): Partial<AccountHistory> {
  const own = marksOf(grant);
  return { sharedGrants: sharedGrants.filter((mark) => !own.includes(mark)) };
}

const grantMark = (refreshToken: string): string => idOf('grant', refreshToken);

const marksOf = (grant: GrantItem): string[] => secretsIn(tokensOfGrant(grant).refreshTokens).map(grantMark);

type Token = CachedAccount['idTokens'][number];

/** Returns the clients of an account's refresh and ID tokens. */
function clientsOf(
  account: CachedAccount | undefined,
  isMeant: (token: Token) => boolean = () => true,
): string[] {
  const tokens = [...(account?.refreshTokens ?? []), ...(account?.idTokens ?? [])];
  return [...new Set(tokens.filter(isMeant).map(({ client_id }) => client_id))];
}

/** Returns the refresh tokens of an account's grants. */
const grantsOf = (account: Pick<CachedAccount, 'grants'> | undefined): string[] =>
  secretsIn((account?.grants ?? []).flatMap(({ refreshTokens }) => refreshTokens));

/** Returns the secrets of tokens, without those whose seal is damaged. */
function secretsIn(tokens: readonly { readonly secret: string }[]): string[] {
  return tokens.flatMap((token) => {
    try {
      return token.secret === '' ? [] : [token.secret];
    } catch {
      return [];
    }
  });
}
