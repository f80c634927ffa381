/** What a sign-out does beyond this computer: revoking refresh tokens (RFC 7009), and the provider's own session. */
import { randomUUID } from 'node:crypto';
import * as oidc from 'openid-client';
import { InvalidArgumentError, type RefreshToken, type TokenCache } from 'tokenkeep';
import type { AccountName, LeaveOffers, LeaveReport, LeaveWishes, Offer, SignInProfile } from './contract.ts';
import { signInError } from './failures.ts';
import { plainErrorOf } from './plain.ts';
import { ask, type FindProvider, type Provider } from './provider.ts';
import { issuerFor, refreshTokensOf } from './whereabouts.ts';

export interface LeavingDoors {
  read: <T>(fn: (cache: TokenCache) => T) => Promise<T>;
  profiles: { list: () => readonly SignInProfile[] };
  findProvider: FindProvider;
  openBrowser: (url: string) => Promise<void>;
  after: (milliseconds: number, work: () => void) => () => void;
  onUnexpected: (error: unknown) => void;
}

export interface Leaving {
  offers(account: AccountName): Promise<LeaveOffers>;
  prepare(account: AccountName, wishes: LeaveWishes): Promise<string>;
  finish(id: string): Promise<LeaveReport>;
}

/** What was taken along; plain copies, since the sealed ones can't be opened once the vault's key is destroyed. */
interface Taken {
  wishes: LeaveWishes;
  refreshTokens: readonly { token: RefreshToken; issuer: string | undefined }[];
  session: { issuer: string; client_id: string; id_token: string } | undefined;
}

/** Milliseconds that tokens are kept for a sign-out that is confirmed and not finished. */
const KEPT = 60_000;

export function leaving(doors: LeavingDoors): Leaving {
  const taken = new Map<string, Taken>();

  const take = (account: AccountName, wishes: LeaveWishes): Promise<Taken> =>
    doors.read((cache) => {
      const { home_account_id, environment } = account;
      const query = { home_account_id, environment };
      const realms = new Map(cache.find('IdToken', { query }).map((token) => [token.client_id, token.realm]));
      const issuer = (client_id: string): string | undefined =>
        issuerFor(doors.profiles.list(), environment, client_id, realms.get(client_id));
      const idToken = cache
        .find('IdToken', { query })
        .find(({ client_id }) => issuer(client_id) !== undefined);
      const at = idToken && issuer(idToken.client_id);
      return {
        wishes,
        refreshTokens: distinct(refreshTokensOf(cache, account)).map((token) => ({
          token,
          issuer: issuer(token.client_id),
        })),
        session:
          idToken === undefined || at === undefined
            ? undefined
            : { issuer: at, client_id: idToken.client_id, id_token: idToken.secret },
      };
    });

  async function offers(account: AccountName): Promise<LeaveOffers> {
    const { refreshTokens, session } = await take(account, { revoke: false, endSession: false });
    const known = refreshTokens.find(({ issuer }) => issuer !== undefined);
    const [issuer, client_id] = [
      known?.issuer ?? session?.issuer,
      known?.token.client_id ?? session?.client_id,
    ];
    if (issuer === undefined || client_id === undefined)
      return { revoke: 'unknown', endSession: 'unknown', provider: null };
    const { host } = new URL(issuer);
    const provider = await doors.findProvider(issuer, client_id).catch(() => undefined);
    return {
      revoke: known === undefined ? 'unknown' : offer(provider, 'revocation_endpoint'),
      endSession: session === undefined ? 'unknown' : offer(provider, 'end_session_endpoint'),
      provider: host,
    };
  }

  async function revoke({ refreshTokens }: Taken): Promise<LeaveReport['revoked']> {
    let count = 0;
    let problem: unknown;
    for (const { token, issuer } of refreshTokens) {
      try {
        if (issuer === undefined)
          throw signInError('profile_unknown', { issuer: '', client_id: token.client_id });
        const provider = await doors.findProvider(issuer, token.client_id);
        if (provider.metadata.revocation_endpoint === undefined) throw signInError('no_revocation', provider);
        await ask({ ...provider, leaving: true }, () =>
          oidc.tokenRevocation(provider.config, token.secret, { token_type_hint: 'refresh_token' }),
        );
        count += 1;
      } catch (error) {
        problem = error;
      }
    }
    return { count, problem: problem === undefined ? null : plainErrorOf(problem, doors.onUnexpected) };
  }

  async function endSession({ session }: Taken): Promise<LeaveReport['session']> {
    try {
      if (session === undefined) throw signInError('profile_unknown', { issuer: '', client_id: '' });
      const { issuer, client_id, id_token } = session;
      const { config } = await doors.findProvider(issuer, client_id);
      // OpenID Connect RP-Initiated Logout §2. The hint tells whose session is meant.
      const page = oidc.buildEndSessionUrl(config, { id_token_hint: id_token });
      await doors.openBrowser(page.href);
      return { opened: true, problem: null };
    } catch (error) {
      return { opened: false, problem: plainErrorOf(error, doors.onUnexpected) };
    }
  }

  return {
    offers,
    async prepare(account, wishes) {
      const id = randomUUID();
      taken.set(id, await take(account, wishes));
      doors.after(KEPT, () => taken.delete(id));
      return id;
    },
    async finish(id) {
      const what = taken.get(id);
      taken.delete(id);
      if (what === undefined) {
        throw new InvalidArgumentError(
          'This sign-out was finished already, or too long ago. Nothing more was done.',
        );
      }
      const { wishes } = what;
      return {
        revoked: wishes.revoke ? await revoke(what) : null,
        session: wishes.endSession ? await endSession(what) : null,
      };
    },
  };
}

function offer(
  provider: Provider | undefined,
  endpoint: 'revocation_endpoint' | 'end_session_endpoint',
): Offer {
  if (provider === undefined) return 'unknown';
  return provider.metadata[endpoint] === undefined ? 'none' : 'offered';
}

/** Two entries of one token are one token. */
function distinct(tokens: readonly RefreshToken[]): RefreshToken[] {
  return [...new Map(tokens.map((token) => [token.secret, token])).values()];
}
