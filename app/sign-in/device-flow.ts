/** The device authorization flow: the user signs in on another device, or in another browser, with a code. RFC 8628. */
import * as oidc from 'openid-client';
import { aborted, extrasFor } from './code-flow.ts';
import type { SignInProfile } from './contract.ts';
import { Cancelled, failureOf, signInError } from './failures.ts';
import { ask, isWebPage, type Provider } from './provider.ts';
import { wantedScopes } from './tokens.ts';

export interface DeviceFlow {
  provider: Provider;
  profile: SignInProfile;
  signal: AbortSignal;
  onCode: (code: { userCode: string; link: string; direct: string; expiresIn: number }) => void;
  onAnswer: () => void;
  take: (response: oidc.TokenEndpointResponse) => Promise<void>;
}

export async function signInWithDevice({ provider, profile, signal, ...on }: DeviceFlow): Promise<void> {
  const { config, metadata } = provider;
  if (metadata.device_authorization_endpoint === undefined) throw signInError('no_device_flow', provider);
  const scope = wantedScopes(profile).join(' ');
  const device = await Promise.race([
    ask(provider, () => oidc.initiateDeviceAuthorization(config, { scope })),
    aborted(signal),
  ]);
  const { user_code, verification_uri, verification_uri_complete, expires_in } = device;
  if (![verification_uri, verification_uri_complete ?? verification_uri].every(isWebPage)) {
    throw signInError('answer_invalid', provider);
  }
  if (!USER_CODE.test(user_code)) throw signInError('answer_invalid', provider);
  on.onCode({
    userCode: user_code,
    link: verification_uri,
    direct: verification_uri_complete ?? verification_uri,
    expiresIn: expires_in,
  });
  try {
    const poll = oidc.pollDeviceAuthorizationGrant(config, device, extrasFor(profile), { signal });
    const response = await Promise.race([poll, aborted(signal)]);
    on.onAnswer();
    if (response.id_token === undefined) throw signInError('answer_invalid', provider);
    await on.take(response);
  } catch (error) {
    throw error instanceof Cancelled ? error : failureOf(error, provider);
  }
}

/** A code that can be typed: printable characters of ASCII (RFC 8628 §6.1). The window shows it. */
const USER_CODE = /^[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?$/;
