/**
 * The providers that the app may contact: Microsoft's clouds, and issuers that the user has allowed individually. The window has
 * no network of its own; if a script in it could make the main process contact any address, it could leak data that way, or have a token
 * sent to a host of an attacker's choice.
 */
import { type AllowedIssuers, foreignEndpoints, isMicrosoftCloud, type Question } from 'tokenkeep/ipc';
import { type Circumstance, type SignInError, signInError } from './failures.ts';
import { issuerOfProfile } from './profiles.ts';
import type { FindProvider, Provider } from './provider.ts';

/**
 * Asks the user in a dialog of the main process, which the signal closes. Resolves with null if it was not answered. `Ask` is null if no
 * dialog is possible, so nothing new is allowed.
 */
export type Ask = ((question: Question, signal?: AbortSignal) => Promise<boolean | null>) | null;

export interface Consent {
  /**
   * Finds a provider that the user allows: its issuer before it is contacted, then the hosts of its endpoints.
   *
   * @param why what is about to be done, for the question: “Tokenkeep is about to …”
   * @throws SignInError `host_refused`, `consent_unanswered`
   */
  findAllowed(issuer: string, client_id: string, ask: Ask, why: string): Promise<Provider>;
  /** Before a profile is saved: asks to allow its issuer if it is new, and its endpoints if the issuer is reachable. */
  allowProfile(
    profile: { kind: 'microsoft' | 'oidc'; authority: string; client_id: string },
    ask: Ask,
  ): Promise<void>;
}

export function consent(allowed: AllowedIssuers, findProvider: FindProvider): Consent {
  /** @throws SignInError `host_refused`, `consent_unanswered` */
  async function allowIssuer(issuer: string, client_id: string, ask: Ask, why: string): Promise<void> {
    if (isMicrosoftCloud(issuer) || allowed.hostsOf(issuer) !== undefined) return;
    const agreed = await ask?.({
      message: `Let Tokenkeep use ${issuer}?`,
      detail: `${why} Allow it only if this is exactly the address of your provider, including the path.`,
      yes: 'Allow',
    });
    if (agreed !== true) throw notAllowed(agreed, { issuer, client_id });
    allowed.allow(issuer, []);
  }

  /** Checks the endpoints of every metadata response, because metadata may change at any time. */
  async function allowEndpoints(provider: Provider, ask: Ask): Promise<void> {
    const { issuer, client_id, metadata } = provider;
    const home = new URL(issuer).host;
    const foreign = foreignEndpoints(issuer, metadata, allowed.hostsOf(issuer) ?? []);
    if (foreign.length === 0) return;
    const agreed = await ask?.({
      message: `${home} uses other hosts. Allow them?`,
      detail:
        `The provider ${issuer} names endpoints on other hosts, which would get codes and tokens:\n` +
        `${foreign.map(({ name, host }) => `${name}: ${host}`).join('\n')}\n\nAllow it only if you know that they belong to your provider.`,
      yes: 'Allow',
    });
    if (agreed !== true) throw notAllowed(agreed, { issuer, client_id });
    allowed.allow(
      issuer,
      foreign.map(({ host }) => host),
    );
  }

  const findAllowed: Consent['findAllowed'] = async (issuer, client_id, ask, why) => {
    await allowIssuer(issuer, client_id, ask, why);
    const provider = await findProvider(issuer, client_id);
    await allowEndpoints(provider, ask);
    return provider;
  };

  return {
    findAllowed,
    async allowProfile(profile, ask) {
      const issuer = issuerOfProfile(profile);
      if (isMicrosoftCloud(issuer)) return;
      const why =
        'A sign-in profile for this provider is about to be saved. Signing in with it opens the provider in your browser, and Tokenkeep gets tokens from it.';
      await allowIssuer(issuer, profile.client_id, ask, why);
      const provider = await findProvider(issuer, profile.client_id).catch(() => undefined);
      // If it is unreachable now, its endpoints are checked at the first sign-in.
      if (provider !== undefined) await allowEndpoints(provider, ask);
    },
  };
}

function notAllowed(answer: boolean | null | undefined, about: Circumstance): SignInError {
  return signInError(answer === false ? 'host_refused' : 'consent_unanswered', about);
}
