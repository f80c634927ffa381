import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import {
  acquireTokenSilent,
  codeThatAsksUser,
  lookup,
  type Redeem,
  type TokenRequest,
} from '../cache/acquire.ts';
import { type Clock, systemClock } from '../cache/clock.ts';
import { mergeIssued } from '../cache/document/merge.ts';
import { type Claims, readToken, stringClaim } from '../cache/schema/claims.ts';
import type { AccessToken, AccountSummary } from '../cache/schema/entities.ts';
import { isMicrosoft, sameIssuer } from '../cache/schema/authorities.ts';
import { scopesOf } from '../cache/schema/match.ts';
import { TokenCache } from '../cache/token-cache.ts';
import {
  InvalidArgumentError,
  LogoutTokenError,
  NoRequestError,
  PartitionError,
  SignInRequiredError,
  WebSignInError,
} from '../errors.ts';
import { checkOptions, LIST_OF_TEXTS, type OptionNames, TEXT } from '../options.ts';
import { Deadline } from '../partitions/deadline.ts';
import { logoutTokens, type VerifyLogoutToken } from '../partitions/logout-token.ts';
import { type Marks, marksOf, UsedOnce } from '../partitions/marks.ts';
import type { Partition, PartitionedCaches } from '../partitions/partitioned-caches.ts';
import { carryOver } from '../partitions/stores/session-store.ts';
import {
  type Attempt,
  attemptFor,
  LONGEST_ATTEMPT,
  newAttempt,
  ownPath,
  supersededAttempts,
} from './attempt.ts';
import {
  destroyed,
  type ExpressSession,
  lifetimeOf,
  LONGEST_CALL,
  noteSignedIn,
  regenerated,
  saved,
  sessionOf,
  signedIn,
  type SignedInSession,
} from './browser-session.ts';
import {
  answer,
  cookiesOf,
  formField,
  isCrossSite,
  isNavigation,
  middleware,
  noStore,
  redirect,
  setCookie,
  type WebRequest,
} from './http.ts';
import { verifiedIdToken } from './id-token.ts';
import {
  checkedOptions,
  pathsOf,
  type SignInOptions,
  type WebAppPaths,
  type WebSignIn,
  type WebSignInOptions,
  type WebSignOut,
  type WebUser,
} from './options.ts';
import { Provider } from './provider.ts';

/**
 * Signs users in with OpenID Connect and keeps their tokens, for apps with `express` and `express-session`: authorization code with PKCE,
 * sign-out here and at the provider, and back-channel logout.
 *
 * - Any number of tabs may sign in at the same time. Only the browser that started a sign-in can finish it.
 * - The session is replaced at each sign-in. The tokens live as long as the session, and those of the previous user are removed.
 * - Addresses are made from `redirectUri`, never from the request, so proxies can't change them.
 * - Errors go to Express's error handler: `WebSignInError`, with a `status`, and the errors of partitions.
 *
 * @throws InvalidArgumentError
 * @example
 * import express from 'express';
 * import session from 'express-session';
 * import { webSignIn } from 'tokenkeep/express';
 * import type { PartitionedCaches } from 'tokenkeep/partitions';
 *
 * function appWith(caches: PartitionedCaches, secret: string) {
 *   const app = express();
 *   app.set('trust proxy', 1); // behind a TLS proxy
 *   app.use(session({ secret, resave: false, saveUninitialized: false, cookie: { sameSite: 'lax', secure: true } }));
 *   const auth = webSignIn({
 *     caches,
 *     issuer: 'https://login.microsoftonline.com/my-tenant-id/v2.0',
 *     clientId: 'my-app',
 *     clientSecret: 'my secret',
 *     redirectUri: 'https://app.example/callback',
 *   });
 *   app.use(auth.routes);
 *   app.get('/me', auth.requireUser({ scopes: ['User.Read'] }), async (req, res) => {
 *     const headers = { authorization: `Bearer ${auth.user(req).accessToken}` };
 *     res.json(await (await fetch('https://graph.microsoft.com/v1.0/me', { headers })).json());
 *   });
 *   return app;
 * }
 */
export function webSignIn(options: WebSignInOptions): WebSignIn {
  const app = new WebApp(options);
  return {
    routes: middleware((req, res) => app.route(req, res)),
    requireUser: (required) => {
      const { scopes = [] } = checkOptions('requireUser', required, { scopes: LIST_OF_TEXTS });
      const wanted = scopes.flatMap(scopesOf);
      return middleware((req, res) => app.require(req, res, wanted));
    },
    user: (req) => app.user(req),
    findUser: (req) => app.find(req),
    signIn: (req, res, how) => app.signIn(req, res, how),
  };
}

/** Sign-ins less than this many seconds apart may be a redirect loop. */
const LOOP = 20;
const MOST_ROUNDS = 2;

/** The caches of the last `webSignIn` that a request has passed. */
const cachesOf = new WeakMap<WebRequest, WebSignInOptions['caches']>();

class WebApp {
  readonly #options: WebSignInOptions;
  readonly #provider: Provider;
  readonly #now: Clock;
  /** Distinguishes this sign-in from others of the same app, whose users are not admitted here. */
  readonly #client: string;
  readonly #origin: string;
  /** The app's home page. */
  readonly #home: string;
  readonly #paths: WebAppPaths;
  readonly #cookiePrefix: string;
  readonly #users = new WeakMap<WebRequest, WebUser>();
  /** The codes that were sent to the provider. */
  readonly #codes: UsedOnce;
  #logout: VerifyLogoutToken | undefined;

  constructor(options: WebSignInOptions) {
    this.#options = checkedOptions(options);
    const { issuer, clientId, redirectUri, basePath = '', now = systemClock, fetch: own } = options;
    this.#now = now;
    this.#home = `${basePath}/`;
    this.#provider = new Provider(issuer, options, own ?? ((...request) => fetch(...request)), now);
    this.#client = JSON.stringify([issuer.replace(/\/+$/, ''), clientId]);
    this.#codes = new UsedOnce(this.#marks, ['code', this.#client], now);
    const { origin, protocol } = new URL(redirectUri);
    this.#origin = origin;
    this.#paths = pathsOf(options);
    // A cookie named __Host- can't be planted by another host of the domain.
    this.#cookiePrefix = protocol === 'https:' ? '__Host-tokenkeep-' : 'tokenkeep-';
  }

  get #isSecure(): boolean {
    return this.#origin.startsWith('https:');
  }

  /** Answers requests to the routes. @returns whether the path is not one of them */
  async route(req: WebRequest, res: ServerResponse): Promise<boolean> {
    this.#assertSameCaches(req);
    const run = this.#routeOf(req);
    await run?.(req, res);
    return run === undefined;
  }

  /** A session has one user, whose tokens each `webSignIn` of the app must be able to remove. */
  #assertSameCaches(req: WebRequest): void {
    const { caches } = this.#options;
    const others = cachesOf.get(req) ?? caches;
    cachesOf.set(req, caches);
    // Two functions may open the same session.
    if (others === caches || (typeof others === 'function' && typeof caches === 'function')) return;
    throw new InvalidArgumentError(
      'Two webSignIn of this app have different `caches`. A sign-in or sign-out with one of them would leave the tokens of the other. Pass the same caches to both. This request was not processed.',
      { field: 'caches' },
    );
  }

  #routeOf(req: WebRequest): ((req: WebRequest, res: ServerResponse) => Promise<void>) | undefined {
    const { pathname } = this.#urlOf(req);
    const { signIn, callback, signOut, backChannelLogout } = this.#paths;
    if (req.method === 'GET' && pathname === signIn) return (...request) => this.#start(...request);
    if (req.method === 'GET' && pathname === callback) return (...request) => this.#finish(...request);
    if (req.method === 'POST' && pathname === signOut) return (...request) => this.#signOut(...request);
    if (req.method === 'POST' && pathname === backChannelLogout && this.#hasIndex())
      return (...request) => this.#backChannelLogout(...request);
    return undefined;
  }

  /** @returns whether the user may pass; otherwise, the request is answered */
  async require(req: WebRequest, res: ServerResponse, scopes: readonly string[]): Promise<boolean> {
    noStore(res);
    const session = sessionOf(req);
    const isKept = signedIn(session) !== undefined;
    const user = await this.#userOf(req, scopes).catch((error: unknown) => {
      if (error instanceof SignInRequiredError) return this.#assertNoLoop(session, scopes, error);
      throw error;
    });
    const rounds = this.#roundsOf(req);
    if (user !== null) {
      this.#users.set(req, user);
      if (rounds > 0) this.#clear(res, this.#doneCookie);
      return true;
    }
    if (!isNavigation(req)) {
      answer(res, 401, { error: 'sign_in_required' });
      return false;
    }
    if (rounds >= MOST_ROUNDS) {
      if (!isKept) sessionNotKept();
      if (signedIn(session) === undefined) {
        this.#clear(res, this.#doneCookie); // The session's field is gone, so the next round would blame the session's cookie.
        tokensNotKept();
      }
    }
    const isRepeatable = req.method === 'GET' || req.method === 'HEAD';
    await this.signIn(req, res, { scopes, returnTo: isRepeatable ? this.#pathOf(req) : this.#home });
    return false;
  }

  user(req: WebRequest): WebUser {
    const user = this.#users.get(req);
    if (user !== undefined) return user;
    throw new NoRequestError(
      'This request has not passed requireUser, so it is unknown who its user is. Add requireUser() to the route.',
    );
  }

  async find(req: WebRequest): Promise<WebUser | null> {
    return this.#users.get(req) ?? this.#userOf(req, []);
  }

  async signIn(req: WebRequest, res: ServerResponse, options: SignInOptions = {}): Promise<void> {
    const { returnTo, scopes = [], claims, loginHint } = checkOptions('signIn', options, SIGN_IN);
    sessionOf(req); // Reports a missing session before the sign-in rather than after it.
    const { authorization_endpoint } = await this.#provider.metadata();
    const { clientId, redirectUri, parameters = {} } = this.#options;
    const all = new Set([
      'openid',
      'profile',
      'offline_access',
      ...this.#scopes,
      ...scopes.flatMap(scopesOf),
    ]);
    const scope = [...all].join(' ');
    const purpose = {
      returnTo: ownPath(returnTo ?? this.#pathOf(req), this.#origin) ?? this.#home,
      scopes: scope,
      at: this.#now(),
    };
    const { attempt, value } = newAttempt(purpose, this.#home);
    const cookies = cookiesOf(req);
    for (const name of supersededAttempts(cookies, `${this.#cookiePrefix}attempt-`, value.length))
      this.#clear(res, name);
    // All sign-ins in progress in this browser share this id. [Note: sign-ins side by side]
    this.#set(res, this.#browserCookie, browserId(cookies.get(this.#browserCookie)), LONGEST_ATTEMPT);
    this.#set(res, this.#attemptCookie(attempt.state), value, LONGEST_ATTEMPT);
    const url = new URL(authorization_endpoint);
    const query: Record<string, string> = {
      ...parameters,
      client_id: clientId,
      response_type: 'code',
      redirect_uri: redirectUri,
      scope,
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge: attempt.challenge,
      code_challenge_method: 'S256',
      ...(claims === undefined ? {} : { claims }),
      ...(loginHint === undefined ? {} : { login_hint: loginHint }),
    };
    for (const [name, text] of Object.entries(query)) url.searchParams.set(name, text);
    redirect(res, url.href);
  }

  async #start(req: WebRequest, res: ServerResponse): Promise<void> {
    await this.signIn(req, res, { returnTo: this.#urlOf(req).searchParams.get('returnTo') ?? this.#home });
  }

  /** Handles the provider's authorization response (OpenID Connect Core §3.1.2.5). */
  async #finish(req: WebRequest, res: ServerResponse): Promise<void> {
    noStore(res);
    const query = this.#urlOf(req).searchParams;
    // The attempt stays: what is malformed is not the provider's answer to it.
    if (ANSWER.some((field) => query.getAll(field).length > 1) || (query.has('code') && query.has('error')))
      throw new WebSignInError('sign_in_answer_invalid', REPEATED);
    const state = query.get('state') ?? '';
    const last = signedIn(sessionOf(req));
    if (last?.state === state) {
      redirect(res, ownPath(last.returnTo, this.#origin) ?? this.#home); // The user reloads the page, and is signed in already.
      return;
    }
    const name = this.#attemptCookie(state);
    const attempt = attemptFor(state, cookiesOf(req).get(name), this.#now());
    if (attempt === undefined) notBegunHere();
    this.#clear(res, name); // An attempt is valid for one response.
    const metadata = await this.#provider.metadata();
    const issuer = query.get('iss');
    if (issuer === null ? metadata.namesIssuer : issuer !== metadata.issuer) notBegunHere();
    const code = query.get('code');
    if (code === null) refused(query.get('error'), query.get('error_description'));
    // A code that arrives twice may cost the user the tokens that were issued for it the first time (RFC 6749 §4.1.2).
    const hashed = createHash('sha256').update(code).digest('base64url');
    if (!(await this.#codes.use(hashed, this.#now() + LONGEST_ATTEMPT))) notBegunHere();
    const { clientId, redirectUri } = this.#options;
    const { token_endpoint, response } = await this.#provider.tokens({
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: attempt.verifier,
    });
    if (response['error'] !== undefined) refused(response['error'], response['error_description']);
    const claims = await verifiedIdToken(response['id_token'], await this.#provider.keys(), {
      issuer: metadata.issuer,
      clientId,
      nonce: attempt.nonce,
      now: this.#now,
    });

    const memory = new TokenCache({ now: this.#now });
    // The verified issuer, so that nothing else in the answer names another one's account.
    const verified = stringClaim(claims, 'iss') ?? metadata.issuer;
    const event = { client_id: clientId, scope: attempt.scopes, token_endpoint, response, issuer: verified };
    try {
      memory.add({ ...event, grant_type: 'authorization_code' });
    } catch (cause) {
      // The scopes and addresses were checked before: only the response can be wrong, such as a client_info that names a field twice.
      if (!(cause instanceof InvalidArgumentError)) throw cause;
      throw new WebSignInError('sign_in_answer_invalid', `${NOT_KEPT} ${cause.message}`, { cause });
    }
    await this.#keep(req, res, attempt, memory);
    redirect(res, ownPath(attempt.returnTo, this.#origin) ?? this.#home);
  }

  /** Keeps the tokens of a sign-in, in a session of their own. */
  async #keep(req: WebRequest, res: ServerResponse, attempt: Attempt, memory: TokenCache): Promise<void> {
    const [account] = memory.accounts();
    if (account === undefined) throw new WebSignInError('sign_in_answer_invalid', NO_ACCOUNT);
    const before = sessionOf(req);
    const previous = await this.#previous(req, before);
    const [known] = previous?.found ?? [];
    const isSameUser = previous !== undefined && known !== undefined && isSame(known.account, account);
    const session = await regenerated(req).catch(async (error: unknown) => {
      if (!isSameUser) await this.#revoked(this.#accountsIn(memory, true)); // Nobody will ever use them.
      throw error;
    });
    const isInSession = typeof this.#options.caches === 'function';
    const cookies = cookiesOf(req);
    const browser = cookies.get(this.#browserCookie);
    let partition: Partition | undefined;
    let replaced = isSameUser ? undefined : previous;
    // Nobody can reach the tokens of the previous users any more. Those that a session keeps were removed with it.
    const endReplaced = async (gone = replaced): Promise<void> => {
      if (gone === undefined) return;
      const removed = await this.#removed(this.#open(req, session, gone.id), gone.isOwn).catch(
        () => gone.found,
      );
      await this.#revoked(isInSession && removed.length === 0 ? gone.found : removed);
    };
    let other: Other | undefined;
    try {
      await this.#options.carryOver?.(before, session, isSameUser);
      if (isSameUser && isInSession)
        await Deadline.run(LONGEST_CALL, (deadline) => deadline.with(() => carryOver(before, session)));
      const id = isSameUser ? previous.id : await this.#idFor(req, session, browser, account);
      partition = this.#open(req, session, id);
      // The previous one may be the user's own, which a sign-out elsewhere has emptied.
      if (previous?.id === id) replaced = undefined;
      await partition.update((cache) => mergeIssued(cache, memory));
      other = await this.#other(cookies, id, attempt); // After the update, so that a concurrent sign-in finds tokens to remove.
      const last = signedIn(before);
      const clients = new Set(isSameUser ? last?.clients : []).add(this.#client);
      const { scopes, state, returnTo } = attempt;
      const what = { partition: id, clients: [...clients], scopes, state, returnTo };
      noteSignedIn(session, { ...what, ...this.#timeOf(last) });
      await saved(session);
    } catch (error) {
      // No session refers to these tokens.
      if (!isSameUser) {
        const removed =
          partition === undefined ? [] : await this.#removed(partition, true).catch((): KnownAccount[] => []);
        const kept = new Set(removed.flatMap(({ refreshTokens }) => refreshTokens));
        const lost = this.#accountsIn(memory, true).filter(({ refreshTokens }) =>
          refreshTokens.some((secret) => !kept.has(secret)),
        );
        await this.#revoked([...removed, ...lost]);
      }
      await endReplaced().catch(() => undefined);
      throw error;
    }
    const endOther = async (gone: Other): Promise<void> =>
      this.#revoked(await this.#removed(this.#open(req, session, gone.id), gone.isOwn));
    await Promise.allSettled([
      endReplaced(),
      other === undefined || other.id === replaced?.id ? undefined : endOther(other),
    ]);
    this.#set(res, this.#doneCookie, String(this.#roundsOf(req) + 1), LOOP);
  }

  /** Returns the partition id of a sign-in. A partition that can't be opened is left alone, and the sign-in gets another one. */
  async #idFor(
    req: WebRequest,
    session: ExpressSession,
    browser: string | undefined,
    account: AccountSummary,
  ): Promise<string> {
    const id = partitionIdOf(this.#client, browser, account);
    const isOpen = await this.#open(req, session, id)
      .read(() => true)
      .catch(unopened);
    return isOpen === true ? id : randomUUID();
  }

  /**
   * [Note: sign-ins side by side] Two tabs may finish their sign-ins at the same moment, and the browser keeps the session of only one of
   * them. So the sign-ins of one browser and user share a partition, and the partition of another user who signed in there shortly
   * before is known. One who signed in with another `webSignIn` may be in a session of their own, of another app at this origin, unless
   * both sign-ins end at the same moment: then the browser sends the cookies of both.
   *
   * @returns a partition that no session refers to any more
   */
  async #other(
    cookies: ReadonlyMap<string, string>,
    id: string,
    { state }: Attempt,
  ): Promise<Other | undefined> {
    const browser = cookies.get(this.#browserCookie);
    if (browser === undefined) return undefined;
    // As long as the browser may have the cookie: it is set when a sign-in begins.
    const [time, text] = [2 * LONGEST_ATTEMPT, JSON.stringify([id, this.#client, state])];
    const before = (await this.#marks?.exchange(time, text, 'browser', browser)) ?? null;
    if (before === null) return undefined;
    const [earlier, client, attempt] = JSON.parse(before) as [string, string, string];
    const isOwn = client === this.#client;
    const isMeant = isOwn || cookies.has(this.#attemptCookie(attempt));
    return earlier !== id && isMeant ? { id: earlier, isOwn } : undefined;
  }

  get #marks(): Marks | undefined {
    const { caches } = this.#options;
    return typeof caches === 'function' ? undefined : marksOf(caches);
  }

  #timeOf(last: SignedInSession | undefined): { at: number; again: number } {
    const at = this.#now();
    return { at, again: last !== undefined && at - last.at <= LOOP ? last.again + 1 : 0 };
  }

  /** Whether the user has signed in here, not only with another `webSignIn` of the app. */
  #isOwn({ clients }: SignedInSession): boolean {
    return clients.includes(this.#client);
  }

  /** Returns who was signed in before in this browser. */
  async #previous(req: WebRequest, session: ExpressSession): Promise<Previous | undefined> {
    const last = signedIn(session);
    if (last === undefined) return undefined;
    const isOwn = this.#isOwn(last);
    const partition = this.#open(req, session, last.partition);
    const found = (await partition.read((cache) => this.#accountsIn(cache, isOwn)).catch(unopened)) ?? [];
    return { id: last.partition, isOwn, found };
  }

  async #signOut(req: WebRequest, res: ServerResponse): Promise<void> {
    noStore(res);
    if (isCrossSite(req, this.#origin)) throw new WebSignInError('cross_site_request', CROSS_SITE);
    const session = sessionOf(req);
    const last = signedIn(session);
    let idToken: string | undefined;
    let revoked: Promise<void> | undefined;
    if (last !== undefined) {
      const partition = this.#open(req, session, last.partition);
      const isOwn = this.#isOwn(last);
      if (isOwn)
        idToken = await partition.read((cache) => this.#idToken(cache, cache.accounts()[0])).catch(unopened);
      revoked = this.#revoked(await this.#removed(partition, isOwn));
    }
    await destroyed(session);
    this.#clear(res, this.#doneCookie);
    const browser = cookiesOf(req).get(this.#browserCookie);
    if (browser !== undefined) {
      this.#clear(res, this.#browserCookie);
      await this.#marks?.remove('browser', browser).catch(() => undefined); // The mark expires.
    }
    // The sign-out is complete here. The browser continues at the provider, if it can be reached.
    const [page] = await Promise.all([this.#provider.signOutPage(), revoked]);
    if (page === undefined) {
      redirect(res, this.#home);
      return;
    }
    const url = new URL(page);
    url.searchParams.set('client_id', this.#options.clientId);
    url.searchParams.set('post_logout_redirect_uri', `${this.#origin}${this.#home}`);
    if (idToken !== undefined) url.searchParams.set('id_token_hint', idToken);
    redirect(res, url.href);
  }

  /** Returns the accounts that were in the partition. @param isOwn whether the provider may see their tokens */
  async #removed(partition: Partition, isOwn: boolean): Promise<KnownAccount[]> {
    const found = await partition
      .update((cache) => {
        const accounts = this.#accountsIn(cache, isOwn);
        cache.signOutAll();
        return accounts;
      })
      .catch(unopened);
    // The update has deleted the entry, and another tab may have signed in since. Only one that can't be opened has to be removed.
    if (found === undefined) await partition.remove();
    return found ?? [];
  }

  #accountsIn(cache: TokenCache, isOwn: boolean): KnownAccount[] {
    return cache
      .accounts()
      .map((account) => ({ account, refreshTokens: isOwn ? this.#ownRefreshTokens(cache, account) : [] }));
  }

  /** Revokes refresh tokens at the provider, and tells the app. Does not reject. */
  async #revoked(removed: readonly KnownAccount[]): Promise<void> {
    await Promise.all(
      removed.map(async ({ account, refreshTokens }) =>
        this.#tell({ account, ...(await this.#revocation(refreshTokens)) }),
      ),
    );
  }

  /**
   * Calls the app's listener. An error of the listener must not leave the sign-out half done, so it is reported as an uncaught exception,
   * as for listeners of a cache.
   */
  #tell(signOut: WebSignOut): void {
    try {
      this.#options.onSignOut?.(signOut);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  /** Returns only the refresh tokens that the provider issued to this client, because nobody else may see them. */
  #ownRefreshTokens(cache: TokenCache, account: AccountSummary): string[] {
    return cache.find('RefreshToken', { query: this.#ownOf(account) }).map(({ secret }) => secret);
  }

  /** Returns the ID token that the provider issued to this client: that of another client says what the user may do there. */
  #idToken(cache: TokenCache, account: AccountSummary | undefined): string | undefined {
    if (account === undefined) return undefined;
    return cache.find('IdToken', { query: this.#ownOf(account) })[0]?.secret;
  }

  #ownOf({ home_account_id, environment, issuer }: AccountSummary): Record<string, string> {
    const own = { client_id: this.#options.clientId, home_account_id, environment };
    return issuer === undefined ? own : { ...own, issuer };
  }

  async #revocation(refreshTokens: readonly string[]): Promise<Omit<WebSignOut, 'account'>> {
    const all = refreshTokens.length;
    if (all === 0) return { revocation: 'none', revoked: 0, notRevoked: 0 };
    const outcome = await this.#provider.revoke(refreshTokens);
    if (outcome === undefined) return { revocation: 'unsupported', revoked: 0, notRevoked: all };
    const { revoked, failure } = outcome;
    const counts = { revoked, notRevoked: all - revoked };
    return failure === undefined
      ? { revocation: 'done', ...counts }
      : { revocation: 'failed', ...counts, error: failure };
  }

  #hasIndex(): boolean {
    const { caches } = this.#options;
    return typeof caches !== 'function' && caches.userIndex;
  }

  /** OpenID Connect Back-Channel Logout §2.5 to §2.8. */
  async #backChannelLogout(req: WebRequest, res: ServerResponse): Promise<void> {
    const { caches } = this.#options;
    if (typeof caches === 'function') return;
    try {
      const verify = await this.#verifier(caches);
      await verify(await formField(req, 'logout_token'), (user) => caches.signOutUser(user));
    } catch (error) {
      if (!(error instanceof LogoutTokenError)) throw error;
      const isInvalid = error.code === 'logout_token_invalid';
      const body = {
        error: isInvalid ? 'invalid_request' : 'temporarily_unavailable',
        error_description: error.message,
      };
      if (!req.complete) res.setHeader('connection', 'close'); // Nobody reads the rest of a form that is too long.
      answer(res, isInvalid ? 400 : 503, body);
      return;
    }
    answer(res, 200);
  }

  async #verifier(caches: PartitionedCaches): Promise<VerifyLogoutToken> {
    const { issuer } = await this.#provider.metadata();
    this.#logout ??= logoutTokens({
      issuer,
      clientId: this.#options.clientId,
      keys: async () => this.#provider.jwks((await this.#provider.metadata()).jwks_uri),
      ...(marksOf(caches) === undefined ? {} : { caches }),
      now: this.#now,
    });
    return this.#logout;
  }

  /** @returns null if nobody is signed in @throws SignInRequiredError if there is no token for the scopes */
  async #userOf(req: WebRequest, scopes: readonly string[]): Promise<WebUser | null> {
    const session = sessionOf(req);
    const last = signedIn(session);
    if (last === undefined || !this.#isOwn(last)) return null;
    const partition = this.#open(req, session, last.partition);
    const found = await partition.read((cache) => this.#found(cache, scopes));
    if (found === null) {
      noteSignedIn(session, undefined); // Signed out elsewhere, or expired.
      return null;
    }
    const { account, claims, request, token } = found;
    if (request === undefined) return { account, claims, accessToken: '', partition };
    const { secret } = token ?? (await this.#refreshed(partition, account, request));
    return { account, claims, accessToken: secret, partition };
  }

  /** Gets an access token. A refresh token that came after the user was signed out is not kept, so it is revoked like the others. */
  async #refreshed(
    partition: Partition,
    account: AccountSummary,
    request: TokenRequest,
  ): Promise<AccessToken> {
    let fresh: unknown;
    const redeem: Redeem = async (...refresh) => {
      const answered = await this.#redeem(...refresh);
      fresh = answered.response['refresh_token'];
      return answered;
    };
    try {
      return await acquireTokenSilent(partition, request, redeem, this.#now);
    } catch (error) {
      // Nothing is revoked if the user has signed in again, because some providers revoke all tokens of the user.
      if (error instanceof SignInRequiredError && typeof fresh === 'string') {
        const isOut = await partition.read((cache) => cache.accounts().length === 0).catch(() => false);
        if (isOut) await this.#revoked([{ account, refreshTokens: [fresh] }]);
      }
      throw error;
    }
  }

  #found(cache: TokenCache, scopes: readonly string[]): FoundUser | null {
    const [account] = cache.accounts();
    if (account === undefined) return null;
    const { home_account_id, environment, issuer } = account;
    const read = readToken(this.#idToken(cache, account) ?? '');
    const claims = read?.format === 'jwt' ? read.payload : {};
    if (scopes.length === 0) return { account, claims };
    const request: TokenRequest = {
      client_id: this.#options.clientId,
      home_account_id,
      environment,
      ...(issuer === undefined ? {} : { issuer }),
      scopes,
    };
    const { accessToken, refreshSoon } = lookup(cache, request, this.#now());
    return { account, claims, request, ...(accessToken && !refreshSoon ? { token: accessToken } : {}) };
  }

  #redeem: Redeem = async ({ secret }, { scopes, environment }, signal) => {
    const wanted: readonly string[] = scopes;
    // Microsoft gives a new refresh token only if it is asked for one.
    const own = isMicrosoft(environment) ? ['openid', 'profile', 'offline_access'] : [];
    const all = new Set([...own, ...wanted]);
    const parameters = { grant_type: 'refresh_token', refresh_token: secret, scope: [...all].join(' ') };
    const answered = await this.#provider.tokens(parameters, signal);
    const { error } = answered.response;
    if (error === undefined || error === 'invalid_grant') return answered;
    const reason = codeThatAsksUser(answered.response);
    if (reason !== undefined) {
      throw new SignInRequiredError(
        'The provider gives no token for these scopes without asking the user. What is cached stays. Sign the user in again.',
        { reason },
      );
    }
    return refused(error, answered.response['error_description']);
  };

  /** @throws WebSignInError if the user has just returned from the provider for this */
  #assertNoLoop(session: ExpressSession, scopes: readonly string[], cause: SignInRequiredError): null {
    const last = signedIn(session);
    const asked = new Set(scopesOf(last?.scopes ?? ''));
    const isAnswered = scopes.every((scope) => asked.has(scope));
    if (last === undefined || !isAnswered || last.again < MOST_ROUNDS || this.#now() - last.at > LOOP)
      return null;
    throw new WebSignInError(
      'sign_in_no_token',
      'The user has signed in several times in a row, and the provider gave no token for the scopes of this page. The user stays signed in. Check that the app may ask for these scopes, and that they are of one resource.',
      { cause },
    );
  }

  #caches(req: WebRequest): PartitionedCaches {
    const { caches } = this.#options;
    return typeof caches === 'function' ? caches(req) : caches;
  }

  #open(req: WebRequest, session: ExpressSession, id: string): Partition {
    return this.#caches(req).partition(id, { ttl: { sliding: lifetimeOf(session) } });
  }

  /** The request's URL as the browser sees it. */
  #urlOf(req: WebRequest): URL {
    const target = req.originalUrl ?? req.url ?? '/';
    const url = `${this.#origin}${this.#basePath}${target.startsWith('/') ? target : '/'}`;
    return new URL(URL.canParse(url) ? url : this.#origin);
  }

  #pathOf(req: WebRequest): string {
    const { pathname, search } = this.#urlOf(req);
    return `${pathname}${search}`;
  }

  get #basePath(): string {
    return this.#options.basePath ?? '';
  }

  get #scopes(): readonly string[] {
    return (this.#options.scopes ?? []).flatMap(scopesOf);
  }

  /** How often this browser has signed in since a page last knew its user. */
  #roundsOf(req: WebRequest): number {
    return Number(cookiesOf(req).get(this.#doneCookie) ?? 0) || 0;
  }

  get #doneCookie(): string {
    return `${this.#cookiePrefix}signed-in`;
  }

  #attemptCookie(state: string): string {
    return `${this.#cookiePrefix}attempt-${state.replace(/[^\w-]/g, '').slice(0, 16)}`;
  }

  get #browserCookie(): string {
    return `${this.#cookiePrefix}browser`;
  }

  #set(res: ServerResponse, name: string, value: string, maxAge: number): void {
    setCookie(res, name, value, { maxAge, secure: this.#isSecure });
  }

  #clear(res: ServerResponse, name: string): void {
    this.#set(res, name, '', 0);
  }
}

interface Other {
  /** The id of the partition. */
  readonly id: string;
  /** Whether it signed in with this `webSignIn`. */
  readonly isOwn: boolean;
}

interface Previous extends Other {
  /** Empty if the partition can't be opened, or is empty. */
  readonly found: readonly KnownAccount[];
}

interface KnownAccount {
  readonly account: AccountSummary;
  readonly refreshTokens: readonly string[];
}

interface FoundUser {
  readonly account: AccountSummary;
  readonly claims: Claims;
  readonly request?: TokenRequest;
  readonly token?: AccessToken;
}

const SIGN_IN: OptionNames<SignInOptions> = {
  returnTo: TEXT,
  scopes: LIST_OF_TEXTS,
  claims: TEXT,
  loginHint: TEXT,
};

function isSame(one: AccountSummary, other: AccountSummary): boolean {
  const { home_account_id, environment, issuer = '' } = one;
  const isOfIssuer = sameIssuer(issuer, other.issuer ?? '');
  return home_account_id === other.home_account_id && environment === other.environment && isOfIssuer;
}

const BROWSER_ID = /^[\w-]{43}$/;

function browserId(known: string | undefined): string {
  return known !== undefined && BROWSER_ID.test(known) ? known : randomBytes(32).toString('base64url');
}

/** Returns another partition id for another user of the same browser, even if someone has planted the cookie. */
function partitionIdOf(client: string, browser: string | undefined, account: AccountSummary): string {
  if (browser === undefined || !BROWSER_ID.test(browser)) return randomUUID();
  const { environment, issuer = '', home_account_id } = account;
  return createHash('sha256')
    .update(JSON.stringify(['partition', client, browser, environment, issuer, home_account_id]))
    .digest('base64url');
}

/** A partition that can't be opened blocks neither sign-in nor sign-out. */
function unopened(error: unknown): undefined {
  if (error instanceof PartitionError && error.code !== 'partition_busy') return undefined;
  throw error;
}

/** Parameters of an authorization response (RFC 6749 §4.1.2, RFC 9207), none of which may be repeated (RFC 6749 §3.1). */
const ANSWER = ['state', 'code', 'iss', 'error', 'error_description', 'error_uri'];
const REPEATED =
  'The answer of the provider has a parameter twice, or both a code and an error. Nobody was signed in.';
const NOT_KEPT = 'The tokens in the answer of the provider can’t be kept. Nobody was signed in.';
const NO_ACCOUNT = 'The answer of the provider names no user. Nobody was signed in.';
const CROSS_SITE =
  'This request to sign out came from a page of another site. Nobody was signed out. Post the form from a page of this app.';

function notBegunHere(): never {
  throw new WebSignInError(
    'sign_in_unknown',
    'This answer belongs to no sign-in that was begun in this browser, or to one that was answered before or took too long. It signed nobody in; who was signed in still is. Sign in again.',
  );
}

function refused(error: unknown, description: unknown): never {
  const code = typeof error === 'string' ? error : '';
  const isCode = /^[a-z_]{1,40}$/.test(code);
  throw new WebSignInError(
    'sign_in_refused',
    `The identity provider refused${isCode ? ` (${code})` : ''}. Nobody was signed in; who was signed in still is.`,
    { provider: { error: code, description: typeof description === 'string' ? description : '' } },
  );
}

function tokensNotKept(): never {
  throw new WebSignInError(
    'session_not_kept',
    'The user has signed in several times in a row, and each time the tokens were gone from the store at the next request. Nobody is signed in. If the app has several processes, they need one store for all, not a memoryStore each. Check that the store evicts nothing (Redis: noeviction).',
  );
}

function sessionNotKept(): never {
  throw new WebSignInError(
    'session_not_kept',
    "The browser did not send the session's cookie back after the sign-in. Behind a TLS proxy, call app.set('trust proxy', 1), or express-session does not set a secure cookie. The cookie must be SameSite=Lax, not Strict. Nobody is signed in.",
  );
}
