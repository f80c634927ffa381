/** What openid-client, the network and the provider's answers come to, in words for the person who signs in. */
import { TokenkeepError } from 'tokenkeep';
import { SignInError, type SignInErrorCode } from './errors.ts';

/** What was being done, to say where to look. */
export interface Circumstance {
  issuer: string;
  client_id: string;
  redirect_uri?: string;
  /** A refresh: an `invalid_grant` means that the user has to sign in again. */
  refreshing?: boolean;
  /** A revocation, after the account is gone from here. */
  leaving?: boolean;
}

/** @returns an error whose message holds nothing of the answer but the names of its errors. */
export function failureOf(error: unknown, about: Circumstance): Error {
  if (error instanceof TokenkeepError) return error;
  const code = codeOf(error, about.refreshing === true);
  return new SignInError(code, messageOf(code, about, oauthName(error)), { cause: error });
}

function codeOf(error: unknown, refreshing: boolean): SignInErrorCode {
  const oauth = fieldOf(error, 'error');
  const status = Number(fieldOf(error, 'status'));
  if (oauth !== undefined) {
    const description = fieldOf(error, 'error_description') ?? '';
    if (isRedirect(description)) return 'redirect_not_registered';
    if (refreshing && (oauth === 'invalid_grant' || oauth === 'interaction_required')) return 'sign_in_again';
    return OAUTH[oauth] ?? (status >= 500 ? 'provider_unreachable' : 'sign_in_rejected');
  }
  // Of all that is in the chain: the outermost often says no more than that something failed.
  const words = chain(error)
    .map((link) => `${fieldOf(link, 'code') ?? ''} ${link instanceof Error ? link.message : ''}`)
    .join(' ');
  if (/OAUTH_JWT_TIMESTAMP/.test(words)) return 'clock_skew';
  if (UNTRUSTED.test(words)) return 'provider_untrusted';
  if (UNREACHABLE.test(words)) return 'provider_unreachable';
  const [first] = chain(error);
  const code = fieldOf(first, 'code') ?? '';
  const answer = chain(error).find((link) => link instanceof Response);
  if (answer instanceof Response && answer.status >= 500) return 'provider_unreachable';
  if (
    /RESPONSE_IS_NOT_CONFORM|RESPONSE_IS_NOT_JSON|PARSE_ERROR|JSON_ATTRIBUTE|SERVER_METADATA|INVALID_URL/.test(
      code,
    )
  )
    return 'provider_unsuitable';
  return 'answer_invalid';
}

/** RFC 6749 §4.1.2.1 and §5.2, RFC 8628 §3.5, OpenID Connect Core §3.1.2.6. */
const OAUTH: Readonly<Record<string, SignInErrorCode>> = {
  access_denied: 'consent_refused',
  consent_required: 'consent_refused',
  authorization_declined: 'consent_refused', // Entra's, for device codes
  invalid_client: 'client_unknown',
  unauthorized_client: 'client_unknown',
  invalid_scope: 'scope_refused',
  expired_token: 'sign_in_timeout',
  code_expired: 'sign_in_timeout',
  server_error: 'provider_unreachable',
  temporarily_unavailable: 'provider_unreachable',
};

const isRedirect = (description: string): boolean =>
  /redirect[ _]ur[il]/i.test(description) && /regist|match|allow|invalid|AADSTS50011/i.test(description);

const UNTRUSTED =
  /CERT|SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)|ERR_TLS|SSL_(?:PROTOCOL|VERSION)|ERR_SSL|EPROTO|HOSTNAME_MISMATCH/;
const UNREACHABLE =
  /ECONN|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|UND_ERR|EPIPE|net::ERR_|OAUTH_TIMEOUT|TimeoutError|timed out|fetch failed|socket hang up/;

function messageOf(code: SignInErrorCode, about: Circumstance, name: string): string {
  const host = hostOf(about.issuer);
  switch (code) {
    case 'client_unknown':
      return `${host} does not know the client id ${about.client_id} as an app without a secret. Nothing was changed. Compare it with the app’s registration there, and see that the registration allows public clients.`;
    case 'redirect_not_registered':
      return `${host} refused where it should send you back to. Nothing was changed. Add the redirect URI ${about.redirect_uri ?? 'of this app'} to the app’s registration there, as one for desktop apps.`;
    case 'provider_unreachable':
      if (about.leaving === true)
        return `${host} did not answer, so the refresh token is good there until it expires. Sign out at the provider as well.`;
      return `${host} did not answer. What is saved here is as it was. See that you are online and that the address is right, then try again.`;
    case 'provider_untrusted':
      return `The certificate of ${host} is not trusted on this computer, so nothing was sent to it. If it belongs to your organization, its certificate authority has to be trusted by this computer first.`;
    case 'provider_unsuitable':
      return `${host} answered, but not as an OpenID Connect provider with this address. Nothing was changed. Copy the issuer exactly as the provider names it, with its path.`;
    case 'consent_refused':
      return `The sign-in was refused at ${host}: by you, or by what your organization allows. Nothing was changed. Sign in again and accept, or ask your administrator.`;
    case 'scope_refused':
      return `${host} does not give this app the scopes that the profile asks for. Nothing was changed. Check the scopes in the profile.`;
    case 'clock_skew':
      return `The clock of this computer and that of ${host} do not agree, so the answer could not be accepted. Nothing was changed. Set the date and time of this computer, then sign in again.`;
    case 'sign_in_timeout':
      return `Nobody finished signing in at ${host} in time. Nothing was changed. Begin again when you are ready.`;
    case 'no_device_flow':
      return `${host} can’t sign you in with a code on another device. Nothing was changed. Sign in with the browser of this computer.`;
    case 'no_browser':
      return `No browser could be opened. Nothing was changed. Sign in with a code instead, on this or another device.`;
    case 'no_revocation':
      return `${host} has no way to revoke a refresh token.`;
    case 'sign_in_rejected':
      return `${host} refused with the error “${name}”. Nothing was changed. Look it up in the provider’s documentation, or ask who registered the app.`;
    case 'answer_invalid':
      return `What ${host} answered could not be verified, so nothing was taken from it. Try again; if it stays, tell who runs the provider.`;
    case 'sign_in_again':
      return `${host} does not accept this account’s refresh token any more. The tokens that are here may be used until they expire. Sign in again.`;
    case 'profile_unknown':
      return 'No sign-in profile says where this account’s provider is. Nothing was changed. Add a profile for it.';
    case 'host_refused':
      return `Tokenkeep was not allowed to talk to ${host}. Nothing was saved. Save the profile again to be asked again.`;
    case 'port_taken':
      return `Another program uses the port of ${about.redirect_uri ?? 'the redirect URI'}. Nothing was changed. Close that program, or leave the port out of the profile’s redirect URI.`;
  }
}

/** An error of the taxonomy itself, thrown where it is known without an answer. */
export function signInError(code: SignInErrorCode, about: Circumstance): SignInError {
  return new SignInError(code, messageOf(code, about, ''));
}

/** The error's name as the provider has it, where it is one: never a text of its own, which may quote anything. */
function oauthName(error: unknown): string {
  const name = fieldOf(error, 'error') ?? '';
  const microsoft = /AADSTS\d{4,7}/.exec(fieldOf(error, 'error_description') ?? '')?.[0];
  const known = /^[a-z_]{1,40}$/.test(name) ? name : 'unknown';
  return microsoft === undefined ? known : `${known}, ${microsoft}`;
}

/** The error and what is below it. */
function chain(error: unknown): unknown[] {
  const links: unknown[] = [];
  for (let link = error; link !== undefined && link !== null && links.length < 8; ) {
    links.push(link);
    link = typeof link === 'object' && 'cause' in link ? link.cause : undefined;
  }
  return links;
}

function fieldOf(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const field: unknown = Reflect.get(value, name);
  return typeof field === 'string' || typeof field === 'number' ? String(field) : undefined;
}

function hostOf(issuer: string): string {
  return URL.canParse(issuer) ? new URL(issuer).host : 'The provider';
}
