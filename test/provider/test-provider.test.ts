import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { testProvider, type TestProviderOptions } from '../../examples/provider/test-provider.ts';

const ON = { redirectUris: ['https://app.example/callback'] };

async function started(options: TestProviderOptions) {
  const provider = await testProvider(options);
  onTestFinished(() => provider.stop());
  const signInAt = (redirect_uri: string): Promise<string> => {
    const url = new URL(`${provider.issuer}/auth`);
    const query = {
      ...{
        client_id: provider.webApp.clientId,
        redirect_uri,
        response_type: 'code',
        scope: 'openid',
        state: 's',
      },
      ...{ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' },
    };
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return provider.signIn(url, 'noor');
  };
  return { provider, signInAt };
}

/** @param answer the status of each answer */
async function appThatAnswers(answer: number) {
  const requests: { url: string; form: string }[] = [];
  const server = createServer((request, response) => {
    let form = '';
    request.on('data', (chunk: Buffer) => (form += chunk.toString()));
    request.on('end', () => {
      requests.push({ url: request.url ?? '', form });
      response.writeHead(answer).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, requests };
}

it('a sign-in ends at the web app, which is left to the browser that has its cookies', async () => {
  const app = await appThatAnswers(200);
  const { signInAt } = await started({ redirectUris: [...ON.redirectUris, `${app.url}/callback`] });
  expect(await signInAt('https://app.example/callback')).toMatch(
    /^https:\/\/app\.example\/callback\?code=.+&state=s/,
  );
  expect(await signInAt(`${app.url}/callback`)).toMatch(/\/callback\?code=/);
  expect(app.requests).toEqual([]);
});

it('a sign-out at the provider ends at the web app', async () => {
  const { provider } = await started({ ...ON, postLogoutRedirectUris: ['https://app.example/'] });
  const url = new URL(`${provider.issuer}/session/end`);
  url.searchParams.set('client_id', provider.webApp.clientId);
  url.searchParams.set('post_logout_redirect_uri', 'https://app.example/');
  expect(await provider.signIn(url)).toBe('https://app.example/');
});

it('a logout token is posted to the web app, and its answer is known', async () => {
  const app = await appThatAnswers(200);
  const { provider } = await started({ ...ON, backChannelLogoutUri: `${app.url}/logout` });
  await provider.signOut('piet@contoso.example');
  expect(app.requests.map(({ url }) => url)).toEqual(['/logout']);
  const token = new URLSearchParams(app.requests[0]?.form).get('logout_token') ?? '';
  const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  expect(claims).toMatchObject({ sub: 'piet', iss: provider.issuer, aud: provider.webApp.clientId });
  await expect(provider.signOut('nobody')).rejects.toMatchObject({ field: 'user' });

  const refusing = await appThatAnswers(400);
  const other = await started({ ...ON, backChannelLogoutUri: `${refusing.url}/logout` });
  await expect(other.provider.signOut()).rejects.toThrow(/400/);
});

it('what needs a web app says so', async () => {
  await expect(testProvider({ backChannelLogoutUri: 'http://localhost/logout' })).rejects.toMatchObject({
    field: 'redirectUris',
  });
  await expect(testProvider({ postLogoutRedirectUris: ['http://localhost/'] })).rejects.toMatchObject({
    field: 'redirectUris',
  });
  const { provider } = await started(ON);
  await expect(provider.signOut('noor')).rejects.toMatchObject({ field: 'backChannelLogoutUri' });
});
