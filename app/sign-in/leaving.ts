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

/** Whom a sign-out is about; null: everyone. */
export type Leaver = AccountName | null;

export interface Leaving {
  offers(who: Leaver): Promise<LeaveOffers>;
  prepare(who: Leaver, wishes: LeaveWishes): Promise<string>;
  finish(id: string): Promise<LeaveReport>;
}

/** What was taken along; plain copies, since the sealed ones can't be opened once the vault's key is destroyed. */
interface Taken {
  refreshTokens: readonly { token: RefreshToken; issuer: string | undefined }[];
  session: { issuer: string; client_id: string; id_token: string } | undefined;
}

/** Milliseconds that tokens are kept for a sign-out that is confirmed and not finished. */
const KEPT = 60_000;

/** The most providers that are asked what they offer: nobody waits for the answers of hundreds. */
const MOST_ASKED = 8;

export function leaving(doors: LeavingDoors): Leaving {
  const taken = new Map<string, Taken & { wishes: LeaveWishes }>();

  const takeOne = (cache: TokenCache, account: AccountName): Taken => {
    const { home_account_id, environment } = account;
    const query = { home_account_id, environment };
    const realms = new Map(
      cache.find('IdToken', { query }).map((token) => [token.client_id, token.realm ?? undefined]),
    );
    const issuer = (client_id: string): string | undefined =>
      issuerFor(doors.profiles.list(), environment, client_id, realms.get(client_id));
    const idToken = cache.find('IdToken', { query }).find(({ client_id }) => issuer(client_id) !== undefined);
    const at = idToken && issuer(idToken.client_id);
    return {
      refreshTokens: refreshTokensOf(cache, account).map((token) => ({
        token,
        issuer: issuer(token.client_id),
      })),
      session:
        idToken === undefined || at === undefined
          ? undefined
          : { issuer: at, client_id: idToken.client_id, id_token: idToken.secret },
    };
  };

  const take = (who: Leaver): Promise<Taken> =>
    doors.read((cache) => {
      const all = (who === null ? cache.accounts() : [who]).map((account) => takeOne(cache, account));
      const sessions = all.flatMap(({ session }) => session ?? []);
      // A browser shows one page: where several providers are left, each has a session of its own to end.
      const isOne = new Set(sessions.map(({ issuer }) => issuer)).size === 1;
      return {
        refreshTokens: distinct(all.flatMap(({ refreshTokens }) => refreshTokens)),
        session: isOne ? sessions[0] : undefined,
      };
    });

  const find = (issuer: string, client_id: string): Promise<Provider | undefined> =>
    doors.findProvider(issuer, client_id).catch(() => undefined);

  async function offers(who: Leaver): Promise<LeaveOffers> {
    const { refreshTokens, session } = await take(who);
    const places = new Map(
      refreshTokens.flatMap(({ token, issuer }) => (issuer === undefined ? [] : [[issuer, token.client_id]])),
    );
    const asked = await Promise.all([...places].slice(0, MOST_ASKED).map((place) => find(...place)));
    const provider = session && (await find(session.issuer, session.client_id));
    const issuers = [...places.keys(), ...(session === undefined ? [] : [session.issuer])];
    const [host, ...others] = new Set(issuers.map((issuer) => new URL(issuer).host));
    return {
      revoke: best(asked.map((each) => offer(each, 'revocation_endpoint'))),
      endSession: offer(provider, 'end_session_endpoint'),
      provider: host === undefined || others.length > 0 ? null : host,
    };
  }

  async function revoke({ refreshTokens }: Taken): Promise<LeaveReport['revoked']> {
    let count = 0;
    let problem: unknown;
    // A provider that can't be asked about one token is not waited for once more for each of the others.
    const failed = new Set<string>();
    for (const { token, issuer } of refreshTokens) {
      const place = `${issuer ?? ''} ${token.client_id}`;
      if (failed.has(place)) continue;
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
        failed.add(place);
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
    async prepare(who, wishes) {
      const id = randomUUID();
      taken.set(id, { ...(await take(who)), wishes });
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

function best(all: readonly Offer[]): Offer {
  if (all.includes('offered')) return 'offered';
  return all.length > 0 && all.every((each) => each === 'none') ? 'none' : 'unknown';
}

/** Two entries of one token are one token. */
function distinct(all: Taken['refreshTokens']): Taken['refreshTokens'] {
  return [...new Map(all.map((each) => [each.token.secret, each])).values()];
}
