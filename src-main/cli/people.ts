/** The accounts in the vault and the sources: one row per account, regardless of the number of places. */
import { tokenOutlines } from '../cache/account-outline.ts';
import { accountStatus } from '../cache/account-status.ts';
import type { AccessToken, AccountSummary, Entity, IdToken, RefreshToken } from '../cache/schema/entities.ts';
import { canonicalEnvironment } from '../cache/schema/environments.ts';
import { canonicalIssuer } from '../cache/schema/issuers.ts';
import { tokensOfGrants } from '../oauth/grant-tokens.ts';
import { expiryOf, isUsable } from '../cache/schema/expiry.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import type { FoundSource } from '../sources/find.ts';
import { EXIT, Stop } from './world.ts';

/** The name of the vault among the places. */
export const VAULT = 'vault';

/** The contents of the vault or of a source. */
export interface Opened {
  /** `vault`, or the program's id. */
  readonly name: string;
  readonly cache: TokenCache;
  readonly accounts: readonly AccountSummary[];
  /** undefined: the vault. */
  readonly source?: FoundSource;
}

/** One token of a person, without its secret. */
export interface TokenLine {
  readonly type: 'access' | 'refresh' | 'ID';
  readonly place: string;
  readonly client_id: string;
  readonly target: string;
  /** Seconds since the epoch; undefined if it is unknown or the token has none. */
  readonly expiresOn?: number;
}

/** A person, with every place that has them. */
export interface Person {
  readonly account: AccountSummary;
  readonly places: readonly { readonly opened: Opened; readonly account: AccountSummary }[];
  readonly tokens: readonly TokenLine[];
  readonly status: Status;
  /** The soonest expiry of an access token that is still to come, in seconds since the epoch. */
  readonly nextExpiry?: number;
}

/** The same four that the window shows. Times are seconds since the epoch. */
export type Status =
  | { readonly is: 'Active' }
  | { readonly is: 'Active until'; readonly until: number }
  | { readonly is: 'Unknown' }
  | { readonly is: 'Needs sign-in'; readonly reason: 'refused' | 'expired' | 'revoked'; readonly at: number };

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

export function peopleIn(caches: readonly Opened[], now: number): Person[] {
  const found = new Map<string, { opened: Opened; account: AccountSummary }[]>();
  for (const opened of caches)
    for (const account of opened.accounts) {
      const key = identityOf(account);
      found.set(key, [...(found.get(key) ?? []), { opened, account }]);
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
    people.push({
      account,
      places,
      tokens: held.flatMap(linesOf),
      status: statusOf(held, now),
      ...(coming.length === 0 ? {} : { nextExpiry: Math.min(...coming) }),
    });
  }
  const order: readonly Status['is'][] = ['Needs sign-in', 'Active until', 'Unknown', 'Active'];
  return people.sort(
    (a, b) =>
      order.indexOf(a.status.is) - order.indexOf(b.status.is) ||
      a.account.username.localeCompare(b.account.username),
  );
}

/** Computes the status over all places: a person whose sign-in was refused in one place may be active in another. */
function statusOf(held: readonly Held[], now: number): Status {
  const status = accountStatus(held.flatMap(tokenOutlines), null, now);
  switch (status.state) {
    case 'renews': {
      // The refresh token of another program has not been tried here.
      const isOwn = held.some(({ place, refreshTokens }) => place === VAULT && refreshTokens.length > 0);
      return { is: isOwn || status.activeUntil !== null ? 'Active' : 'Unknown' };
    }
    case 'active':
      return { is: 'Active until', until: status.until };
    case 'needs-sign-in':
      return { is: 'Needs sign-in', reason: status.reason, at: status.at };
    case 'unknown':
      return { is: 'Unknown' };
  }
}

/** The tokens of one person in one place. */
interface Held {
  readonly place: string;
  readonly accessTokens: readonly AccessToken[];
  readonly refreshTokens: readonly RefreshToken[];
  readonly idTokens: readonly IdToken[];
}

function tokensOf({ cache, name }: Opened, account: AccountSummary): Held {
  const { home_account_id, environment, issuer } = account;
  const query = { home_account_id, environment, ...(issuer === undefined ? {} : { issuer }) };
  const grants = tokensOfGrants(cache)
    .filter(([grant]) => identityOf({ ...grant, issuer: grant.issuer ?? undefined }) === identityOf(account))
    .map(([, tokens]) => tokens);
  return {
    place: name,
    accessTokens: [...cache.find('AccessToken', { query }), ...grants.flatMap((grant) => grant.accessTokens)],
    refreshTokens: [
      ...cache.find('RefreshToken', { query }),
      ...grants.flatMap((grant) => grant.refreshTokens),
    ],
    idTokens: [...cache.find('IdToken', { query }), ...grants.flatMap((grant) => grant.idTokens)],
  };
}

function linesOf({ place, accessTokens, refreshTokens, idTokens }: Held): TokenLine[] {
  const lineOf = (type: TokenLine['type'], entity: Entity): TokenLine => {
    const expiresOn = expiryOf(entity);
    return {
      type,
      place,
      client_id: text(entity['client_id']),
      target: text(entity['target']),
      ...(Number.isFinite(expiresOn) ? { expiresOn } : {}),
    };
  };
  return [
    ...accessTokens.map((token) => lineOf('access', token)),
    ...refreshTokens.map((token) => lineOf('refresh', token)),
    ...idTokens.map((token) => lineOf('ID', token)),
  ];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/**
 * Finds an account by user name or home account ID, case-insensitively.
 *
 * @throws Stop (not found), also if two accounts match
 */
export function personNamed(people: readonly Person[], name: string): Person {
  const wanted = name.toLowerCase();
  const found = people.filter(
    ({ account }) =>
      account.username.toLowerCase() === wanted || account.home_account_id.toLowerCase() === wanted,
  );
  const [person, second] = found;
  if (person === undefined)
    throw new Stop(EXIT.notFound, `Nobody here is called ${name}. See: tokenkeep list`);
  if (second !== undefined)
    throw new Stop(
      EXIT.notFound,
      `${name} names ${found.length} accounts. Name one by its id: ${found.map(({ account }) => `${account.home_account_id} (${account.environment})`).join(', ')}`,
    );
  return person;
}

/** Returns the display name of an account's tenant. */
export function homeOf({ username, tenants, environment }: AccountSummary): string {
  const domain = username.split('@')[1];
  return domain ?? tenants[0]?.realm ?? environment;
}
