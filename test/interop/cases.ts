/** Runs the conformance cases with Tokenkeep and the real libraries: the stage, and the judging. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SerializableTokenCache } from '../../src-main/index.ts';
import {
  type App,
  APPS,
  entra,
  homeAccountId,
  PEOPLE,
  type Person,
  PROVIDERS,
  START,
} from '../vectors/make/stage.mjs';
import {
  type Judge,
  MSAL_NODE,
  MSAL_PYTHON,
  type Trial,
  type Verdict,
  verdicts,
  withoutPython,
} from './judges.ts';

const { avery } = PEOPLE;
const { desk } = APPS;
export const READ_USER = 'https://graph.microsoft.com/User.Read';
export const NOW = START + 1800;
export const home = homeAccountId(avery);

export type Dialect = Judge['dialect'];

export const isPython = ({ dialect }: Judge): boolean => dialect === 'msal-python';

export const vector = (name: string): string =>
  readFileSync(new URL(`../vectors/documents/${name}.json`, import.meta.url), 'utf8');

export function cacheOf(text = ''): SerializableTokenCache {
  const cache = new SerializableTokenCache({ now: () => NOW });
  cache.deserialize(text);
  return cache;
}

/** Someone signs in with Tokenkeep. */
export function signIn(
  cache: SerializableTokenCache,
  person: Person,
  app: App,
  options: Fields = {},
): string {
  const { provider = 'contoso', environment, ...fields } = options;
  const { token_endpoint } = PROVIDERS[String(provider)]!.openid;
  const response = entra(person, app, NOW, fields);
  const where = typeof environment === 'string' ? { environment } : {};
  cache.add({ client_id: app.client_id, scope: [READ_USER], token_endpoint, response, ...where });
  return response.access_token;
}

export type Fields = Readonly<Record<string, unknown>>;

export const trial = (document: string, changes: Partial<Trial> = {}): Trial => ({
  document,
  app: desk,
  provider: 'contoso',
  scopes: [READ_USER],
  home_account_id: home,
  at: NOW,
  response: entra(avery, changes.app ?? desk, (changes.at ?? NOW) + 1),
  ...changes,
});

export interface Case {
  name: string;
  trial: Trial;
  /** The result that the library must get. Tokens are compared, but not shown. */
  comesTo: (verdict: Verdict) => void;
}

/** All is well: the account is listed, its token served without a request, its refresh token redeemed. */
export function served(verdict: Verdict, { cached, redeemed }: { cached: string; redeemed?: string }): void {
  expect(verdict.error).toBeUndefined();
  expect(verdict.asked, 'token requests for what is in the cache').toBe(0);
  expect(verdict.cached === cached, 'the access token of the document').toBe(true);
  if (redeemed !== undefined) expect(verdict.redeemed === redeemed, 'its refresh token').toBe(true);
}

export const refreshTokenOf = (cache: SerializableTokenCache, app: App): string =>
  cache.find('RefreshToken', { query: { client_id: app.client_id } })[0]!.secret;

/** Has every library judge the cases: one process for each. */
export function judged(makers: readonly ((judge: Judge) => Case[] | Promise<Case[]>)[]): void {
  describe.each([...MSAL_NODE, MSAL_PYTHON])('$name', async (judge) => {
    const isMissing = isPython(judge) && withoutPython;
    if (isMissing) it.skip('python3-msal is not installed');
    const cases: Case[] = [];
    for (const make of isMissing ? [] : makers) cases.push(...(await make(judge)));
    const heard = isMissing
      ? []
      : verdicts(
          judge,
          cases.map((one) => one.trial),
        );
    it.each(cases.map((one, index) => ({ ...one, verdict: heard[index]! })))(
      '$name',
      ({ comesTo, verdict }) => {
        comesTo(verdict);
      },
    );
  });
}
