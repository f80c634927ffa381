/**
 * Faulty documents and the real libraries: each behaves as the finding says, and works after the repair. The faults are added to documents
 * that the libraries wrote, or result from two libraries using one document.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { examine, repair } from '../../src-main/doctor/index.ts';
import { SerializableTokenCache } from '../../src-main/index.ts';
import { APPS, entra, homeAccountId, PEOPLE, START } from '../vectors/make/stage.mjs';
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
const [CONFIGURED, CACHED] = ['login.microsoftonline.com', 'login.windows.net'];

type Fields = Record<string, unknown>;
type Document = Record<string, Record<string, Fields | null>>;

const vector = (name: string): Document =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));

/** Everything in a root once more under the other name of the cloud. */
function twice(document: Document, root: string): void {
  for (const [key, entity] of Object.entries(document[root]!)) {
    const [from, to] = entity?.['environment'] === CACHED ? [CACHED, CONFIGURED] : [CONFIGURED, CACHED];
    document[root]![key.replace(from, to)] = { ...entity, environment: to };
  }
}

/** A broken copy of each access token before it. */
function beside(document: Document, changes: Fields): void {
  const copies = Object.entries(document['AccessToken']!).map(([key, entity]) => [
    `${key}-broken`,
    { ...entity, ...changes },
  ]);
  document['AccessToken'] = { ...Object.fromEntries(copies), ...document['AccessToken'] };
}

type Suffers = (verdict: Verdict) => void;

const throws =
  (error: RegExp): Suffers =>
  (verdict) =>
    expect(verdict.error).toMatch(error);
const isWell: Suffers = (verdict) => {
  expect(verdict.error).toBeUndefined();
  expect(verdict.accounts).toEqual([homeAccountId(avery)]);
};
const misses: Suffers = (verdict) => {
  isWell(verdict);
  expect(verdict.asked, 'requests for a token that is in the document').toBe(1);
};

const SICK: {
  name: string;
  kind: string;
  make: (document: Document) => void;
  node: Suffers;
  python: Suffers;
}[] = [
  {
    name: 'an access token whose target is null',
    kind: 'unreadable',
    make: (document) => beside(document, { target: null }),
    node: throws(/empty_input_scopes/),
    python: throws(/NoneType/),
  },
  {
    name: 'an access token whose target is empty',
    kind: 'unreadable',
    make: (document) => beside(document, { target: '' }),
    node: throws(/empty_input_scopes/),
    python: isWell,
  },
  {
    name: 'an access token without expires_on',
    kind: 'unreadable',
    make: (document) => beside(document, { expires_on: undefined }),
    node: () => undefined, // It may find the broken one first and get another.
    python: throws(/expires_on/),
  },
  {
    name: 'null for an access token',
    kind: 'unreadable',
    // In front, as the others are: MSAL Python 1.32 looks no further than the first token that serves.
    make: (document) => {
      document['AccessToken'] = { broken: null, ...document['AccessToken'] };
    },
    node: throws(/null/),
    python: throws(/NoneType/),
  },
  {
    name: 'an account with a broken list of tenants',
    kind: 'unreadable',
    make: (document) => {
      for (const account of Object.values(document['Account']!)) account!['tenantProfiles'] = ['{broken'];
    },
    node: throws(/JSON/),
    python: isWell,
  },
  {
    name: 'access tokens twice',
    kind: 'duplicate-token',
    make: (document) => twice(document, 'AccessToken'),
    node: misses,
    python: isWell,
  },
  {
    name: 'ID tokens twice',
    kind: 'duplicate-token',
    make: (document) => twice(document, 'IdToken'),
    node: isWell,
    python: isWell,
  },
  {
    name: 'an account twice',
    kind: 'duplicate-account',
    make: (document) => twice(document, 'Account'),
    node: (verdict) => expect(verdict.accounts).toHaveLength(2),
    python: isWell,
  },
  {
    name: 'an app twice',
    kind: 'duplicate-app',
    make: (document) => {
      const app = { client_id: desk.client_id, environment: CONFIGURED };
      document['AppMetadata'] = { [`appmetadata-${CONFIGURED}-${desk.client_id}`]: app };
      twice(document, 'AppMetadata');
    },
    node: throws(/multiple_matching_appMetadata/),
    python: isWell,
  },
  {
    name: 'tokens without an account',
    kind: 'token-without-account',
    make: (document) => {
      document['Account'] = {};
    },
    node: throws(/no_account_in_silent_request/),
    python: throws(/StopIteration/),
  },
];

const at = START + 1800;
const trial = (document: string): Trial => ({
  document,
  app: desk,
  provider: 'contoso',
  scopes: ['https://graph.microsoft.com/User.Read'],
  home_account_id: homeAccountId(avery),
  at,
  response: entra(avery, desk, at + 1),
});

/** The document before and after the repair of all that is found in it. */
function treated(text: string, now: number) {
  const cache = new SerializableTokenCache({ now: () => now });
  cache.deserialize(text);
  const findings = examine(cache);
  repair(cache, findings);
  return { findings, left: examine(cache), text: cache.serialize() };
}

const later = START + 3600 + 1800;
const handover = (document: string): Trial => ({
  ...trial(document),
  provider: 'organizations',
  at: later,
  response: entra(avery, desk, later + 1),
});

const SOURCES = ['msal-python-aad-single', 'msal-python-1.32-aad-single', 'msal-node-7-aad-single'];

const faulty = SOURCES.flatMap((source) =>
  SICK.map((sick) => {
    const document = vector(`documents/${source}`);
    sick.make(document);
    const text = JSON.stringify(document);
    const after = treated(text, at);
    return { ...sick, source, after, trials: [trial(text), trial(after.text)] };
  }),
);

const handedOver = [
  { name: 'msal-node-3-then-msal-node-5', before: 'the older refresh token' },
  { name: 'msal-node-5-then-msal-node-3', before: 'the older refresh token' },
  { name: 'msal-node-7-then-msal-python', before: 'an error' },
  { name: 'msal-node-7-then-msal-python-1.32', before: 'an error' },
  { name: 'msal-python-then-msal-node-7', before: 'an error' },
  { name: 'msal-python-1.32-then-msal-node-7', before: 'an error' },
].map((one) => {
  const document = vector(`handovers/${one.name}`);
  const text = JSON.stringify(document);
  const secrets = Object.values(document['RefreshToken']!).map((token) => token?.['secret']);
  return { ...one, secrets, trials: [handover(text), handover(treated(text, later).text)] };
});

const judges = [...MSAL_NODE, ...(withoutPython ? [] : [MSAL_PYTHON])];
/** Each judge's verdicts. A judge gets all trials at once, because it takes long to start. */
const heard = new Map(
  judges.map((judge) => {
    const trials = [...faulty, ...(judge === MSAL_PYTHON ? [] : handedOver)].flatMap((one) => one.trials);
    const all = verdicts(judge, trials);
    return [judge, new Map(trials.map((one, index) => [one, all[index]!]))];
  }),
);
/** A judge's verdicts on a document before and after the repair. */
const heardOn = (judge: Judge, { trials }: { trials: Trial[] }): Verdict[] =>
  trials.map((one) => heard.get(judge)!.get(one)!);

describe.each(SOURCES)('in what was %s', (source) => {
  if (withoutPython) it.skip('python3-msal is not installed');

  it.each(faulty.filter((one) => one.source === source))('$name: found, felt, repaired', (one) => {
    expect(new Set(one.after.findings.map(({ kind }) => kind))).toEqual(new Set([one.kind]));
    expect(one.after.left).toEqual([]);
    for (const judge of judges) {
      const [before, after] = heardOn(judge, one);
      if (judge === MSAL_PYTHON) one.python(before!);
      else one.node(before!);
      isWell(after!);
      // MSAL Python takes an access token from under the name of the cloud alone that it was configured with.
      if (judge !== MSAL_PYTHON || source.includes('python')) expect(after!.asked).toBe(0);
    }
  });
});

describe('what two libraries left together', () => {
  it.each(handedOver)(
    '$name: MSAL Node comes to $before, and to the newer refresh token after the repair',
    (one) => {
      const [older, newer] = one.secrets;
      for (const judge of MSAL_NODE) {
        const [sick, well] = heardOn(judge, one);
        if (one.before === 'an error') expect(sick!.error).toMatch(/multiple_matching_appMetadata/);
        else expect(sick!.redeemed === older).toBe(true);
        isWell(well!);
        expect(well!.redeemed === newer).toBe(true);
      }
    },
  );
});
