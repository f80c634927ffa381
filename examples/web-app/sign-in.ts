/** Signing in with a code and PKCE (RFC 7636), and out, here and at the provider. */
import { randomBytes, randomUUID } from 'node:crypto';
import { CryptoProvider } from '@azure/msal-node';
import type { Router } from 'express';
import express from 'express';
import type { Session } from 'express-session';
import { type Partition, PartitionError } from 'tokenkeep/partitions';
import type { Caches } from './caches.ts';
import type { msalPerRequest } from './msal.ts';
import { messagePage, type SignedIn } from './pages.ts';
import type { Settings } from './settings.ts';

declare module 'express-session' {
  interface SessionData {
    /** A sign-in that is under way. */
    attempt: { state: string; nonce: string; verifier: string; then: string };
    user: SignedIn & { home_account_id: string };
    /** The partition of this sign-in's tokens. */
    cacheId: string;
  }
}

interface Parts {
  settings: Settings;
  msal: ReturnType<typeof msalPerRequest>;
  caches: Caches;
}

export function signIn({ settings, msal, caches }: Parts): Router {
  const router = express.Router();
  const { scopes, redirectUri } = settings;

  router.get('/sign-in', async (req, res) => {
    const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
    // Where to go afterwards is one of two places, and nothing that an address could say.
    const then = req.query['then'] === 'call-api' ? '/call-api?signed-in' : '/';
    const attempt = { verifier, state: random(), nonce: random(), then };
    req.session.attempt = attempt;
    const cacheId = (req.session.cacheId ??= randomUUID());
    const url = await msal.run(caches.of(req.session, cacheId), () =>
      msal.client.getAuthCodeUrl({
        scopes,
        redirectUri,
        state: attempt.state,
        nonce: attempt.nonce,
        codeChallenge: challenge,
        codeChallengeMethod: 'S256',
        // Microsoft gives a refresh token for offline_access; others, as OpenID Connect Core §11 has it, with consent.
        ...(settings.provider === 'oidc' ? { prompt: 'consent' } : {}),
      }),
    );
    res.redirect(url);
  });

  router.get(new URL(redirectUri).pathname, async (req, res) => {
    const { attempt } = req.session;
    delete req.session.attempt; // Good for one answer.
    const { state, code, error, error_description: description } = req.query;
    const refuse = (status: number, text: string): void => {
      res.status(status).send(messagePage({ title: 'You are not signed in', text, next: TRY_AGAIN }));
    };
    if (attempt === undefined || state !== attempt.state) {
      refuse(
        400,
        'This answer belongs to no sign-in that was begun in this browser, or to one that has been answered.',
      );
      return;
    }
    if (typeof code !== 'string') {
      const said = [error, description].filter((part) => typeof part === 'string');
      refuse(403, `The identity provider answered: ${said.join(': ') || 'nothing'}`);
      return;
    }
    const before = req.session.cacheId;
    await regenerate(req); // Who knew the session's id before the sign-in does not know it after.
    const cacheId = randomUUID();
    const result = await msal.run(caches.of(req.session, cacheId), () =>
      msal.client.acquireTokenByCode(
        // MSAL compares the nonce with the ID token's.
        { code, scopes, redirectUri, codeVerifier: attempt.verifier, nonce: attempt.nonce },
      ),
    );
    const account = result.account;
    if (account === null) throw new Error('The provider gave no ID token.');
    req.session.cacheId = cacheId;
    // The tokens of the sign-in before are out of everyone's reach now.
    if (before !== undefined)
      await caches
        .of(req.session, before)
        .remove()
        .catch(() => undefined);
    const { homeAccountId: home_account_id, username, name = username } = account;
    req.session.user = { home_account_id, username, name };
    res.redirect(attempt.then);
  });

  // A form's POST: with a SameSite cookie no other site can sign people out.
  router.post('/sign-out', async (req, res) => {
    const { cacheId, user } = req.session;
    const partition = cacheId === undefined ? undefined : caches.of(req.session, cacheId);
    const idToken = await partition
      ?.read((cache) => cache.find('IdToken')[0]?.secret)
      .catch((error: unknown) => {
        if (error instanceof PartitionError) return undefined; // It can't be opened, and goes all the same.
        throw error;
      });
    if (user !== undefined) await signedOut(partition, user.home_account_id);
    await destroy(req.session);
    res.clearCookie('session');
    // Here it is done. At the provider the browser asks, as long as the provider is there.
    const endSession = await endSessionEndpoint(settings).catch(() => undefined);
    res.redirect(endSession === undefined ? '/' : endSessionUrl(endSession, settings, idToken));
  });

  return router;
}

function endSessionUrl(endpoint: string, { url, clientId }: Settings, idToken: string | undefined): string {
  const target = new URL(endpoint);
  target.searchParams.set('client_id', clientId);
  target.searchParams.set('post_logout_redirect_uri', `${url}/`);
  if (idToken !== undefined) target.searchParams.set('id_token_hint', idToken);
  return target.href;
}

/** OpenID Connect RP-Initiated Logout; undefined where the provider has none. */
async function endSessionEndpoint({
  authority,
  provider,
  fetch: own,
}: Settings): Promise<string | undefined> {
  const base = provider === 'entra' ? `${authority}/v2.0` : authority;
  const signal = AbortSignal.timeout(5000);
  const answer = await (own ?? fetch)(`${base}/.well-known/openid-configuration`, { signal });
  return ((await answer.json()) as { end_session_endpoint?: string }).end_session_endpoint;
}

async function signedOut(partition: Partition | undefined, home_account_id: string): Promise<void> {
  await partition?.signOut(home_account_id).catch(async (error: unknown) => {
    if (!(error instanceof PartitionError)) throw error;
    await partition.remove();
  });
}

const TRY_AGAIN = { to: '/sign-in', text: 'Sign in' };

const random = (): string => randomBytes(24).toString('base64url');

function regenerate({ session }: { session: Session }): Promise<void> {
  return new Promise((resolve, reject) =>
    session.regenerate((error: unknown) =>
      error ? reject(new Error('No new session.', { cause: error })) : resolve(),
    ),
  );
}

function destroy(session: Session): Promise<void> {
  return new Promise((resolve, reject) =>
    session.destroy((error: unknown) =>
      error ? reject(new Error('The session stays.', { cause: error })) : resolve(),
    ),
  );
}
