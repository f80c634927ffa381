import * as oidc from 'openid-client';
import { expect, it } from 'vitest';
import { signInWithDevice } from '../../../app/sign-in/device-flow.ts';
import { Cancelled } from '../../../app/sign-in/failures.ts';
import { draftOf, metadataOf } from './fake-issuer.ts';

it('a sign-in that is cancelled does not wait for the provider’s first answer', async () => {
  const issuer = 'https://sso.example';
  const metadata = { ...metadataOf(issuer), issuer, device_authorization_endpoint: `${issuer}/device` };
  const config = new oidc.Configuration(metadata, 'app');
  const cancel = new AbortController();
  config[oidc.customFetch] = () => {
    cancel.abort(new Cancelled());
    return new Promise(() => undefined);
  };
  const flow = signInWithDevice({
    provider: { config, metadata, issuer, client_id: 'app' },
    profile: { ...draftOf(issuer), id: 'profile' },
    signal: cancel.signal,
    onCode: () => undefined,
    onAnswer: () => undefined,
    take: () => Promise.resolve(),
  });
  await expect(flow).rejects.toBeInstanceOf(Cancelled);
});
