/** Refreshes an account's access tokens without the user, at the issuer of its refresh tokens. */
import * as oidc from 'openid-client';
import {
  acquireTokenSilent,
  type AccessToken,
  InvalidArgumentError,
  type RefreshToken,
  SignInRequiredError,
  type Synchronous,
  type TokenCache,
  type TokenRequest,
  type Vault,
} from 'tokenkeep';
import { lookup, type Redeem } from 'tokenkeep/cache';
import {
  type AccountHistory,
  activityAccount,
  audienceOf,
  type CachedAccount,
  cachedAccounts,
  changeHistory,
  findAccount,
  historyOf,
  isTokenRefused,
  recordActivity,
  recordRefusal,
  refusalReason,
  tokenItems,
  withSignature,
} from 'tokenkeep/ipc';
import type { Ask, Consent } from './consent.ts';
import type { RefreshReport, SignInProfile } from './contract.ts';
import { plainErrorOf, providerCodeOf, SignInError, signInError } from './failures.ts';
import { type IssuerLookup, lookUpIssuer } from './issuer-lookup.ts';
import { sharedBy, whoIs } from './names.ts';
import { isSameIssuer } from './profiles.ts';
import { ask as converse, type Provider } from './provider.ts';
import { checkReceived, claimsIn, type VerifiedToken } from './received.ts';
import { fieldsOf, secretOf } from './tokens.ts';

export interface RefreshPorts {
  profiles: { list: () => readonly SignInProfile[] };
  consent: Consent;
  /** Seconds since the epoch. */
  now: () => number;
  onUnexpected: (error: unknown) => void;
  /** See `ErrorPorts.explain`. */
  explain?: (error: unknown) => unknown;
  /** Whether the app ends, so that no further token is sent: there may be no time left to store the answer. */
  isEnding: () => boolean;
}

/** The part of a vault that a refresh needs. */
export type RefreshedVault = Pick<Vault, 'read' | 'update' | 'epoch'> & Partial<Pick<Vault, 'exclusively'>>;

/**
 * @param ask null: the user can't be asked, so only earlier consent applies
 * @param tokenId the access token to refresh; null: all of the account's
 */
export type Refresh = (
  vault: RefreshedVault,
  accountId: string,
  ask: Ask,
  tokenId: string | null,
) => Promise<RefreshReport>;

/** For a refresh that the user wants, but that asks nothing: each question counts as unanswered. */
export const UNASKED: NonNullable<Ask> = () => Promise.resolve(null);

/** Errors of a refresh that had nobody to ask. */
const UNANSWERED: ReadonlySet<string> = new Set(['refresh_declined', 'consent_unanswered', 'host_refused']);

interface Running {
  tokenId: string | null;
  /** Whether it can ask the user. */
  asks: boolean;
  report: Promise<RefreshReport>;
}

/** Calls for the same account share one refresh, because a second redemption would look like token theft. */
export function refreshing(ports: RefreshPorts): Refresh {
  const running = new Map<string, Running>();
  return (vault, accountId, ask, tokenId) => {
    const under = running.get(accountId);
    const asks = ask !== null && ask !== UNASKED;
    const isCovered = under?.tokenId === null || under?.tokenId === tokenId;
    if (under !== undefined && isCovered && (under.asks || !asks)) return under.report;
    // The running refresh covers only another token, or may miss an answer that this one can ask for, so this one runs after it.
    const before = under?.report.catch(() => undefined) ?? Promise.resolve(undefined);
    const report = before
      .then((done) =>
        isCovered && done !== undefined && !UNANSWERED.has(done.problem?.code ?? '')
          ? done
          : refreshAccount(ports, vault, accountId, ask, tokenId),
      )
      .finally(() => {
        if (running.get(accountId)?.report === report) running.delete(accountId);
      });
    running.set(accountId, { tokenId, asks, report });
    return report;
  };
}

async function refreshAccount(
  ports: RefreshPorts,
  vault: RefreshedVault,
  accountId: string,
  ask: Ask,
  tokenId: string | null,
): Promise<RefreshReport> {
  const { account, history, wanted, tokens } = await vault.read((cache) => {
    const found = findAccount(cache, accountId);
    const requests = requestsFor(found, ports.profiles.list()).filter(
      (request) => tokenId === null || isFor(request, found, tokenId),
    );
    return {
      account: found,
      history: historyOf(cache, accountId),
      wanted: requests,
      tokens: sendable(cache, found, ports.now(), requests),
    };
  });
  // A sign-out after this point wins: the changes of the refresh are then dropped.
  const since = vault.epoch;
  const handle = {
    read: <T>(fn: Synchronous<T>) => vault.read(fn),
    update: <T>(fn: Synchronous<T>) => vault.update(fn, { since }),
    ...(vault.exclusively === undefined ? {} : { exclusively: vault.exclusively.bind(vault) }),
  };
  let refreshed = 0;
  let problem: unknown =
    wanted.length === 0
      ? new SignInRequiredError(
          tokenId === null
            ? 'This account has no refresh token. Sign in again to get one.'
            : 'Nothing renews this token: its app has no refresh token, the token is bound to a key or was requested for more than its scopes, or it is gone. Nothing was changed.',
        )
      : tokens.length === 0
        ? new SignInRequiredError(
            'Nothing was sent: the provider refused the refresh token of this account before, or it is not known whose it is. The tokens that are here can be used until they expire. Sign in again.',
          )
        : undefined;
  let refused: Refused | undefined;
  const agreed = await agreements(ports, account, history, tokens, ask).catch((error: unknown) => {
    problem = error;
    return new Map<string, Agreed>();
  });
  // Sequentially: each request may get a new refresh token, which the next one must use.
  const verified: VerifiedToken[] = [];
  const known = new Set(account.refreshTokens.map(secretOf));
  for (const { alone, ...request } of agreed.size === 0 ? [] : wanted) {
    if (ports.isEnding()) break;
    try {
      const redeem = redeemer(agreed, alone, account, ({ refresh_token }, token) => {
        if (typeof refresh_token === 'string') known.add(refresh_token);
        if (token !== null) verified.push(token);
      });
      await acquireTokenSilent(handle, request, redeem, ports.now);
      refreshed += 1;
    } catch (error) {
      // The provider's error says more than that a sign-in is required.
      problem = error instanceof SignInRequiredError ? (error.cause ?? error) : error;
      if (problem instanceof InvalidArgumentError) {
        // The provider's response could not be stored. The message quotes it, for developers.
        const [issuer = ''] = [...agreed.values()].map((each) => each.issuer);
        problem = signInError('answer_invalid', { issuer, client_id: request.client_id }, problem);
      }
      if (refused === undefined && isRefusal(problem))
        refused = { client_id: request.client_id, error: problem };
    }
  }
  // A later request had no refresh token left to send.
  if (refused !== undefined && problem instanceof SignInRequiredError) problem = refused.error;
  const automatic = ask === null;
  await remember(
    handle,
    { accountId, tokenId, history, agreed, problem, refused, known, verified, refreshed, automatic },
    ports,
  ).catch(ports.onUnexpected);
  return { refreshed, problem: problem === undefined ? null : plainErrorOf(problem, ports) };
}

/** The issuer for an app's refresh tokens, approved by the user if needed. */
interface Agreed extends IssuerLookup {
  provider: (client_id: string, realm: string | undefined) => Promise<Provider>;
}

/**
 * Determines, before any token is used, where each app's refresh tokens may go, and asks the user if needed: once for an imported account,
 * whose source program may be signed out by the refresh, and for an issuer that is not known for certain.
 *
 * @param tokens the refresh tokens that may be sent
 * @throws SignInError `profile_unknown`, `refresh_declined`, `host_refused`
 */
async function agreements(
  { profiles, consent }: RefreshPorts,
  account: CachedAccount,
  history: AccountHistory,
  tokens: readonly RefreshToken[],
  ask: Ask,
): Promise<Map<string, Agreed>> {
  const agreed = new Map<string, Agreed>();
  // Read before the user is asked: a profile that is replaced while the question is open must not redirect the token.
  const saved = profiles.list();
  let problem: Error | undefined;
  const asked = new Set<string>();
  for (const token of tokens) {
    const { client_id } = token;
    const isImported = history.shared && !history.ownClients.includes(client_id);
    if (agreed.has(keyOf(token))) continue;
    const look = (realm?: string): IssuerLookup | undefined =>
      lookUpIssuer(account, history, saved, { client_id, own: token['issuer'], realm });
    const found = look();
    if (found === undefined) {
      problem = signInError('profile_unknown', { issuer: '', client_id });
      continue;
    }
    if ((isImported && !asked.has(found.issuer)) || found.certainty !== 'known') {
      if ((await ask?.(question(account, { ...history, shared: isImported }, found))) !== true) {
        throw signInError('refresh_declined', { issuer: found.issuer, client_id });
      }
      asked.add(found.issuer);
    }
    const why = `The refresh token of ${whoIs(account)} is about to be sent there.`;
    try {
      await consent.findAllowed(found.issuer, client_id, ask, why);
    } catch (error) {
      problem = error instanceof Error ? error : new Error('Not found.');
      continue;
    }
    agreed.set(keyOf(token), {
      ...found,
      // A refresh token of Microsoft's app family is redeemed by another app; each tenant has its own endpoint.
      provider: (redeemer, realm) =>
        consent.findAllowed(look(realm)?.issuer ?? found.issuer, redeemer, null, why),
    });
  }
  if (agreed.size === 0 && problem !== undefined) throw problem;
  return agreed;
}

/** The key of a refresh token in the map of agreements. Its secret changes with each redemption. */
function keyOf(token: RefreshToken): string {
  return JSON.stringify([token.client_id, token['issuer'] ?? '']);
}

function question(
  account: CachedAccount,
  { shared, source }: AccountHistory,
  { issuer, certainty }: IssuerLookup,
): { message: string; detail: string; yes: string } {
  const who = whoIs(account);
  const where = {
    known: `Its refresh token will be sent to ${issuer}.`,
    claimed: `The imported document names ${issuer} as its provider. The refresh token will be sent there.`,
    guessed: `Nothing tells which provider issued this refresh token. Your sign-in profile names ${issuer}, and the token will be sent there. Continue only if you are sure.`,
  }[certainty];
  const owner = shared ? ` ${sharedBy(who, source)}` : '';
  return { message: `Refresh ${who}?`, detail: `${where}${owner}`, yes: 'Refresh' };
}

/** A refusal of a refresh token. */
interface Refused {
  /** The app that it was refused to. */
  client_id: string;
  error: SignInError;
}

interface Refreshed {
  accountId: string;
  /** null: all of the account's. */
  tokenId: string | null;
  history: AccountHistory;
  agreed: ReadonlyMap<string, Agreed>;
  problem: unknown;
  refused: Refused | undefined;
  /** The refresh tokens that the account had at the beginning, and those that the provider answered. */
  known: ReadonlySet<string | null>;
  verified: readonly VerifiedToken[];
  /** Number of access tokens. */
  refreshed: number;
  automatic: boolean;
}

/** Stores the approved issuers, a permanent refusal of the provider, verified signatures, and the activity. */
async function remember(
  handle: Pick<Vault, 'update'>,
  done: Refreshed,
  { now }: RefreshPorts,
): Promise<void> {
  const { accountId, tokenId, history, agreed, problem, refused, known, verified, refreshed } = done;
  const issuers = new Map<string, string>();
  for (const [key, { issuer, certainty }] of agreed) {
    const [client_id] = JSON.parse(key) as [string];
    // If the issuer is stored with the token, or is Microsoft's, there is nothing to store.
    if (certainty !== 'known' || history.shared) issuers.set(client_id, issuer);
  }
  const isAgreed = history.shared && agreed.size > 0;
  const isNoted = refused !== undefined || (problem === undefined && history.refusal !== null);
  const isNew = [...issuers].some(([client_id, issuer]) => history.issuers[client_id] !== issuer);
  if (!isAgreed && !isNoted && !isNew && verified.length === 0 && refreshed === 0) return;
  await handle.update((cache) => {
    const account = cachedAccounts(cache).byId.get(accountId);
    if (account === undefined) return; // signed out meanwhile
    // An import or a sign-in may have come meanwhile. What it marked stays: the user was not asked about its refresh tokens, and these were
    // not refused.
    const before = historyOf(cache, accountId);
    const isOther = account.refreshTokens.some((token) => !known.has(secretOf(token)));
    const own = [...new Set([...before.ownClients, ...clientsIn(agreed)])];
    const isLeft =
      tokenId !== null && account.refreshTokens.some(({ client_id }) => !own.includes(client_id));
    const shared = before.shared && (!isAgreed || isLeft);
    let { signatures } = before;
    for (const token of verified)
      signatures = withSignature(account, { signatures }, { ...token, at: now() });
    changeHistory(cache, accountId, {
      signatures,
      ...(isOther
        ? {}
        : {
            issuers: { ...before.issuers, ...Object.fromEntries(issuers) },
            shared,
            ownClients: shared ? own : [],
            refusal: refreshed > 0 ? null : before.refusal,
          }),
    });
    record(cache, done, now());
  });
}

/** Records what was refreshed, and what was refused, unless the account was signed out meanwhile. */
function record(
  cache: TokenCache,
  { accountId, agreed, refused, refreshed, automatic }: Refreshed,
  at: number,
): void {
  const account = cachedAccounts(cache).byId.get(accountId);
  if (account === undefined) return;
  const of = [activityAccount(account)];
  const clients = clientsIn(agreed);
  if (refreshed > 0) {
    // The refreshed tokens are the newest.
    const fresh = account.accessTokens
      .filter(({ client_id }) => clients.includes(client_id))
      .sort((a, b) => Number(b.cached_at ?? 0) - Number(a.cached_at ?? 0))
      .slice(0, refreshed);
    const ends = fresh.map(({ expires_on }) => Number(expires_on)).filter(Number.isFinite);
    recordActivity(cache, at, of, {
      kind: 'refresh',
      client_ids: [...new Set(fresh.map(({ client_id }) => client_id))],
      apis: [...new Set(fresh.flatMap((token) => audienceOf('AccessToken', token) ?? []))],
      tokens: refreshed,
      until: ends.length === 0 ? null : Math.max(...ends),
      automatic,
      realms: [...new Set(fresh.flatMap(({ realm }) => realm || []))],
    });
  }
  const its = [...agreed.values()][Math.max(0, clients.indexOf(refused?.client_id ?? ''))];
  if (refused === undefined || its === undefined) return;
  const { client_id, error } = refused;
  const code = providerCodeOf(error);
  const provider = new URL(its.issuer).host;
  recordRefusal(cache, accountId, { reason: refusalReason(code), at, code, client_id, provider });
}

const clientsIn = (agreed: ReadonlyMap<string, Agreed>): string[] =>
  [...agreed.keys()].map((key) => (JSON.parse(key) as [string])[0]);

/** Whether a provider refused the refresh token itself, not only for what was requested. */
const isRefusal = (problem: unknown): problem is SignInError =>
  problem instanceof SignInError && problem.code === 'sign_in_again' && isTokenRefused(problem.cause);

interface Wanted extends TokenRequest {
  scopes: readonly string[];
  /** The app has no other access token for this account. */
  alone: boolean;
}

/** Returns one request per access token that can be renewed; for an app without any, one with its profile's scopes. */
export function requestsFor(account: CachedAccount, profiles: readonly SignInProfile[]): Wanted[] {
  const { home_account_id, environment, issuer } = account;
  const apps = new Set(account.refreshTokens.map((token) => token.client_id));
  return [...apps].flatMap((client_id): Wanted[] => {
    const tokens = account.accessTokens.filter(
      (token) => token.client_id === client_id && isRenewable(token),
    );
    const common = {
      client_id,
      home_account_id,
      environment,
      ...(issuer === '' ? {} : { issuer }),
      forceRefresh: true,
    };
    if (tokens.length === 0) {
      const scopes = profiles.find((profile) => profile.client_id === client_id)?.scopes ?? [];
      return [{ ...common, scopes, alone: true }];
    }
    return tokens.map(({ target, realm }) => ({
      ...common,
      ...(typeof realm === 'string' ? { realm } : {}),
      scopes: target.split(' ').filter((scope) => scope !== ''),
      alone: tokens.length === 1,
    }));
  });
}

/** Returns the refresh tokens that these requests may send: none that was refused. */
export function sendable(
  cache: TokenCache,
  account: CachedAccount,
  now: number,
  requests: readonly Wanted[] = requestsFor(account, []),
): RefreshToken[] {
  return requests.flatMap(({ alone: _, ...request }) => {
    try {
      return lookup(cache, request, now).refreshTokens;
    } catch (error) {
      if (error instanceof InvalidArgumentError) return []; // its host, from an imported file, is none
      throw error;
    }
  });
}

/** Whether a request renews the access token with that id. */
function isFor({ client_id, realm, scopes }: Wanted, account: CachedAccount, tokenId: string): boolean {
  const item = tokenItems(account).find(({ id }) => id === tokenId);
  const wanted = new Set(scopes);
  return (
    item?.type === 'AccessToken' &&
    item.client_id === client_id &&
    (item.realm ?? '') === (realm ?? '') &&
    item.scopes.length === wanted.size &&
    item.scopes.every((scope) => wanted.has(scope))
  );
}

/** Whether a token is bound to a key. Its use and its renewal need a proof that only the holder of the key can make. */
export const isBound = (token: AccessToken): boolean =>
  ['key_id', 'kid'].some((name) => isFilled(token[name])) ||
  /^(?:d?pop|ssh-cert|mac|hok)$/i.test(token.token_type ?? '') ||
  /auth-?_?scheme$/i.test(token.credential_type ?? '');

/** Fields of a token that was requested for more than its scopes. */
const PURPOSES = [
  ...['resource', 'audience', 'ext_cache_key', 'additionalCacheKeyComponents', 'ext'],
  ...['user_assertion_hash', 'userAssertionHash', 'requested_claims_hash', 'requestedClaimsHash'],
];

/** Whether a refresh for a token’s scopes replaces it. Beside a token that is for more than its scopes, the answer is stored as another. */
export const isRenewable = (token: AccessToken): boolean =>
  !isBound(token) && !PURPOSES.some((name) => isFilled(token[name]));

const isFilled = (field: unknown): boolean => field !== undefined && field !== null && field !== '';

/** Redeems a refresh token only at the issuer that was approved for exactly this token, or that has answered with it. */
function redeemer(
  agreed: Map<string, Agreed>,
  alone: boolean,
  { idTokens }: Pick<CachedAccount, 'idTokens'>,
  onAnswer: (fields: ReturnType<typeof fieldsOf>, verified: VerifiedToken | null) => void,
): Redeem {
  return async (refreshToken, { client_id, realm, scopes }) => {
    const destination = destinationOf(refreshToken, agreed);
    if (destination === undefined) throw signInError('profile_unknown', { issuer: '', client_id });
    const provider = await destination.provider(client_id, realm);
    const microsoft = new URL(provider.issuer).pathname.endsWith('/v2.0');
    const parameters = {
      // RFC 6749 §6: without a scope, everything that was granted; with one, no more. Each of Entra’s tokens is for one resource.
      ...(alone && !microsoft ? {} : { scope: scopesFor(scopes, microsoft) }),
      ...(microsoft ? { client_info: '1' } : {}),
    };
    const response = await converse({ ...provider, refreshing: true }, () =>
      oidc.refreshTokenGrant(provider.config, refreshToken.secret, parameters),
    );
    const fields = fieldsOf(response);
    // Of a family of apps, another one's token was redeemed.
    if (refreshToken.client_id !== client_id) agreed.set(JSON.stringify([client_id, '']), destination);
    const subjects = idTokens
      .filter(
        (token) =>
          token.client_id === client_id && isSameIssuer(String(claimsIn(token)?.['iss']), provider.issuer),
      )
      .flatMap((token) => claimsIn(token)?.['sub'] ?? [])
      .filter((sub) => typeof sub === 'string');
    onAnswer(fields, checkReceived(fields, { ...provider, client_id }, subjects));
    return { token_endpoint: provider.metadata.token_endpoint ?? '', response: fields };
  };
}

function destinationOf(token: RefreshToken, agreed: ReadonlyMap<string, Agreed>): Agreed | undefined {
  const exact = agreed.get(keyOf(token));
  if (exact !== undefined) return exact;
  // A token that was renewed meanwhile has its issuer stored, even if the previous one did not.
  const before = agreed.get(JSON.stringify([token.client_id, '']));
  const { issuer } = token;
  return before !== undefined && typeof issuer === 'string' && isSameIssuer(issuer, before.issuer)
    ? before
    : undefined;
}

function scopesFor(scopes: readonly string[], microsoft: boolean): string {
  return [...new Set(microsoft ? [...scopes, 'openid', 'profile', 'offline_access'] : scopes)].join(' ');
}
