/** Errors of sign-in, refresh and sign-out, each with a code and a message for the user. */
import { PublicError } from 'tokenkeep/errors';
import { codeThatAsksUser, isTokenRefused, plainError, type PlainError } from 'tokenkeep/ipc';

export type SignInErrorCode =
  | 'client_unknown' // the provider does not know the client id, or not as a public client
  | 'redirect_not_registered'
  | 'provider_unreachable' // host not found, connection refused, no network, or a 5xx response
  | 'provider_untrusted' // its TLS certificate is not trusted
  | 'provider_unsuitable' // no OpenID Connect metadata, or those of another issuer
  | 'provider_redirects' // a request was answered with a redirect, which is never followed
  | 'consent_refused'
  | 'scope_refused'
  | 'clock_skew'
  | 'sign_in_timeout'
  | 'no_device_flow'
  | 'no_browser' // the system has none, or did not open it
  | 'no_revocation'
  | 'no_session_end'
  | 'sign_out_interrupted' // the app ended before it opened the provider's sign-out page
  | 'sign_out_unsaved' // a sign-out failed, and the vault can't be told so
  | 'sign_in_rejected' // another OAuth error; the message names it
  | 'answer_invalid' // a token response that lacks required fields or contains wrong ones
  | 'sign_in_again' // the provider refused the refresh token, or gives no token for these scopes without a sign-in
  | 'profile_unknown' // the issuer of a token can't be determined
  | 'host_refused' // the user did not allow the issuer, or hosts that it names
  | 'consent_unanswered' // the question was not answered in time, or could not be asked
  | 'refresh_declined' // the user did not want an imported refresh token to be used
  | 'no_user_token' // no access token that UserInfo accepts
  | 'no_user_info' // the provider has no UserInfo endpoint
  | 'user_info_refused' // UserInfo did not accept the access token
  | 'port_taken' // the redirect's fixed port is in use
  | 'port_refused'; // the system does not let the app use a port

/** A sign-in, refresh or revocation failed. What was cached before is unchanged. */
export class SignInError extends PublicError<SignInErrorCode> {}

/** The user cancelled. There is nothing to report. */
export class Cancelled extends Error {}

/** The operation that failed, so that the message can suggest where to look. */
export interface Circumstance {
  issuer: string;
  client_id: string;
  redirect_uri?: string;
  /** A refresh: an `invalid_grant` means that the user has to sign in again. */
  refreshing?: boolean;
  /** A revocation, after the account was removed locally. */
  leaving?: boolean;
  /** The provider's sign-out page, after the account was removed locally. */
  ending?: boolean;
}

/** Returns an error whose message contains nothing of the response but its error codes. */
export function failureOf(error: unknown, about: Circumstance): Error {
  if (error instanceof PublicError) return error;
  return worded(codeOf(error, about.refreshing === true), error, about);
}

function worded(code: SignInErrorCode, cause: unknown, about: Circumstance): SignInError {
  const name = oauthName(cause);
  const says = code === 'provider_unreachable' ? statusOf(cause) : '';
  const asks = code === 'sign_in_again' && !isTokenRefused(cause);
  const message = asks
    ? asksUser(about, name)
    : says === ''
      ? messageOf(code, about, name)
      : faulty(says, about);
  return new SignInError(code, message, { cause });
}

/** Returns a failure to find the provider in the words of a step that follows the removal: something was changed. */
export function failureAfterRemoval(error: unknown, about: Circumstance): unknown {
  return error instanceof SignInError ? worded(error.code, error.cause, about) : error;
}

/** The message for a provider that gives no token for what was requested without asking the user, and may give others. */
function asksUser({ issuer }: Circumstance, name: string): string {
  return `${hostOf(issuer)} gives no new token without asking you (${name}). The tokens that are here can be used until they expire. Sign in again.`;
}

/** Returns what a provider in trouble answered: its error code, or its status; "" if it did not answer. */
function statusOf(error: unknown): string {
  if (fieldOf(error, 'error') !== undefined) return `the error “${oauthName(error)}”`;
  const answer = chain(error).find((link) => link instanceof Response);
  return answer instanceof Response ? `status ${answer.status}` : '';
}

/** The message for a provider that was reached and has a fault of its own, or was asked too much. */
function faulty(says: string, { issuer, leaving, ending }: Circumstance): string {
  const host = hostOf(issuer);
  if (ending === true) return notOpened(`${host} answered with ${says}`);
  return leaving === true
    ? `${host} answered with ${says}, so the refresh token stays valid there for now. Tokenkeep tries again until it is revoked.`
    : `${host} answered with ${says}: it can’t serve this request at the moment. What is saved here is unchanged. Try again later.`;
}

function codeOf(error: unknown, refreshing: boolean): SignInErrorCode {
  const oauth = fieldOf(error, 'error');
  const status = Number(fieldOf(error, 'status'));
  if (oauth !== undefined) {
    const description = fieldOf(error, 'error_description') ?? '';
    if (isRedirect(description)) return 'redirect_not_registered';
    const known = Object.hasOwn(OAUTH, oauth) ? OAUTH[oauth] : undefined; // a provider can answer “constructor”
    if (known !== undefined) return known;
    if (refreshing && codeThatAsksUser({ error: oauth }) !== undefined) return 'sign_in_again';
    return isForNow(status) ? 'provider_unreachable' : 'sign_in_rejected';
  }
  // Of the whole chain, because the outermost error often says only that something failed.
  const words = chain(error)
    .map((link) => `${fieldOf(link, 'code') ?? ''} ${link instanceof Error ? link.message : ''}`)
    .join(' ');
  if (/OAUTH_JWT_TIMESTAMP/.test(words)) return 'clock_skew';
  if (REDIRECTED.test(words) || chain(error).some(isRedirectResponse)) return 'provider_redirects';
  if (UNTRUSTED.test(words)) return 'provider_untrusted';
  if (UNREACHABLE.test(words)) return 'provider_unreachable';
  const [first] = chain(error);
  const code = fieldOf(first, 'code') ?? '';
  const answer = chain(error).find((link) => link instanceof Response);
  if (answer instanceof Response && isForNow(answer.status)) return 'provider_unreachable';
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
  too_many_requests: 'provider_unreachable',
};

/** Whether a provider may answer otherwise later: it has a fault, or was asked too much. */
export const isForNow = (status: number): boolean => status >= 500 || [408, 425, 429].includes(status);

/** Returns the provider's error code, such as `invalid_grant`; null if there was none. */
export function providerCodeOf(error: unknown): string | null {
  const cause = error instanceof SignInError ? error.cause : error;
  return fieldOf(cause, 'error') === undefined ? null : oauthName(cause);
}

const isRedirect = (description: string): boolean =>
  /redirect[ _]ur[il]/i.test(description) && /regist|match|allow|invalid|AADSTS50011/i.test(description);

/** Electron's `net` with `redirect` "manual" and "error", which both reject, and Node's fetch with "error". */
const REDIRECTED = /Redirect was cancelled|redirect policy was 'error'|unexpected redirect/;
const isRedirectResponse = (link: unknown): boolean =>
  link instanceof Response &&
  (link.type === 'opaqueredirect' || [301, 302, 303, 307, 308].includes(link.status));

const UNTRUSTED =
  /CERT|SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)|ERR_TLS|SSL_(?:PROTOCOL|VERSION)|ERR_SSL|EPROTO|HOSTNAME_MISMATCH/;
const UNREACHABLE =
  /ECONN|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|UND_ERR|EPIPE|net::ERR_|OAUTH_TIMEOUT|TimeoutError|timed out|fetch failed|socket hang up/;

function messageOf(code: SignInErrorCode, about: Circumstance, name: string): string {
  const host = hostOf(about.issuer);
  const obstacle = about.ending === true ? obstacleOfPage(code, host) : null;
  if (obstacle !== null) return notOpened(obstacle);
  const refusal = about.leaving === true ? refusalOfRevocation(code, about, name) : null;
  if (refusal !== null)
    return `${refusal}, so the refresh token stays valid there until it expires. End the session on the provider’s website.`;
  switch (code) {
    case 'client_unknown':
      return `${host} does not know the client ID ${about.client_id} as a public client. Nothing was changed. Compare it with the app’s registration there, and make sure that the registration allows public clients.`;
    case 'redirect_not_registered':
      return `${host} refused the redirect URI. Nothing was changed. Add ${about.redirect_uri ?? 'the redirect URI of this app'} to the app’s registration there, as a redirect URI for desktop apps.`;
    case 'provider_unreachable':
      if (about.leaving === true)
        return `${host} did not answer, so the refresh token stays valid there for now. Tokenkeep tries again until it is revoked.`;
      return `${host} did not answer. What is saved here is unchanged. Check that you are online and that the address is right, then try again.`;
    case 'provider_untrusted':
      return `The certificate of ${host} is not trusted on this computer, so nothing was sent to it. If it belongs to your organization, this computer has to trust its certificate authority first.`;
    case 'provider_unsuitable':
      return `${host} answered, but not as an OpenID Connect provider with this address. Nothing was changed. Copy the issuer exactly as the provider gives it, with its path.`;
    case 'provider_redirects':
      if (about.leaving === true)
        return `${host} answered the revocation with a redirect to another address. Tokenkeep does not follow it, because the refresh token would be sent there, so the token stays valid at ${host} until it expires. End the session on the provider’s website.`;
      return `${host} answered with a redirect to another address. Tokenkeep does not follow it, because codes and tokens may be sent only where the provider’s metadata says. What is saved here is unchanged. Compare the issuer in the sign-in profile with the one that the provider gives, or report it to the provider.`;
    case 'consent_refused':
      return `The sign-in was refused at ${host}, by you or by a policy of your organization. Nothing was changed. Sign in again and accept, or ask your administrator.`;
    case 'scope_refused':
      return `${host} does not grant this app the scopes in the profile. Nothing was changed. Check the scopes in the profile.`;
    case 'clock_skew':
      return `The clocks of this computer and of ${host} disagree, so the answer could not be accepted. Nothing was changed. Correct the date and time of this computer, then sign in again.`;
    case 'sign_in_timeout':
      return `The sign-in at ${host} was not finished in time. Nothing was changed. Start again when you are ready.`;
    case 'no_device_flow':
      return `${host} does not offer sign-in with a device code. Nothing was changed. Sign in with the browser of this computer.`;
    case 'no_browser':
      return `No browser could be opened. Nothing was changed. Use a device code instead, on this or another device.`;
    case 'no_revocation':
      return `${host} offers no way to revoke a refresh token.`;
    case 'no_session_end':
      return `${host} offers no sign-out page, so you may still be signed in there in your browser. Sign out on its website.`;
    case 'sign_out_interrupted':
      return `Tokenkeep ended before it opened the sign-out page of ${host}, so you may still be signed in there in your browser. Sign out on its website.`;
    case 'sign_out_unsaved':
      return 'The accounts were not removed, and the vault could not be written to say so. Tokenkeep tries it again while it runs; if it ends before, it removes the accounts at its next start, unless they were used since. Check that the disk has space, then sign out again.';
    case 'sign_in_rejected':
      return `${host} refused with the error “${name}”. Nothing was changed. Look it up in the provider’s documentation, or ask whoever registered the app.`;
    case 'answer_invalid':
      return `The answer of ${host} could not be verified, so nothing was taken from it. Try again, and report it to the provider if it comes back.`;
    case 'sign_in_again':
      return `${host} no longer accepts this account’s refresh token. The tokens that are here can be used until they expire. Sign in again.`;
    case 'profile_unknown':
      return 'It is not known which provider issued this account’s tokens, so they were not sent anywhere. Add a sign-in profile for its provider and sign in again.';
    case 'host_refused':
      return `Tokenkeep was not allowed to use ${about.issuer}. No code and no token was sent there, and your accounts and profiles are unchanged. Try again to be asked again.`;
    case 'consent_unanswered':
      return `Nobody answered whether Tokenkeep may use ${about.issuer}, so nothing was sent there. Its tokens stay valid there until they expire or are revoked at the provider.`;
    case 'refresh_declined':
      return 'The refresh token was not used, so the program that it was imported from stays signed in. Nothing was changed.';
    case 'no_user_token':
      return 'This account has no valid access token for user info, or no ID token of the same app, so nothing was sent. Refresh the account, or sign in with the scope openid (for Microsoft: a scope of Microsoft Graph).';
    case 'no_user_info':
      return `${host} offers no user info. No token was sent.`;
    case 'user_info_refused':
      return `${host} refused the access token: it is not for user info, or was revoked. Nothing was changed. Refresh the account, or sign in again.`;
    case 'port_taken':
      return `Another program uses the port of ${about.redirect_uri ?? 'the redirect URI'}. Nothing was changed. Close that program, or remove the port from the profile’s redirect URI.`;
    case 'port_refused':
      return portRefused(about.redirect_uri);
  }
}

/** Why a provider revokes nothing, for the errors whose other text says that nothing was changed: the account is no longer here. */
function refusalOfRevocation(
  code: SignInErrorCode,
  { issuer, client_id }: Circumstance,
  name: string,
): string | null {
  const host = hostOf(issuer);
  if (code === 'client_unknown') return `${host} does not know the client ID ${client_id} as a public client`;
  if (code === 'sign_in_rejected') return `${host} refused the revocation with the error “${name}”`;
  if (code === 'provider_unsuitable' || code === 'answer_invalid')
    return `${host} answered the revocation, but not as an OpenID Connect provider does`;
  return null;
}

/** Why the provider's sign-out page is not opened, for the errors whose other text is about a sign-in. */
function obstacleOfPage(code: SignInErrorCode, host: string): string | null {
  if (code === 'no_browser') return `No browser could be opened for ${host}`;
  if (code === 'provider_unreachable') return `${host} did not answer`;
  if (code === 'provider_redirects')
    return `${host} answered with a redirect to another address, which Tokenkeep does not follow`;
  if (code === 'provider_unsuitable' || code === 'answer_invalid')
    return `${host} answered, but not as an OpenID Connect provider does`;
  return null;
}

const notOpened = (why: string): string =>
  `${why}, so its sign-out page is not open, and you may still be signed in there in your browser. Sign out on its website.`;

/** From a redirect URI without a port, none can be removed. */
function portRefused(uri = 'http://localhost/'): string {
  const [why, remedy] =
    URL.parse(uri)?.port === ''
      ? [
          'a firewall may forbid it, or too many connections or files are open',
          'Allow Tokenkeep to listen on this computer, or close other programs, and try again.',
        ]
      : [
          'ports below 1024 often need an administrator, and a firewall may refuse others',
          'Remove the port from the profile’s redirect URI, or choose a higher one.',
        ];
  return `This computer does not let Tokenkeep receive the browser’s answer at ${uri}: ${why}. Nothing was changed. ${remedy}`;
}

/** Returns an error that needs no response from the provider. */
export function signInError(code: SignInErrorCode, about: Circumstance, cause?: unknown): SignInError {
  return new SignInError(code, messageOf(code, about, ''), { cause });
}

/** Returns the provider's error code if it is well-formed; never its description, which may quote anything. */
function oauthName(error: unknown): string {
  const name = fieldOf(error, 'error') ?? '';
  const microsoft = /AADSTS\d{4,7}/.exec(fieldOf(error, 'error_description') ?? '')?.[0];
  const known = /^[a-z_]{1,40}$/.test(name) ? name : 'unknown';
  return microsoft === undefined ? known : `${known}, ${microsoft}`;
}

/** Returns the error and its causes. */
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

/** How errors are reported. */
export interface ErrorPorts {
  onUnexpected: (error: unknown) => void;
  /** Returns the error that the window gets in place of one. */
  explain?: (error: unknown) => unknown;
}

/** Converts an error for the window. Nothing of a foreign error is passed on, because its text may contain secrets. */
export function plainErrorOf(error: unknown, { onUnexpected, explain }: ErrorPorts): PlainError {
  if (!(error instanceof PublicError)) onUnexpected(error);
  return plainError(explain?.(error) ?? error);
}
