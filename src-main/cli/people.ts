/** Who is signed in, over the vault and the sources: one line for each person, whatever the number of places. */
import type { AccountSummary, EntityType } from '../cache/schema/entities.ts';
import { canonicalEnvironment } from '../cache/schema/environments.ts';
import { secondsOf } from '../cache/schema/expiry.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import type { FoundSource } from '../sources/find.ts';
import { EXIT, Stop } from './world.ts';

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
  /** Seconds since the epoch; undefined for what does not say. */
  readonly expiresOn?: number;
}

/** A person, with every place that has them. */
export interface Person {
  readonly account: AccountSummary;
  readonly places: readonly { readonly opened: Opened; readonly account: AccountSummary }[];
  readonly tokens: readonly TokenLine[];
  readonly status: Status;
  /** Of the access token that ends next and has not ended; seconds since the epoch. */
  readonly nextExpiry?: number;
}

export type Status =
  | { readonly is: 'Active' }
  | { readonly is: 'Active until'; readonly until: number }
  | { readonly is: 'Unknown' }
  | { readonly is: 'Needs sign-in' };

/** What tells two people apart: the user, the cloud, and the issuer where the account names one. */
function identityOf(account: AccountSummary): string {
  return [
    account.home_account_id.toLowerCase(),
    canonicalEnvironment(account.environment),
    account.issuer ?? '',
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
    const tokens = places.flatMap(({ opened, account }) => tokensOf(opened, account));
    const account =
      places.map((place) => place.account).find(({ username }) => username !== '') ?? first.account;
    const running = tokens.flatMap(({ type, expiresOn }) =>
      type === 'access' && expiresOn !== undefined && expiresOn > now ? [expiresOn] : [],
    );
    people.push({
      account,
      places,
      tokens,
      status: statusOf(tokens, running),
      ...(running.length === 0 ? {} : { nextExpiry: Math.min(...running) }),
    });
  }
  const order: readonly Status['is'][] = ['Needs sign-in', 'Active until', 'Unknown', 'Active'];
  return people.sort(
    (a, b) =>
      order.indexOf(a.status.is) - order.indexOf(b.status.is) ||
      a.account.username.localeCompare(b.account.username),
  );
}

/** Derives the status from stored data. Only the provider knows whether a refresh token still works. */
function statusOf(tokens: readonly TokenLine[], running: readonly number[]): Status {
  const renews = tokens.some(({ type }) => type === 'refresh');
  if (renews) return { is: running.length > 0 ? 'Active' : 'Unknown' };
  return running.length > 0 ? { is: 'Active until', until: Math.max(...running) } : { is: 'Needs sign-in' };
}

const TYPES: readonly (readonly [EntityType, TokenLine['type']])[] = [
  ['AccessToken', 'access'],
  ['RefreshToken', 'refresh'],
  ['IdToken', 'ID'],
];

function tokensOf({ cache, name }: Opened, account: AccountSummary): TokenLine[] {
  const { home_account_id, environment, issuer } = account;
  const query = { home_account_id, environment, ...(issuer === undefined ? {} : { issuer }) };
  return TYPES.flatMap(([entityType, type]) =>
    cache.find(entityType, { query }).map((entity): TokenLine => {
      const expiresOn = secondsOf(entity['expires_on']);
      return {
        type,
        place: name,
        client_id: text(entity['client_id']),
        target: text(entity['target']),
        ...(Number.isNaN(expiresOn) ? {} : { expiresOn }),
      };
    }),
  );
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/**
 * The person somebody names: by user name or by home account id, in any case.
 *
 * @throws Stop (not found), also where two people answer to the name
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

/** The tenant a person belongs to, as people know it. */
export function homeOf({ username, tenants, environment }: AccountSummary): string {
  const domain = username.split('@')[1];
  return domain ?? tenants[0]?.realm ?? environment;
}
