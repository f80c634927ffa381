import { expect, it } from 'vitest';
import { failureAfterRemoval, failureOf, SignInError } from '../../../app/sign-in/failures.ts';

const ABOUT = { issuer: 'https://id.example/a', client_id: 'the-client', redirect_uri: 'http://127.0.0.1/' };
const oauth = (error: string, error_description = 'Secret text.', status = 400) =>
  Object.assign(new Error('server responded with an error'), { error, error_description, status });
const network = (code: string) =>
  new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });

it.each([
  ['client_unknown', oauth('invalid_client')],
  ['client_unknown', oauth('unauthorized_client', 'AADSTS700016: Application not found.')],
  ['redirect_not_registered', oauth('invalid_request', 'AADSTS50011: The redirect URI does not match.')],
  [
    'redirect_not_registered',
    oauth('invalid_redirect_uri', "redirect_uri did not match any of the client's registered"),
  ],
  ['consent_refused', oauth('access_denied')],
  ['scope_refused', oauth('invalid_scope')],
  ['sign_in_timeout', oauth('expired_token')],
  ['provider_unreachable', oauth('server_error')],
  ['provider_unreachable', oauth('odd', '', 503)],
  ['sign_in_rejected', oauth('login_required')],
  ['provider_unreachable', network('ECONNREFUSED')],
  ['provider_unreachable', network('ENOTFOUND')],
  ['provider_untrusted', network('SELF_SIGNED_CERT_IN_CHAIN')],
  ['provider_untrusted', network('CERT_HAS_EXPIRED')],
  [
    'provider_unreachable',
    new Error('something went wrong', { cause: new Error('net::ERR_CONNECTION_REFUSED') }),
  ],
  [
    'provider_unreachable',
    new Error('something went wrong', { cause: new Error('net::ERR_NAME_NOT_RESOLVED') }),
  ],
  [
    'provider_untrusted',
    new Error('something went wrong', { cause: new Error('net::ERR_CERT_AUTHORITY_INVALID') }),
  ],
  // How Electron's net and Node's fetch report a redirect that they were told not to follow.
  ['provider_redirects', new Error('something went wrong', { cause: new Error('Redirect was cancelled') })],
  ['provider_redirects', new Error("Attempted to redirect, but redirect policy was 'error'")],
  ['provider_redirects', new TypeError('fetch failed', { cause: new Error('unexpected redirect') })],
  ['provider_redirects', new Error('unexpected', { cause: new Response(null, { status: 307 }) })],
  ['clock_skew', Object.assign(new Error('JWT'), { code: 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED' })],
  ['answer_invalid', Object.assign(new Error('JWT'), { code: 'OAUTH_JWT_CLAIM_COMPARISON_FAILED' })],
])('%s: %o', (code, error) => {
  const failure = failureOf(error, ABOUT);
  expect(failure).toBeInstanceOf(SignInError);
  expect(failure).toMatchObject({ code });
  // What the provider wrote may hold anything.
  expect(failure.message).not.toContain('Secret text');
});

it.each(['constructor', 'toString', '__proto__'])('a provider may call its error %s', (error) => {
  const failure = failureOf(oauth(error), ABOUT);
  expect(failure).toMatchObject({ code: 'sign_in_rejected', message: expect.any(String) });
});

it.each([
  'invalid_grant',
  'bad_refresh_token',
  'interaction_required',
  'login_required',
  'account_selection_required',
])('%s means signing in again, and only in a refresh', (error) => {
  expect(failureOf(oauth(error), { ...ABOUT, refreshing: true })).toMatchObject({ code: 'sign_in_again' });
  expect(failureOf(oauth(error), ABOUT)).toMatchObject({ code: 'sign_in_rejected' });
});

it.each([
  ['invalid_scope', 'scope_refused'],
  ['consent_required', 'consent_refused'],
])('%s has a code of its own, also in a refresh', (error, code) => {
  expect(failureOf(oauth(error), { ...ABOUT, refreshing: true })).toMatchObject({ code });
});

it('an unknown error is named, with Microsoft’s number', () => {
  const failure = failureOf(oauth('interaction_needed', 'AADSTS50076: MFA.'), ABOUT);
  expect(failure.message).toContain('interaction_needed, AADSTS50076');
});

it.each([
  [oauth('server_error'), 'id.example answered with the error “server_error”'],
  [
    new Error('unexpected', { cause: new Response(null, { status: 503 }) }),
    'id.example answered with status 503',
  ],
  [oauth('too_many_requests'), 'id.example answered with the error “too_many_requests”'],
  ...[408, 425, 429].map(
    (status) =>
      [
        new Error('unexpected', { cause: new Response(null, { status }) }),
        `id.example answered with status ${status}`,
      ] as const,
  ),
] as const)(
  'a provider that answers, but has a fault of its own, is not said to be unreached',
  (error, says) => {
    const failure = failureOf(error, ABOUT);
    expect(failure.message).toContain(says);
    expect(failure.message).toMatch(/What is saved here is unchanged\. Try again later\.$/);
    expect(failureOf(error, { ...ABOUT, leaving: true }).message).toContain(
      'Tokenkeep tries again until it is revoked.',
    );
    expect(failureOf(network('ECONNREFUSED'), ABOUT).message).toContain('did not answer');
  },
);

it.each([
  oauth('invalid_client'),
  oauth('unsupported_token_type'),
  Object.assign(new Error('not JSON'), { code: 'OAUTH_RESPONSE_IS_NOT_JSON' }),
  new Error('something else'),
])('the text of a revocation that failed does not say that nothing was changed: %o', (error) => {
  const { message } = failureOf(error, { ...ABOUT, leaving: true });
  expect(message).not.toMatch(/Nothing was changed|nothing was taken/);
  expect(message).toContain('stays valid there');
  // Also if it failed before, when the provider was looked for.
  const leaving = { ...ABOUT, leaving: true };
  expect(failureAfterRemoval(failureOf(error, ABOUT), leaving)).toMatchObject({ message });
});
