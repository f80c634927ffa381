/**
 * Where MSAL Python and MSAL Node break each other's round trips. The plugin stands between the real MSAL Node of each major and a cache
 * that MSAL Python wrote or that has its form. The other breaks are in plugin.test.ts and test/interop.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { examine } from '../../src-main/doctor/index.ts';
import { inMemory, SerializableTokenCache } from '../../src-main/index.ts';
import { msalCachePlugin } from '../../src-main/msal/index.ts';
import { APPS, entra, homeAccountId, PEOPLE, PROVIDERS } from '../vectors/make/stage.mjs';
import { MSAL_PYTHON, verdicts, withoutPython } from '../interop/judges.ts';
import { application, MAJORS, now, SCOPES } from './applications.ts';

const { avery } = PEOPLE;
const { desk } = APPS;
const home = homeAccountId(avery);

/** A cache in the dialect of MSAL Python. */
function ofPython(): SerializableTokenCache {
  const cache = new SerializableTokenCache();
  const file = new URL('../vectors/documents/msal-python-aad-single.json', import.meta.url);
  cache.deserialize(readFileSync(file, 'utf8'));
  cache.signOut(home);
  return cache;
}

/** MSAL Python signs avery in. */
function signIn(cache: SerializableTokenCache, provider: string, options: object = {}) {
  const response = entra(avery, desk, now(), options);
  const { token_endpoint } = PROVIDERS[provider]!.openid;
  const scope = String(response['scope']).split(' ');
  cache.add({
    client_id: desk.client_id,
    scope,
    token_endpoint,
    environment: 'login.microsoftonline.com',
    response,
  });
  return response;
}

describe.each(MAJORS)('MSAL Node %i, after MSAL Python', (major) => {
  it.each(['organizations', 'common'])(
    'break 2: the realm is %s: one account and one refresh token',
    async (provider) => {
      const cache = ofPython();
      const response = signIn(cache, provider);
      expect(cache.find('Account')).toMatchObject([
        { realm: provider, environment: 'login.microsoftonline.com' },
      ]);
      const app = application(major, msalCachePlugin(inMemory(cache)), { provider });
      expect(await app.usernames()).toEqual([avery.username]);
      expect((await app.silent(avery)) === response.access_token).toBe(true);
      expect(app.asked).toHaveLength(0);

      const fresh = entra(avery, desk, now() + 5);
      app.response = fresh;
      await app.silent(avery, true);
      expect(app.asked[0]?.get('refresh_token') === response.refresh_token).toBe(true);
      expect(cache.find('RefreshToken').map(({ secret }) => secret === fresh.refresh_token)).toEqual([true]);
      // The new tokens have replaced the old ones in place, and MSAL Node finds them there.
      for (const [type, token] of [
        ['AccessToken', fresh.access_token],
        ['IdToken', fresh['id_token']],
      ] as const)
        expect(cache.find(type).map(({ secret }) => secret === token)).toEqual([true]);
      expect((await app.silent(avery)) === fresh.access_token).toBe(true);
      expect(app.asked).toHaveLength(1);
      expect(cache.accounts()).toHaveLength(1);
      expect(cache.find('Account')).toHaveLength(1);
      expect(examine(cache)).toEqual([]);
      if (withoutPython) return;
      const asPython = { document: cache.serialize(), app: desk, provider, scopes: SCOPES };
      const trial = {
        ...asPython,
        home_account_id: home,
        at: now() + 5,
        response: entra(avery, desk, now() + 9),
      };
      const [verdict] = verdicts(MSAL_PYTHON, [trial]);
      expect(verdict).toMatchObject({ accounts: [home], asked: 0 });
      expect(verdict!.cached === fresh.access_token).toBe(true);
      expect(verdict!.redeemed === fresh.refresh_token).toBe(true);
    },
  );

  it('break 3: the target in another order and case is the same token', async () => {
    const cache = ofPython();
    const [read, send] = ['https://graph.microsoft.com/User.Read', 'https://graph.microsoft.com/Mail.Send'];
    const scope = `${read} ${send} openid profile`;
    const first = signIn(cache, 'contoso', { scope });
    expect(cache.find('AccessToken')[0]!.target).toBe(`${send} ${read} openid profile`);
    const app = application(major, msalCachePlugin(inMemory(cache)));
    expect((await app.silent(avery)) === first.access_token).toBe(true);
    expect(app.asked).toHaveLength(0);

    // The server returns the same scopes in another order, one of them in another case.
    const fresh = entra(avery, desk, now() + 5, { scope: `openid ${read.toUpperCase()} profile ${send}` });
    app.response = fresh;
    await app.silent(avery, true);
    expect(cache.find('AccessToken').map(({ secret }) => secret === fresh.access_token)).toEqual([true]);
    const query = { home_account_id: home };
    expect(cache.find('AccessToken', { target: [send, read], query })).toHaveLength(1);
    expect((await app.silent(avery)) === fresh.access_token).toBe(true);
  });

  it('break 8: extended_expires_on is read as it stands, and written as the library means it', async () => {
    const cache = ofPython();
    const at = now();
    signIn(cache, 'contoso', { seconds: 3600, ext: 7200 });
    const [written] = cache.find('AccessToken');
    const extended = Number(written!.extended_expires_on);
    expect(Math.abs(extended - (at + 7200))).toBeLessThan(60);
    const app = application(major, msalCachePlugin(inMemory(cache)));
    await app.usernames();
    const [live] = Object.values(JSON.parse(app.client.getTokenCache().serialize()).AccessToken) as [
      { extended_expires_on: string },
    ];
    expect(live.extended_expires_on).toBe(written!.extended_expires_on);
    expect(cache.find('AccessToken')).toEqual([written]);

    app.response = entra(avery, desk, now() + 5, { seconds: 3600, ext: 7200 });
    await app.silent(avery, true);
    const [of] = cache.find('AccessToken');
    expect(Number(of!.extended_expires_on) - Number(of!.expires_on)).toBe(7200);
  });
});
