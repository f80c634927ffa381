/** The authorization code flow with PKCE, in the user's own browser. RFC 6749 §4.1, RFC 7636, RFC 8252. */
import * as oidc from 'openid-client';
import type { SignInProfile } from './contract.ts';
import { Cancelled, type Circumstance, failureOf } from './failures.ts';
import { listen, notSignedIn, SIGNED_IN } from './loopback.ts';
import { ask, type Provider } from './provider.ts';
import { wantedScopes } from './tokens.ts';

export interface CodeFlow {
  provider: Provider;
  profile: SignInProfile;
  /** The user name that prefills the provider's page, or null. */
  loginHint: string | null;
  /** Cancels the flow and closes the port. The flow rejects with the signal's reason. */
  signal: AbortSignal;
  /** Called with the URL of the provider's sign-in page, to open it. */
  onPage: (url: string) => void;
  /** Called when the browser's redirect has arrived. */
  onAnswer: () => void;
  /** Stores the tokens. The browser shows success only afterwards. */
  take: (response: oidc.TokenEndpointResponse) => Promise<void>;
}

export async function signInWithBrowser({
  provider,
  profile,
  loginHint,
  signal,
  ...on
}: CodeFlow): Promise<void> {
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
      ...(loginHint === null ? promptFor(provider, profile) : hintFor(profile, loginHint)),
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
 * `select_account` lets the user choose another account than the browser's, where the provider offers it (Entra does
 * without saying so). `consent` is needed for `offline_access` (OpenID Connect Core §11); Entra asks by itself.
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

/** The account is known, so no account selection is requested; consent is requested as usual. OpenID Connect Core §3.1.2.1. */
function hintFor({ kind, scopes }: SignInProfile, login_hint: string): Record<string, string> {
  const consent = kind === 'oidc' && scopes.includes('offline_access');
  return { login_hint, ...(consent ? { prompt: 'consent' } : {}) };
}

/** Entra's `client_info`, by which the libraries name an account `uid.utid`. Other providers don't know it. */
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
