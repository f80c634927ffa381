/**
 * Conformance cases 13 to 18 with the real libraries as judges: Tokenkeep does what the case says, and each library gets the same result
 * from the document that Tokenkeep left. What Tokenkeep itself answers is in test/cache/conformance.test.ts; cases 19 and 20 are in
 * vault-cases.test.ts.
 */
import { expect } from 'vitest';
import { acquireTokenSilent, inMemory } from '../../src-main/index.ts';
import { appOnly, APPS, entra, homeAccountId, PEOPLE, PROVIDERS } from '../vectors/make/stage.mjs';
import {
  type Case,
  cacheOf,
  type Fields,
  home,
  isPython,
  judged,
  NOW,
  type Dialect,
  READ_USER,
  refreshTokenOf,
  served,
  signIn,
  trial,
  vector,
} from './cases.ts';
import type { Judge, Trial } from './judges.ts';

const { avery, zoe } = PEOPLE;
const { desk, mail, notes, nightly } = APPS;
const APP_SCOPE = 'https://graph.microsoft.com/.default';

/** The error with which the token endpoint refuses. */
const refusal = (error: string) => ({ error, error_description: 'synthetic' }) as never as Trial['response'];

/** An unknown app asks Tokenkeep for a token after another app of the family has signed in. */
async function unknownApp(dialect: Dialect, answer: Trial['response']) {
  const cache = cacheOf();
  signIn(cache, avery, mail, { foci: '1' });
  const family = refreshTokenOf(cache, mail);
  const { token_endpoint } = PROVIDERS['contoso']!.openid;
  const request = {
    client_id: notes.client_id,
    home_account_id: home,
    environment: 'login.microsoftonline.com',
    scopes: [READ_USER],
  };
  const tried: string[] = [];
  await acquireTokenSilent(
    inMemory(cache),
    request,
    ({ secret }) => {
      tried.push(secret);
      if ('error' in answer) return Promise.reject(new Error('refused'));
      return Promise.resolve({ token_endpoint, response: answer });
    },
    () => NOW,
  ).catch(() => undefined);
  expect(tried.length === 1 && tried[0] === family, "the family's refresh token, once").toBe(true);
  return { cache, family, text: cache.serialize({ dialect }) };
}

async function case13(judge: Judge): Promise<Case[]> {
  const taken = entra(avery, notes, NOW, { foci: '1' });
  const accepted = await unknownApp(judge.dialect, taken);
  const refused = await unknownApp(judge.dialect, refusal('invalid_grant'));
  const response = entra(avery, notes, NOW + 1, { foci: '1' });
  return [
    {
      name: "13: an unknown app got a token with the family's refresh token: the library serves it, as of the family",
      trial: trial(accepted.text, { app: notes, response }),
      comesTo: (verdict) => {
        served(verdict, { cached: taken.access_token });
        const ofFamily = accepted.cache.find('RefreshToken', { query: { family_id: '1' } });
        expect(ofFamily.some(({ secret }) => secret === verdict.redeemed)).toBe(true);
      },
    },
    {
      name: "13: an unknown app was refused: the family's refresh token is there for its own app",
      trial: trial(refused.text, { app: mail }),
      comesTo: (verdict) => {
        const [token] = refused.cache.find('AccessToken');
        served(verdict, { cached: token!.secret, redeemed: refused.family });
      },
    },
    {
      name: '13: an unknown app in the hands of the library',
      trial: trial(refused.text, { app: notes, response }),
      comesTo: (verdict) => {
        // MSAL Node tries the family's refresh token only for apps that it knows to belong to the family.
        if (!isPython(judge)) {
          expect(verdict.error).toMatch(/no_tokens_found/);
          return;
        }
        expect(verdict.cached === response.access_token).toBe(true);
        const after = cacheOf(verdict.document);
        const query = { client_id: notes.client_id };
        expect(after.find('AppMetadata', { query })).toMatchObject([{ family_id: '1' }]);
      },
    },
  ];
}

function case14(judge: Judge): Case[] {
  return ['msal-python', 'msal-python-1.32', 'msal-node-2', 'msal-node-7'].flatMap((source) => {
    const cache = cacheOf(vector(`${source}-kitchen-sink`));
    signIn(cache, avery, mail, { foci: '1' });
    const {
      Account: accounts,
    }: Record<string, Record<string, Fields>> = JSON.parse(cache.serialize({ dialect: judge.dialect }));
    cache.signOut(home);
    const text = cache.serialize({ dialect: judge.dialect });
    const putBack: Record<string, object> = JSON.parse(text);
    for (const [key, account] of Object.entries(accounts!)) {
      if (account['home_account_id'] !== home) continue;
      putBack['Account'] = { ...putBack['Account'], [key]: account };
    }
    return [desk, mail, notes].flatMap((app): Case[] => [
      {
        name: `14: after a sign-out of what ${source} wrote, ${app.name} finds no account`,
        trial: trial(text, { app }),
        comesTo: (verdict) => {
          expect(verdict.accounts).not.toContain(home);
          expect(verdict.accounts).toContain(homeAccountId(zoe));
          expect(verdict.error).toBeDefined();
        },
      },
      {
        name: `14: and with the account put back, ${app.name} finds no token of it`,
        trial: trial(JSON.stringify(putBack), { app }),
        comesTo: (verdict) => {
          expect(verdict.accounts).toContain(home);
          if (isPython(judge))
            expect(verdict).toMatchObject({ cached: null, refreshed: null, redeemed: null });
          else expect(verdict.error).toMatch(/no_tokens_found/);
        },
      },
    ]);
  });
}

function case15(judge: Judge): Case[] {
  return ['sts.windows.net', 'login.microsoft.com', 'login.windows.net'].map((environment) => {
    const cache = cacheOf();
    const cached = signIn(cache, avery, desk, { environment });
    return {
      name: `15: what is kept under ${environment} is found under the name of the authority`,
      trial: trial(cache.serialize({ dialect: judge.dialect })),
      comesTo: (verdict) => {
        served(verdict, { cached, redeemed: refreshTokenOf(cache, desk) });
        expect(verdict.accounts).toEqual([home]);
      },
    };
  });
}

function case16(judge: Judge): Case[] {
  const cache = cacheOf();
  const cached = signIn(cache, avery, desk, { refresh_in: 1800 });
  const text = cache.serialize({ dialect: judge.dialect });
  const [due, over] = [NOW + 1801, NOW + 4527];
  const renewed = entra(avery, desk, due + 1);
  const down = refusal('temporarily_unavailable');
  return [
    {
      name: '16: a fresh token: no request',
      trial: trial(text, { at: due - 2 }),
      comesTo: (verdict) => served(verdict, { cached }),
    },
    {
      name: '16: refresh_on passed, and the provider up: a request',
      trial: trial(text, { at: due, response: renewed }),
      comesTo: (verdict) => {
        expect(verdict.error).toBeUndefined();
        expect(verdict.asked).toBe(1);
        // MSAL Node returns the old token once more, and fetches the new one in the background.
        expect(verdict.cached === (isPython(judge) ? renewed.access_token : cached)).toBe(true);
      },
    },
    {
      name: '16: refresh_on passed, and the provider down: the old token',
      trial: trial(text, { at: due, response: down }),
      comesTo: (verdict) => {
        expect(verdict.asked).toBe(1);
        expect(verdict.cached === cached).toBe(true);
      },
    },
    {
      name: '16: expired, and the provider down: an error, or none',
      trial: trial(text, { at: over, response: down }),
      comesTo: (verdict) => {
        expect(verdict.accounts).toEqual([home]);
        if (isPython(judge)) expect(verdict).toMatchObject({ cached: null, refreshed: null });
        else expect(verdict.error).toMatch(/temporarily_unavailable/);
      },
    },
  ];
}

function case17(judge: Judge): Case[] {
  const cache = cacheOf();
  const cached = {
    contoso: signIn(cache, avery, desk),
    fabrikam: signIn(cache, avery, desk, { provider: 'fabrikam', tenant: 'fabrikam' }),
  };
  const document = cache.serialize({ dialect: judge.dialect });
  return (['contoso', 'fabrikam'] as const).map((provider) => ({
    name: `17: a user in two tenants is one account, with the token of ${provider} there`,
    trial: trial(document, { provider }),
    comesTo: (verdict) => {
      // MSAL Node lists the account once for each tenant, and the judge takes the first: that of the home tenant.
      served(verdict, { cached: cached[isPython(judge) ? provider : 'contoso'] });
      expect(verdict.accounts).toEqual(isPython(judge) ? [home] : [home, home]);
    },
  }));
}

function case18(judge: Judge): Case[] {
  const cache = cacheOf();
  const cached = signIn(cache, avery, desk);
  const { token_endpoint } = PROVIDERS['contoso']!.openid;
  const forApp = { client_id: nightly.client_id, scope: [APP_SCOPE], token_endpoint };
  const own = appOnly(nightly, 'contoso', NOW);
  cache.add({ ...forApp, response: own });
  const before = cache.serialize({ dialect: judge.dialect });
  cache.removeAppTokens();
  const after = cache.serialize({ dialect: judge.dialect });
  const response = appOnly(nightly, 'contoso', NOW + 1);
  const app = { app: nightly, scopes: [APP_SCOPE], home_account_id: null, response };
  return [
    {
      name: "18: an app's own token is there before",
      trial: trial(before, app),
      comesTo: (verdict) => served(verdict, { cached: own.access_token }),
    },
    {
      name: "18: an app's own token is removed",
      trial: trial(after, app),
      comesTo: (verdict) => {
        // MSAL Python says that it has none, MSAL Node asks for one.
        expect(verdict.error).toBeUndefined();
        if (isPython(judge)) expect(verdict.cached).toBeNull();
        else expect(verdict.cached === response.access_token).toBe(true);
      },
    },
    {
      name: "18: an app's own token, removed: the user's are kept",
      trial: trial(after),
      comesTo: (verdict) => served(verdict, { cached, redeemed: refreshTokenOf(cache, desk) }),
    },
  ];
}

judged([case13, case14, case15, case16, case17, case18]);
