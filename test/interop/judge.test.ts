/**
 * A document that Tokenkeep wrote, in the dialect of each library, given to that library: it must list the accounts,
 * serve the access tokens without a network, redeem the refresh tokens, and leave a document that Tokenkeep reads.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SerializableTokenCache } from '../../src-main/index.ts';
import {
  adfs,
  APPS,
  appOnly,
  entra,
  homeAccountId,
  PEOPLE,
  PROVIDERS,
  START,
} from '../vectors/make/stage.mjs';
import { type Judge, MSAL_NODE, MSAL_PYTHON, type Trial, verdicts, withoutPython } from './judges.ts';

const { avery, quinn, zoe, kenji, lee, priya } = PEOPLE;
const { desk, nightly } = APPS;
const READ_USER = 'https://graph.microsoft.com/User.Read';
const APP_SCOPE = 'https://graph.microsoft.com/.default';

/** Half an hour after the vectors begin: what they hold is fresh. */
const NOW = START + 1800;

const SOURCES = [
  { source: 'msal-python-kitchen-sink', dialect: 'msal-python' },
  { source: 'msal-python-1.32-kitchen-sink', dialect: 'msal-python' },
  { source: 'msal-node-2-kitchen-sink', dialect: 'msal-node-3' },
  { source: 'msal-node-3-kitchen-sink', dialect: 'msal-node-3' },
  { source: 'msal-node-5-kitchen-sink', dialect: 'msal-node' },
  { source: 'msal-node-7-kitchen-sink', dialect: 'msal-node' },
  { source: 'msal-dotnet-hand-written-users', dialect: 'msal-dotnet' },
] as const;

const vector = (name: string): string =>
  readFileSync(new URL(`../vectors/documents/${name}.json`, import.meta.url), 'utf8');

/** Secrets of a section of a document, read without any cache. */
function secrets(document: string, section: 'AccessToken' | 'RefreshToken', home: string | null): string[] {
  const entities: Record<string, Record<string, string | null>> = JSON.parse(document)[section] ?? {};
  return Object.values(entities)
    .filter(({ home_account_id }) => (home ?? '') === (home_account_id ?? ''))
    .map(({ secret }) => String(secret));
}

/** Someone signs in, an app gets a token for itself, and someone else signs out, in Tokenkeep. */
function changed(text: string) {
  const cache = new SerializableTokenCache({ now: () => NOW });
  cache.deserialize(text);
  const token_endpoint = PROVIDERS['contoso']!.openid.token_endpoint;
  const signedIn = entra(quinn, desk, NOW);
  // She is in the documents already, by another authority of the same cloud.
  const again = entra(zoe, desk, NOW);
  const forApp = appOnly(nightly, 'contoso', NOW);
  for (const response of [signedIn, again]) {
    cache.add({ client_id: desk.client_id, scope: [READ_USER], token_endpoint, response });
  }
  cache.add({ client_id: nightly.client_id, scope: [APP_SCOPE], token_endpoint, response: forApp });
  cache.signOut(homeAccountId(kenji));
  return { cache, signedIn, again, forApp };
}

const US_READ_USER = 'https://graph.microsoft.us/User.Read';

/** Users of the documents whom every library can serve, in whichever dialect: a guest, ADFS, another cloud. */
const OTHERS = [
  {
    who: 'a guest',
    username: avery.username,
    provider: 'fabrikam',
    scope: READ_USER,
    response: entra(avery, desk, NOW + 1, { tenant: 'fabrikam' }),
  },
  {
    who: 'a user of ADFS',
    username: lee.username,
    provider: 'adfs',
    scope: 'https://orders.contoso.example/Orders.Read',
    response: adfs(lee, desk, NOW + 1),
  },
  {
    who: 'a user of another cloud',
    username: priya.username,
    provider: 'agency',
    scope: US_READ_USER,
    response: entra(priya, desk, NOW + 1, { host: 'login.microsoftonline.us', scope: US_READ_USER }),
  },
];

/** The trials of one source, and what each must come to. */
function trialsOf({ source, dialect }: (typeof SOURCES)[number], judge: Judge) {
  const text = vector(source);
  const { cache, signedIn, again, forApp } = changed(text);
  // In the dialect that the document came in, nothing needs to be said.
  const document =
    dialect === judge.dialect ? cache.serialize() : cache.serialize({ dialect: judge.dialect });
  const common = { document, provider: 'contoso', at: NOW };
  const user = { ...common, app: desk, scopes: [READ_USER] };
  const [averyId, quinnId] = [homeAccountId(avery), homeAccountId(quinn)];
  const later = NOW + 1;
  const trials: { who: string; trial: Trial; cached: string[]; redeemed: (string | null)[] }[] = [
    {
      who: 'a user of the document',
      trial: { ...user, home_account_id: averyId, response: entra(avery, desk, later) },
      cached: secrets(text, 'AccessToken', averyId),
      redeemed: secrets(text, 'RefreshToken', averyId),
    },
    {
      who: 'a user that signed in with Tokenkeep',
      trial: { ...user, home_account_id: quinnId, response: entra(quinn, desk, later) },
      cached: [signedIn.access_token],
      redeemed: [signedIn.refresh_token],
    },
    {
      who: 'a user that signed in again',
      trial: { ...user, home_account_id: homeAccountId(zoe), response: entra(zoe, desk, later) },
      cached: [again.access_token],
      redeemed: [again.refresh_token],
    },
    {
      who: 'an app',
      trial: {
        ...common,
        app: nightly,
        scopes: [APP_SCOPE],
        home_account_id: null,
        response: appOnly(nightly, 'contoso', later),
      },
      cached: [forApp.access_token],
      redeemed: [null],
    },
  ];
  for (const { who, username, provider, scope, response } of dialect === 'msal-dotnet' ? [] : OTHERS) {
    const { home_account_id } = cache.accounts({ username })[0]!;
    trials.push({
      who,
      trial: { document, app: desk, provider, scopes: [scope], home_account_id, at: NOW, response },
      cached: secrets(text, 'AccessToken', home_account_id),
      redeemed: secrets(text, 'RefreshToken', home_account_id),
    });
  }
  return trials.map((one) => ({ source, ...one }));
}

describe.each([...MSAL_NODE, MSAL_PYTHON])('$name, given a document of Tokenkeep', (judge) => {
  const skipped = judge === MSAL_PYTHON && withoutPython;
  const cases = skipped ? [] : SOURCES.flatMap((source) => trialsOf(source, judge));
  const all = skipped
    ? []
    : verdicts(
        judge,
        cases.map(({ trial }) => trial),
      );
  if (skipped) it.skip('python3-msal is not installed');

  for (const [index, { source, who, trial, cached, redeemed }] of cases.entries()) {
    it(`that was ${source}: serves ${who}`, () => {
      const verdict = all[index]!;
      expect(verdict.error).toBeUndefined();
      // The real libraries list what is of the authority that they are configured with, or all.
      if (trial.provider === 'contoso' && trial.home_account_id !== null) {
        expect(verdict.accounts).toContain(homeAccountId(avery));
        expect(verdict.accounts).toContain(homeAccountId(quinn));
        expect(verdict.accounts).not.toContain(homeAccountId(kenji));
      }
      // Tokens are compared by the judge of equality, and not shown.
      expect(verdict.asked, 'token requests for what is in the cache').toBe(0);
      expect(cached.includes(String(verdict.cached)), 'the access token of the document').toBe(true);
      expect(redeemed.includes(verdict.redeemed), 'the refresh token of the document').toBe(true);
      expect(verdict.refreshed === trial.response.access_token, 'the new access token').toBe(true);

      const after = new SerializableTokenCache({ now: () => NOW });
      after.deserialize(verdict.document);
      const query = { home_account_id: trial.home_account_id, client_id: trial.app.client_id };
      const found = after.find('AccessToken', { target: [...trial.scopes], query });
      expect(
        found.some(({ secret }) => secret === verdict.refreshed),
        'found by Tokenkeep',
      ).toBe(true);
    });
  }
});
