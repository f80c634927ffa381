/** The authorization code flow with PKCE, in the user's own browser. RFC 6749 §4.1, RFC 7636, RFC 8252. */
import * as oidc from 'openid-client';
import type { SignInProfile } from './contract.ts';
import { Cancelled } from './errors.ts';
import { type Circumstance, failureOf } from './failures.ts';
import { listen } from './loopback.ts';
import { notSignedIn, SIGNED_IN } from './page.ts';
import { ask, type Provider } from './provider.ts';
import { wantedScopes } from './tokens.ts';

export interface CodeFlow {
  provider: Provider;
  profile: SignInProfile;
  /** Ends it at any time; the port is closed then. Its reason is what the flow rejects with. */
  signal: AbortSignal;
  /** The page on which one signs in is to be opened. */
  onPage: (url: string) => void;
  /** The browser has called. */
  onAnswer: () => void;
  /** Takes the tokens in; the browser is told only afterwards that one is signed in. */
  take: (response: oidc.TokenEndpointResponse) => Promise<void>;
}

export async function signInWithBrowser({ provider, profile, signal, ...on }: CodeFlow): Promise<void> {
  const { config } = provider;
  const [verifier, state, nonce] = [oidc.randomPKCECodeVerifier(), oidc.randomState(), oidc.randomNonce()];
  const loopback = await listen(profile.redirect_uri, state);
  const about: Circumstance = { ...provider, redirect_uri: loopback.redirect_uri };
  try {
    const page = oidc.buildAuthorizationUrl(config, {
      redirect_uri: loopback.redirect_uri,
      scope: wantedScopes(profile).join(' '),
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
      ...promptFor(provider, profile),
      ...extrasFor(profile),
    });
    on.onPage(page.href);
    const back = await Promise.race([loopback.called, aborted(signal)]);
    on.onAnswer();
    const checks = {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    };
    const response = await ask(about, () =>
      Promise.race([oidc.authorizationCodeGrant(config, back, checks, extrasFor(profile)), aborted(signal)]),
    );
    await on.take(response);
    loopback.answer(SIGNED_IN);
  } catch (error) {
    if (error instanceof Cancelled) {
      loopback.answer(notSignedIn('The sign-in was cancelled in Tokenkeep.'));
      throw error;
    }
    const failure = failureOf(error, about);
    loopback.answer(notSignedIn(failure.message));
    throw failure;
  } finally {
    loopback.close();
  }
}

/**
 * Another account than the one that the browser knows, where the provider can ask (Entra does without saying so), and
 * consent, without which OpenID Connect gives no refresh token for `offline_access` (Core §11). Entra asks by itself.
 */
function promptFor({ metadata }: Provider, profile: SignInProfile): { prompt?: string } {
  if (profile.kind === 'microsoft') return { prompt: 'select_account' };
  const known = metadata['prompt_values_supported'];
  const prompts = [
    ...(Array.isArray(known) && known.includes('select_account') ? ['select_account'] : []),
    ...(profile.scopes.includes('offline_access') ? ['consent'] : []),
  ];
  return prompts.length === 0 ? {} : { prompt: prompts.join(' ') };
}

/** Entra's `client_info`, by which the libraries name an account `uid.utid`. Others are not asked for what they don't know. */
export function extrasFor({ kind }: SignInProfile): Record<string, string> {
  return kind === 'microsoft' ? { client_info: '1' } : {};
}

/** Rejects with the signal's reason. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = (): void => reject(signal.reason instanceof Error ? signal.reason : new Cancelled());
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
