import { expect, it } from 'vitest';
import { inMemory } from '../../src-main/cache/handle.ts';
import type { TokenResponseEvent } from '../../src-main/cache/response.ts';
import { TokenCache } from '../../src-main/cache/token-cache.ts';
import { acquireToken, type SilentRequest } from '../../src-main/msal/acquire-token.ts';
import { tokenResponse } from '../../src-main/testing/token-response.ts';

const ENTRA = 'https://login.microsoftonline.com/contoso/v2.0';

/** Asks for a token that the provider wants to be refreshed by now; the refresh fails. */
async function asked(during: (cache: TokenCache, event: TokenResponseEvent) => void): Promise<string> {
  const cache = new TokenCache();
  const event = tokenResponse({
    username: 'ada@contoso.example',
    issuer: ENTRA,
    client_id: 'app',
    scope: ['read'],
  });
  cache.add({ ...event, response: { ...event.response, access_token: 'cached', refresh_in: 0 } });
  const application = {
    getTokenCache: () => ({ getAllAccounts: () => Promise.resolve([]) }),
    acquireTokenSilent: (request: SilentRequest): Promise<{ accessToken: string }> => {
      const [token] = cache.find('AccessToken', { target: request.scopes });
      if (request.forceRefresh !== true) return Promise.resolve({ accessToken: token!.secret });
      during(cache, event);
      return Promise.reject(new Error('offline'));
    },
  };
  const { accessToken } = await acquireToken(inMemory(cache), application, 'app', { scopes: ['read'] });
  return accessToken;
}

it('an early refresh that fails leaves the cached token', async () => {
  expect(await asked(() => undefined)).toBe('cached');
});

it('an early refresh that fails while the user signs out leaves none', async () => {
  const signOut = asked((cache) => void cache.signOut(cache.accounts()[0]!));
  await expect(signOut).rejects.toMatchObject({ code: 'sign_in_required' });
});

it('an early refresh that fails while the user signs in gives the token of that sign-in', async () => {
  const signIn = asked((cache, event) => {
    cache.add({ ...event, response: { ...event.response, access_token: 'newer' } });
  });
  expect(await signIn).toBe('newer');
});
