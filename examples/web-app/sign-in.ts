/** Signing in with a code and PKCE (RFC 7636), and out, here and at the provider. */
import { randomBytes, randomUUID } from 'node:crypto';
import { CryptoProvider } from '@azure/msal-node';
import type { Router } from 'express';
import express from 'express';
import type { Session } from 'express-session';
import type { Caches } from './caches.ts';
import type { msalPerRequest } from './msal.ts';
import { messagePage, type SignedIn } from './pages.ts';
import type { Settings } from './settings.ts';

declare module 'express-session' {
  interface SessionData {
    /** A sign-in that is under way. */
    attempt: { state: string; nonce: string; verifier: string };
    user: SignedIn & { home_account_id: string };
    /** The partition of this sign-in's tokens. */
    cacheId: string;
  }
}

interface Parts {
  settings: Settings;
  msal: ReturnType<typeof msalPerRequest>;
  caches: Caches;
  /** OpenID Connect RP-Initiated Logout; undefined where the provider has none. */
  endSession: string | undefined;
}

export function signIn({ settings, msal, caches, endSession }: Parts): Router {
  const router = express.Router();
  const redirectUri = `${settings.url}/callback`;
  const { scopes } = settings;

  router.get('/sign-in', async (req, res) => {
    const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
    const attempt = { verifier, state: random(), nonce: random() };
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

  router.get('/callback', async (req, res) => {
    const { attempt } = req.session;
    delete req.session.attempt; // Good for one answer.
    const { state, code, error } = req.query;
    if (attempt === undefined || state !== attempt.state) {
      res
        .status(400)
        .send(messagePage('Not signed in', 'This answer belongs to no sign-in of this browser.'));
      return;
    }
    if (typeof code !== 'string') {
      res
        .status(403)
        .send(
          messagePage(
            'Not signed in',
            `The provider answered: ${typeof error === 'string' ? error : 'nothing'}`,
          ),
        );
      return;
    }
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
    const { homeAccountId: home_account_id, username, name = username } = account;
    req.session.user = { home_account_id, username, name };
    res.redirect('/');
  });

  // A form's POST: with a SameSite cookie no other site can sign people out.
  router.post('/sign-out', async (req, res) => {
    const { cacheId, user } = req.session;
    let idToken: string | undefined;
    if (cacheId !== undefined && user !== undefined) {
      const partition = caches.of(req.session, cacheId);
      idToken = await partition.read((cache) => cache.find('IdToken')[0]?.secret);
      await partition.signOut(user.home_account_id);
    }
    await destroy(req.session);
    res.clearCookie('session');
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
