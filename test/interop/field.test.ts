/** Public bug reports of other libraries and programs, one small input each, with what must come out. See test/vectors/README.md. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type Entity,
  ENTITY_TYPES,
  type EntityType,
  lookup,
  merge,
  SerializableTokenCache,
  type TokenRequest,
  type TokenResponseEvent,
} from '../../src-main/cache/index.ts';
import { viewOf } from '../../src-main/cache/document/library-view.ts';
import type { Dialect } from '../../src-main/cache/schema/dialects.ts';
import { storeOf } from '../../src-main/cache/token-cache.ts';
import { examine } from '../../src-main/doctor/index.ts';

interface Step {
  read?: object | string;
  merge?: object;
  add?: TokenResponseEvent;
  signOut?: string;
  /** The field, or the code, that the error names. */
  throws?: string;
  /** Of `add`. */
  receipt?: object;
}

interface Vector {
  report: string;
  kind: string;
  says: string;
  now: number;
  steps: Step[];
  expect: {
    accounts?: object[];
    /** How many entities there are. */
    counts?: Partial<Record<EntityType, number>>;
    lookups?: { request: TokenRequest; accessToken: string | null; refreshTokens?: string[]; at?: number }[];
    findings?: string[];
    findingsAt?: { at: number; findings: string[] };
    /** Secrets by key in the document of a dialect, as MSAL is told it. */
    documents?: Partial<Record<Dialect, Partial<Record<EntityType, Record<string, string>>>>>;
    /** How many entities MSAL is told. */
    told?: Partial<Record<Dialect, Partial<Record<EntityType, number>>>>;
  };
}

const folder = new URL('../vectors/field/', import.meta.url);
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** `{"$jwt": claims}` is an unsigned token, `{"$part": value}` one part of one: written out, so that a reader sees what is in them. */
function expanded(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('$jwt' in value) return `${part({ alg: 'none' })}.${part(value.$jwt)}.`;
  return '$part' in value ? part(value.$part) : value;
}

const vectors = readdirSync(folder).map((file) => ({
  name: file.replace('.json', ''),
  ...(JSON.parse(readFileSync(new URL(file, folder), 'utf8'), expanded) as Vector),
}));

function perform(cache: SerializableTokenCache, step: Step): unknown {
  if (step.read !== undefined)
    cache.deserialize(typeof step.read === 'string' ? step.read : JSON.stringify(step.read));
  if (step.merge !== undefined) {
    const other = new SerializableTokenCache();
    other.deserialize(JSON.stringify(step.merge));
    merge(cache, other);
  }
  if (step.signOut !== undefined) cache.signOut(step.signOut);
  return step.add === undefined ? undefined : cache.add(step.add);
}

function told(cache: SerializableTokenCache, dialect: Dialect): Map<EntityType, Map<string, Entity>> {
  const all = new Map<EntityType, Map<string, Entity>>(ENTITY_TYPES.map((type) => [type, new Map()]));
  const store = storeOf(cache);
  for (const account of ['', ...store.accounts])
    for (const [type, entities] of viewOf(store.ofAccount(account), dialect, store.now))
      for (const [key, entity] of entities) all.get(type)!.set(key, entity);
  return all;
}

it('there are at least thirty reports, and each is named by its number', () => {
  expect(vectors.length).toBeGreaterThanOrEqual(30);
  for (const { name, report } of vectors) {
    expect(report).toMatch(/^https:\/\/github\.com\/[\w.-]+\/[\w.-]+\/(issues|pull)\/\d+$/);
    expect(name.split('-').at(-1)).toBe(report.split('/').at(-1));
  }
});

describe.each(vectors)('$name: $says', ({ now, steps, expect: wanted }) => {
  let at = now;
  const cache = new SerializableTokenCache({ now: () => at });
  const outcomes = steps.map((step) => {
    try {
      return { receipt: perform(cache, step) };
    } catch (error) {
      return { error };
    }
  });

  it('gives what must come out', () => {
    for (const [index, { throws, receipt }] of steps.entries()) {
      const { error, receipt: given } = outcomes[index] as {
        error?: Error & { code?: string };
        receipt?: object;
      };
      if (throws === undefined) expect(error).toBeUndefined();
      else expect(`${error?.code ?? ''} ${error?.message ?? ''}`).toContain(throws);
      if (receipt !== undefined) expect(given).toMatchObject(receipt);
    }
    if (wanted.accounts !== undefined) {
      expect(cache.accounts()).toHaveLength(wanted.accounts.length);
      for (const account of wanted.accounts)
        expect(cache.accounts()).toContainEqual(expect.objectContaining(account));
    }
    for (const [type, count] of Object.entries(wanted.counts ?? {}))
      expect({ [type]: cache.find(type as EntityType).length }).toEqual({ [type]: count });
    for (const { request, accessToken, refreshTokens, at: moment = now } of wanted.lookups ?? []) {
      at = moment;
      const found = lookup(cache, request, moment);
      expect({ request, at: moment, accessToken: found.accessToken?.secret ?? null }).toEqual({
        request,
        at: moment,
        accessToken,
      });
      if (refreshTokens !== undefined)
        expect(found.refreshTokens.map(({ secret }) => secret)).toEqual(refreshTokens);
    }
    at = now;
    const kinds = (moment: number): string[] => [
      ...new Set(examine(cache, { now: moment }).map(({ kind }) => kind)),
    ];
    if (wanted.findings !== undefined) expect(kinds(now)).toEqual(wanted.findings);
    if (wanted.findingsAt !== undefined)
      expect(kinds(wanted.findingsAt.at)).toEqual(wanted.findingsAt.findings);
    for (const [dialect, sections] of Object.entries(wanted.documents ?? {}))
      for (const [type, secrets] of Object.entries(sections)) {
        const entities = told(cache, dialect as Dialect).get(type as EntityType)!;
        expect(Object.fromEntries([...entities].map(([key, { secret }]) => [key, secret]))).toEqual(secrets);
      }
    for (const [dialect, counts] of Object.entries(wanted.told ?? {}))
      for (const [type, count] of Object.entries(counts))
        expect({ [type]: told(cache, dialect as Dialect).get(type as EntityType)!.size }).toEqual({
          [type]: count,
        });
  });

  it('is the same after a round trip', () => {
    const again = new SerializableTokenCache({ now: () => now });
    again.deserialize(cache.serialize());
    expect(again.accounts()).toEqual(cache.accounts());
    for (const { request, at: moment = now } of wanted.lookups ?? [])
      expect(lookup(again, request, moment)).toEqual(lookup(cache, request, moment));
  });
});
