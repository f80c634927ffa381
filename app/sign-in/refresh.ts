/** Refreshing an account's access tokens without its user. */
import * as oidc from 'openid-client';
import {
  acquireTokenSilent,
  type AccessToken,
  SignInRequiredError,
  type TokenCache,
  type TokenRequest,
  type Vault,
} from 'tokenkeep';
import { type Redeem } from 'tokenkeep/cache';
import type { AccountName, RefreshReport, SignInProfile } from './contract.ts';
import { signInError } from './failures.ts';
import { plainErrorOf } from './plain.ts';
import { ask, type FindProvider } from './provider.ts';
import { fieldsOf } from './tokens.ts';
import { issuerFor } from './whereabouts.ts';

export interface RefreshDoors {
  profiles: { list: () => readonly SignInProfile[] };
  findProvider: FindProvider;
  /** Seconds since the epoch. */
  now: () => number;
  onUnexpected: (error: unknown) => void;
}

/** What a refresh needs of a vault. */
export type RefreshedVault = Pick<Vault, 'read' | 'update' | 'epoch'> & Partial<Pick<Vault, 'exclusively'>>;

export type Refresh = (vault: RefreshedVault, account: AccountName) => Promise<RefreshReport>;

/** Several calls for one account share one refresh: a second redemption would look like a stolen token. */
export function refreshing(doors: RefreshDoors): Refresh {
  const running = new Map<string, Promise<RefreshReport>>();
  return (vault, account) => {
    const name = JSON.stringify([account.home_account_id, account.environment]);
    const under = running.get(name);
    if (under !== undefined) return under;
    const refresh = refreshAccount(doors, vault, account).finally(() => running.delete(name));
    running.set(name, refresh);
    return refresh;
  };
}

async function refreshAccount(
  doors: RefreshDoors,
  vault: RefreshedVault,
  account: AccountName,
): Promise<RefreshReport> {
  const wanted = await vault.read((cache) => requestsFor(cache, account, doors.profiles.list()));
  // A sign-out that comes after this point has the last word: what a refresh sets then is dropped.
  const since = vault.epoch;
  const handle = {
    read: <T>(fn: (cache: TokenCache) => T) => vault.read(fn),
    update: <T>(fn: (cache: TokenCache) => T) => vault.update(fn, { since }),
    ...(vault.exclusively === undefined ? {} : { exclusively: vault.exclusively.bind(vault) }),
  };
  let refreshed = 0;
  let problem: unknown =
    wanted.length === 0
      ? new SignInRequiredError('No refresh token of this account is here. Sign in again to get one.')
      : undefined;
  // One after the other: each may get a new refresh token, which the next one has to use.
  for (const request of wanted) {
    try {
      await acquireTokenSilent(handle, request, redeemer(doors, request.alone), doors.now);
      refreshed += 1;
    } catch (error) {
      // What the provider said is more than that one has to sign in.
      problem = error instanceof SignInRequiredError ? (error.cause ?? error) : error;
    }
  }
  return { refreshed, problem: problem === undefined ? null : plainErrorOf(problem, doors.onUnexpected) };
}

interface Wanted extends TokenRequest {
  /** The app has no other access token for this account. */
  alone: boolean;
}

/** One for each access token that a refresh token here can renew; where an app has none, one for what its profile asks. */
export function requestsFor(
  cache: TokenCache,
  { home_account_id, environment }: AccountName,
  profiles: readonly SignInProfile[],
): Wanted[] {
  const query = { home_account_id, environment };
  const apps = new Set(cache.find('RefreshToken', { query }).map((token) => token.client_id));
  return [...apps].flatMap((client_id): Wanted[] => {
    const tokens = cache.find('AccessToken', { query: { ...query, client_id } }).filter(isPlain);
    const common = { client_id, home_account_id, environment, forceRefresh: true };
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

/** Not bound to a key: those need what only the app that has the key can prove. */
const isPlain = (token: AccessToken): boolean =>
  token.key_id === undefined && !/^(?:pop|ssh-cert)$/i.test(token.token_type ?? '');

function redeemer(doors: RefreshDoors, alone: boolean): Redeem {
  return async (refreshToken, { client_id, environment, realm, scopes }) => {
    const issuer = issuerFor(doors.profiles.list(), environment, client_id, realm);
    if (issuer === undefined) throw signInError('profile_unknown', { issuer: '', client_id });
    const provider = await doors.findProvider(issuer, client_id);
    const microsoft = new URL(issuer).pathname.endsWith('/v2.0');
    const parameters = {
      // RFC 6749 §6: left out, it is what was granted; named, it may be no more. Entra’s tokens are for one resource each.
      ...(alone && !microsoft ? {} : { scope: scopesFor(scopes, microsoft) }),
      ...(microsoft ? { client_info: '1' } : {}),
    };
    const response = await ask({ ...provider, refreshing: true }, () =>
      oidc.refreshTokenGrant(provider.config, refreshToken.secret, parameters),
    );
    return { token_endpoint: provider.metadata.token_endpoint ?? '', response: fieldsOf(response) };
  };
}

function scopesFor(scopes: readonly string[], microsoft: boolean): string {
  return [...new Set(microsoft ? [...scopes, 'openid', 'profile', 'offline_access'] : scopes)].join(' ');
}
