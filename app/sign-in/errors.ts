import { TokenkeepError } from 'tokenkeep';

export type SignInErrorCode =
  | 'client_unknown' // the provider does not know the client id, or not as a public client
  | 'redirect_not_registered'
  | 'provider_unreachable' // no such host, nobody listens, no network, an answer of 5xx
  | 'provider_untrusted' // its TLS certificate
  | 'provider_unsuitable' // no OpenID Connect metadata, or those of another issuer
  | 'consent_refused'
  | 'scope_refused'
  | 'clock_skew'
  | 'sign_in_timeout'
  | 'no_device_flow'
  | 'no_browser' // the system has none, or would not open it
  | 'no_revocation'
  | 'sign_in_rejected' // another OAuth error; the message names it
  | 'answer_invalid' // a token response that does not hold what it must
  | 'sign_in_again' // the refresh token is worth nothing any more
  | 'profile_unknown'
  | 'host_refused' // the user did not let the app talk to a provider's host
  | 'port_taken'; // the redirect's fixed port

/** A sign-in, refresh or revocation that did not come about. What was cached before is as it was. */
export class SignInError extends TokenkeepError<SignInErrorCode> {}

/** The user ended it. Nothing to tell anybody. */
export class Cancelled extends Error {}
