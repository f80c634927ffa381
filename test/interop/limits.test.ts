/**
 * Where the libraries look for different entries: with B2C's policies, and with providers that are neither Entra ID nor AD FS. Tests the
 * statements of docs/msal.md with the real libraries.
 */
import { expect } from 'vitest';
import { APPS } from '../vectors/make/stage.mjs';
import { type Case, cacheOf, isPython, judged, trial, vector } from './cases.ts';
import type { Judge, Verdict } from './judges.ts';

/** What a library wrote of one kind of account, for another library. */
function handed(judge: Judge, source: string, kind: 'b2c' | 'oidc'): Case['trial'] {
  const cache = cacheOf(vector(`${source}-${kind}`));
  const { home_account_id } = cache.accounts()[0]!;
  const stage =
    kind === 'b2c'
      ? { app: APPS.shop, provider: 'b2cSignIn', scopes: ['https://fabrikam.example/orders/Orders.Read'] }
      : { app: APPS.desk, provider: 'generic', scopes: ['orders.read'] };
  return trial(cache.serialize({ dialect: judge.dialect }), { ...stage, home_account_id });
}

const isOfPython = (source: string): boolean => source.startsWith('msal-python');

/** Goes on without asking the user: by a request where the access token is under a tenant that it does not look under. */
function goesOn(verdict: Verdict, asked: number): void {
  expect(verdict.error).toBeUndefined();
  expect(verdict.asked).toBe(asked);
  expect(verdict.redeemed).toBeTypeOf('string');
}

const SOURCES = ['msal-python', 'msal-python-1.32', 'msal-node-3', 'msal-node-7'];

const policies = (judge: Judge): Case[] =>
  SOURCES.map((source) => ({
    name: `B2C, as ${source} wrote it`,
    trial: handed(judge, source, 'b2c'),
    comesTo: (verdict) => {
      expect(verdict.accounts).toHaveLength(2); // one for each policy
      goesOn(verdict, isPython(judge) === isOfPython(source) ? 0 : 1);
    },
  }));

const otherProviders = (judge: Judge): Case[] =>
  SOURCES.map((source) => ({
    name: `another provider, as ${source} wrote it`,
    trial: handed(judge, source, 'oidc'),
    comesTo: (verdict) => {
      expect(verdict.accounts).toHaveLength(1);
      // MSAL Node asks for offline_access, and finds no token again whose scopes do not name it.
      goesOn(verdict, isPython(judge) ? 0 : 1);
    },
  }));

judged([policies, otherProviders]);
