/** The accounts in the vault and the sources: one row per account, regardless of the number of places. */

import { accountStatus, type Refusal } from '../cache/account-status.ts';
import { tokenOutlines } from '../cache/accounts.ts';
import { canonicalEnvironment, canonicalIssuer } from '../cache/schema/authorities.ts';
import type { AccessToken, AccountSummary, Entity, IdToken, RefreshToken } from '../cache/schema/entities.ts';
import { expiryOf, isExpired, isRefusedForGood, isUsable } from '../cache/schema/expiry.ts';
import { appName, resourceName } from '../cache/schema/well-known.ts';
import { STATUS_TITLES, STATUSES, shownStatus } from '../cache/shown-status.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { historyOf, isUnused } from '../accounts/account-history.ts';
import { activityOf } from '../ipc/activity.ts';
import { type CachedAccount, type CachedAccounts, cachedAccounts } from '../accounts/cached-accounts.ts';
import { audienceOf, clientNames } from '../ipc/token-views.ts';
import { tokensOfGrants } from '../oauth/grant-tokens.ts';
import type { FoundSource } from '../sources/find.ts';
import type { NamedSignIn } from '../sources/names.ts';
import { EXIT, Stop } from './world.ts';

/** The name of the vault among the places. */
export const VAULT = 'vault';

/** The contents of the vault or of a source. */
export interface Opened {
  /** `vault`, or the program's id. */
  readonly name: string;
  readonly cache: TokenCache;
  readonly accounts: readonly AccountSummary[];
  /** undefined for the vault. */
  readonly source?: FoundSource;
}

/** A sign-in of a program whose tokens are not read. */
export interface Named {
  readonly place: string;
  readonly source: FoundSource;
  readonly signIn: NamedSignIn;
}

/** One token of an account, without its secret. */
export interface TokenLine {
  readonly type: 'access' | 'refresh' | 'ID';
  readonly place: string;
  readonly client_id: string;
  readonly target: string;
  /** The API that an access token is for, by its published name, else its audience; undefined if unknown. */
  readonly api?: string;
  /** The app's name, from the token or a published list; undefined if unknown. */
  readonly app?: string;
  /** Whether a refresh token works for all of Microsoft's apps of one family. */
  readonly family?: true;
  /** Whether the provider refused it, so that it is not sent again. */
  readonly refused?: true;
  /** Seconds since the epoch; undefined if it is unknown or the token has none. */
  readonly expiresOn?: number;
}

/** An account, and every place that has it. */
export interface Person {
  readonly account: AccountSummary;
  /** Where the account and its tokens were read. */
  readonly places: readonly { readonly opened: Opened; readonly account: AccountSummary }[];
  /** Programs that name the account, and whose tokens are not read. */
  readonly named: readonly Named[];
  readonly tokens: readonly TokenLine[];
  readonly status: Status;
  /** The soonest expiry of an access token that is still to come, in seconds since the epoch. */
  readonly nextExpiry?: number;
  /** The provider's last refusal, as the vault records it. */
  readonly refusal?: Refused;
}

/** A refusal, with the provider that refused and the client of the refresh token; both are "" if unknown. */
export interface Refused extends Refusal {
  readonly provider: string;
  readonly client_id: string;
}

/** The same four statuses that the window shows. Times are seconds since the epoch. */
export type Status =
  | { readonly is: 'Active' }
  | { readonly is: 'Active until'; readonly until: number }
  | { readonly is: 'Unknown' }
  | {
      readonly is: 'Needs sign-in';
      readonly reason: Refusal['reason'];
      readonly at: number;
      readonly code: string | null;
    };

/** Returns the identity of an account: user, cloud, and issuer if the account names one. */
export function identityOf(account: {
  home_account_id: string;
  environment: string;
  issuer?: string | undefined;
}): string {
  return [
    account.home_account_id.toLowerCase(),
    canonicalEnvironment(account.environment),
    canonicalIssuer(account.issuer ?? ''),
  ].join('\n');
}

/** What a cache has of each account, by identity. A search for every account would take quadratic time. */
interface Belongings {
  readonly accounts: ReadonlyMap<string, CachedAccount>;
  readonly grants: ReadonlyMap<string, readonly GrantWithTokens[]>;
}
type GrantWithTokens = ReturnType<typeof tokensOfGrants>[number];

const known = new WeakMap<CachedAccounts, Belongings>();

function belongingsIn(cache: TokenCache): Belongings {
  const all = cachedAccounts(cache);
  const before = known.get(all);
  if (before !== undefined) return before;
  const accounts = new Map<string, CachedAccount>();
  for (const one of all.byId.values()) {
    const { home_account_id, environment, issuer } = one;
    if (home_account_id === null) continue;
    const identity = identityOf({ home_account_id, environment, ...(issuer === '' ? {} : { issuer }) });
    if (!accounts.has(identity)) accounts.set(identity, one);
  }
  const grants = new Map<string, GrantWithTokens[]>();
  for (const held of tokensOfGrants(cache)) {
    const [{ issuer, ...grant }] = held;
    const identity = identityOf({ ...grant, issuer: issuer ?? undefined });
    const own = grants.get(identity);
    if (own === undefined) grants.set(identity, [held]);
    else own.push(held);
  }
  const found = { accounts, grants };
  known.set(all, found);
  return found;
}

/** Finds an account in a cache, with the ID that Activity uses; [] if the cache does not have it. */
export function namedIn(cache: TokenCache, account: AccountSummary): CachedAccount[] {
  const found = belongingsIn(cache).accounts.get(identityOf(account));
  return found === undefined ? [] : [found];
}

/** The grants of an account, with their tokens. */
export function grantsOfAccount(cache: TokenCache, account: AccountSummary): readonly GrantWithTokens[] {
  return belongingsIn(cache).grants.get(identityOf(account)) ?? [];
}

/** @param named sign-ins by name only. One with the user name of an account is joined to it; the others become accounts. */
export function peopleIn(caches: readonly Opened[], now: number, named: readonly Named[] = []): Person[] {
  const found = new Map<string, { opened: Opened; account: AccountSummary }[]>();
  for (const opened of caches)
    for (const account of opened.accounts) {
      const key = identityOf(account);
      const places = found.get(key);
      if (places === undefined) found.set(key, [{ opened, account }]);
      else places.push({ opened, account });
    }
  const people: Person[] = [];
  for (const places of found.values()) {
    const [first] = places;
    if (first === undefined) continue;
    const held = places.map(({ opened, account }) => tokensOf(opened, account));
    const account =
      places.map((place) => place.account).find(({ username }) => username !== '') ?? first.account;
    const coming = held
      .flatMap(({ accessTokens }) => accessTokens.filter((token) => isUsable(token, now, 0)).map(expiryOf))
      .filter(Number.isFinite);
    const refusal = hasOtherRefreshToken(held, now) ? undefined : refusalOf(places, now);
    people.push({
      account,
      places,
      named: named.filter(({ signIn }) => isNamed(account, signIn)),
      tokens: held.flatMap(linesOf),
      status: statusOf(held, places, refusal, now),
      ...(refusal === undefined ? {} : { refusal }),
      ...(coming.length === 0 ? {} : { nextExpiry: Math.min(...coming) }),
    });
  }
  for (const one of named) {
    if (people.some((person) => person.named.includes(one))) continue;
    const same = people.findIndex(
      ({ places, named: [first] }) =>
        places.length === 0 && first?.signIn.name === one.signIn.name && first.signIn.at === one.signIn.at,
    );
    const before = people[same];
    if (before === undefined) people.push(onlyNamed(one, now));
    else people[same] = { ...before, named: [...before.named, one] };
  }
  const order: readonly Status['is'][] = STATUSES.map((id) => STATUS_TITLES[id]);
  return people.sort(
    (a, b) =>
      order.indexOf(a.status.is) - order.indexOf(b.status.is) ||
      a.account.username.localeCompare(b.account.username),
  );
}

/** Whether a program means this account: user names in the form of an e-mail address are unique. */
function isNamed({ username }: AccountSummary, { name }: NamedSignIn): boolean {
  return name.includes('@') && name.toLowerCase() === username.toLowerCase();
}

function onlyNamed(named: Named, now: number): Person {
  const { name, at = '', expiresOn } = named.signIn;
  return {
    account: {
      home_account_id: name,
      environment: at,
      username: name,
      local_account_id: '',
      authority_type: '',
      tenants: [],
    },
    places: [],
    named: [named],
    tokens: [],
    status: { is: 'Unknown' },
    ...(expiresOn === undefined || expiresOn <= now ? {} : { nextExpiry: expiresOn }),
  };
}

/** Returns the names of all places that have an account, each once. */
export function placesOf({ places, named }: Person): string[] {
  return [...new Set([...places.map(({ opened }) => opened.name), ...named.map(({ place }) => place)])];
}

/** Computes the status over all places: an account whose sign-in was refused in one place may be active in another. */
function statusOf(
  held: readonly Held[],
  places: Person['places'],
  refusal: Refused | undefined,
  now: number,
): Status {
  const tokens = held.flatMap(tokenOutlines);
  const count = (wanted: string): number => tokens.filter(({ type }) => type === wanted).length;
  const status = accountStatus(tokens, refusal ?? null, now, isUntried(held, places));
  const { title, time, ended } = shownStatus(
    {
      kind: 'user',
      status,
      tokens: {
        AccessToken: count('AccessToken'),
        RefreshToken: count('RefreshToken'),
        IdToken: count('IdToken'),
      },
    },
    now,
  );
  if (title === 'Active until') return { is: title, until: time ?? now };
  if (title !== 'Needs sign-in') return { is: title };
  const { reason = 'expired', at = now, code = null } = ended ?? {};
  return { is: title, reason, at, code };
}

/** Whether another program obtained all refresh tokens, and none was used here. */
function isUntried(held: readonly Held[], places: Person['places']): boolean {
  const own = places.find(({ opened }) => opened.source === undefined);
  if (own === undefined) return true;
  const [named] = namedIn(own.opened.cache, own.account);
  const kept = held
    .flatMap(({ place, refreshTokens }) => (place === VAULT ? refreshTokens : []))
    .filter((token) => !isRefusedForGood(token));
  const history = named === undefined ? undefined : historyOf(own.opened.cache, named.id);
  if (named === undefined || history === undefined) return kept.length === 0;
  const refreshTokens = named.refreshTokens.filter((token) => !isRefusedForGood(token));
  return kept.length === 0 || isUnused(history, { refreshTokens, grants: named.grants });
}

/** Whether a program has a refresh token of its own, not a copy of the vault's: what the vault was refused says nothing about it. */
function hasOtherRefreshToken(held: readonly Held[], now: number): boolean {
  const [own, others] = [true, false].map((isOwn) =>
    held.flatMap(({ place, refreshTokens }) => ((place === VAULT) === isOwn ? refreshTokens : [])),
  ) as [RefreshToken[], RefreshToken[]];
  const copies = new Set(own.map(secretOf));
  return others.some(
    (token) => !isRefusedForGood(token) && !isExpired(token, now) && !copies.has(secretOf(token)),
  );
}

/** Returns the secret of a token; "" if its seal is damaged. */
function secretOf(token: RefreshToken): string {
  try {
    return token.secret;
  } catch {
    return '';
  }
}

/** Only the vault records refusals. Its activity names the provider that refused, and the client of the refresh token. */
function refusalOf(places: Person['places'], now: number): Refused | undefined {
  const own = places.find(({ opened }) => opened.source === undefined);
  if (own === undefined) return undefined;
  const { cache } = own.opened;
  const [named] = namedIn(cache, own.account);
  const refusal = named === undefined ? null : historyOf(cache, named.id).refusal;
  if (named === undefined || refusal === null) return undefined;
  for (const event of activityOf(cache, named.id, now).events)
    if (event.kind === 'refused' && event.at === refusal.at)
      return { ...refusal, provider: event.provider, client_id: event.client_id };
  return { ...refusal, provider: '', client_id: '' };
}

/** Returns the number of tokens of an account in one place. */
export function tokenCount(opened: Opened, account: AccountSummary): number {
  return linesOf(tokensOf(opened, account)).length;
}

/** The tokens of one account in one place. */
interface Held {
  readonly place: string;
  /** Names of apps according to the tokens, by client ID in lower case. */
  readonly apps: ReadonlyMap<string, string>;
  readonly accessTokens: readonly AccessToken[];
  readonly refreshTokens: readonly RefreshToken[];
  readonly idTokens: readonly IdToken[];
}

function tokensOf({ cache, name }: Opened, account: AccountSummary): Held {
  const { home_account_id, environment, issuer } = account;
  const query = { home_account_id, environment, ...(issuer === undefined ? {} : { issuer }) };
  const grants = grantsOfAccount(cache, account).map(([, tokens]) => tokens);
  return {
    place: name,
    apps: namedIn(cache, account).reduce(
      (apps, one) => new Map([...apps, ...clientNames(one)]),
      new Map<string, string>(),
    ),
    accessTokens: [...cache.find('AccessToken', { query }), ...grants.flatMap((grant) => grant.accessTokens)],
    refreshTokens: [
      ...cache.find('RefreshToken', { query }),
      ...grants.flatMap((grant) => grant.refreshTokens),
    ],
    idTokens: [...cache.find('IdToken', { query }), ...grants.flatMap((grant) => grant.idTokens)],
  };
}

function linesOf({ place, apps, accessTokens, refreshTokens, idTokens }: Held): TokenLine[] {
  const lineOf = (type: TokenLine['type'], entity: Entity): TokenLine => {
    const expiresOn = expiryOf(entity);
    const client_id = text(entity['client_id']);
    const app = apps.get(client_id.toLowerCase()) ?? appName(client_id);
    return {
      type,
      place,
      client_id,
      target: text(entity['target']),
      ...(app === null ? {} : { app }),
      ...(Number.isFinite(expiresOn) ? { expiresOn } : {}),
    };
  };
  return [
    ...accessTokens.map((token) => {
      const audience = audienceOf('AccessToken', token);
      const api = audience === null ? null : (resourceName(audience) ?? audience);
      return { ...lineOf('access', token), ...(api === null ? {} : { api }) };
    }),
    ...refreshTokens.map((token) => ({
      ...lineOf('refresh', token),
      ...(text(token.family_id) === '' ? {} : { family: true as const }),
      ...(isRefusedForGood(token) ? { refused: true as const } : {}),
    })),
    ...idTokens.map((token) => lineOf('ID', token)),
  ];
}

/** Returns the name of an app that has a token of the account; its client ID if no name is known. */
export function appOf({ tokens }: Person, client_id: string): string {
  return tokens.find((token) => token.client_id === client_id)?.app ?? appName(client_id) ?? client_id;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Whether an account has this user name or home account ID, case-insensitively, alone or followed by `@` and its provider. */
export function isCalled(account: AccountSummary, name: string): boolean {
  const at = providerOf(account);
  return [account.username, account.home_account_id]
    .flatMap((own) => (own === '' ? [] : [own, `${own}@${at}`]))
    .some((own) => own.toLowerCase() === name.toLowerCase());
}

/** The issuer of an account if it names one, else its environment: users of two providers may have the same ID. */
function providerOf({ issuer, environment }: AccountSummary): string {
  return issuer ?? environment;
}

/**
 * Finds an account by user name or home account ID, case-insensitively, or by `ID@PROVIDER` if several have the ID.
 *
 * @throws Stop (not found), also if two accounts match
 */
export function personNamed(people: readonly Person[], name: string): Person {
  // A user name may look like the ID of somebody else.
  const exact = people.filter(
    ({ account }) => `${account.home_account_id}@${providerOf(account)}`.toLowerCase() === name.toLowerCase(),
  );
  const found = exact.length > 0 ? exact : people.filter(({ account }) => isCalled(account, name));
  const [person, second] = found;
  if (person === undefined)
    throw new Stop(EXIT.notFound, `No account has the user name or ID “${name}”. See: tokenkeep list`);
  if (second !== undefined) {
    const choices = found.map(({ account }) => {
      const { home_account_id: id, environment } = account;
      const isOne = people.filter((one) => isCalled(one.account, id)).length === 1;
      return isOne ? `${id} (${environment})` : `${id}@${providerOf(account)}`;
    });
    throw new Stop(
      EXIT.notFound,
      `${found.length} accounts match “${name}”. Give the ID of one of them: ${choices.join(', ')}`,
    );
  }
  return person;
}

/** Returns the display name of an account's tenant. */
export function homeOf({ username, tenants, environment }: AccountSummary): string {
  const domain = username.split('@')[1];
  return domain ?? tenants[0]?.realm ?? (environment === '' ? '–' : environment);
}

/** Returns an account's user name; its ID if it has none. */
export function nameOf({ account }: Pick<Person, 'account'>): string {
  return account.username === '' ? account.home_account_id : account.username;
}
