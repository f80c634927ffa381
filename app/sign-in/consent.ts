/** Which hosts the app talks to: Microsoft's, and those that the user has allowed for a profile. */
import type { Question } from 'tokenkeep/electron';
import type { ProfileDraft } from './contract.ts';
import { signInError } from './failures.ts';

/**
 * Asks before a profile brings in a host that no saved profile has. The window has no network of its own; if a script in
 * it could have the main process fetch from any address, what the window knows could leave by that.
 *
 * @throws SignInError `host_refused`
 */
export async function allowHost(
  draft: ProfileDraft,
  saved: readonly ProfileDraft[],
  confirm: (question: Question) => Promise<boolean>,
): Promise<void> {
  const host = hostOf(draft);
  if (host === undefined || saved.some((profile) => hostOf(profile) === host)) return;
  const agreed = await confirm({
    message: `Let Tokenkeep talk to ${host}?`,
    detail:
      'A sign-in profile for this provider is about to be saved. Signing in with it opens this host in your browser, ' +
      'and Tokenkeep gets tokens from it. Allow it only if it is where you sign in.',
    yes: 'Allow',
  });
  if (!agreed) throw signInError('host_refused', { issuer: draft.authority, client_id: draft.client_id });
}

/** Undefined for Microsoft's own, whatever the tenant. In ASCII (IDNA), so that no letter passes for another. */
function hostOf({ kind, authority }: ProfileDraft): string | undefined {
  return kind === 'oidc' ? new URL(authority).host : undefined;
}
