/** Properties of every cache. */

import { describe, expect, test } from 'vitest';
import { merge } from '../../src-main/cache/document/merge.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { DIALECTS } from '../../src-main/cache/schema/dialects.ts';
import type { AccountReference, Entity, EntityType } from '../../src-main/cache/schema/entities.ts';
import { matches, sameCredential, supersedes } from '../../src-main/cache/schema/match.ts';
import { removalCount, type TokenCache, transact } from '../../src-main/cache/token-cache.ts';
import { AmbiguousAccountError, DocumentError } from '../../src-main/errors.ts';
import fc from '../support/fast-check.ts';
import { document, documentOf, ENVIRONMENTS, HOMES, TYPES, typed } from './entities.ts';
import { cacheWithItems, itemsIn, signIn } from './events.ts';

function read(text: string): SerializableTokenCache {
  const cache = new SerializableTokenCache({ now: () => 1000 });
  cache.deserialize(text);
  return cache;
}

const all = (cache: TokenCache): [EntityType, Entity][] =>
  TYPES.flatMap((type) => cache.find(type).map((entity): [EntityType, Entity] => [type, entity]));

const content = (cache: TokenCache): string[] =>
  itemsIn(cache)
    .map((record) => JSON.stringify(record))
    .sort();

describe('entities that were added are found', () => {
  const scope = fc.subarray(['s1', 's2', 's3', 'openid'], { minLength: 1 });
  test('by every field, and by every subset of its scopes', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            scope,
            client_id: fc.constantFrom('a', 'B'),
            tenant: fc.constantFrom('common', 'contoso'),
            uid: fc.constantFrom('u1', 'U2'),
          }),
          { minLength: 1, maxLength: 8 },
        ),
        (events) => {
          const cache = new SerializableTokenCache({ now: () => 1000 });
          events.forEach(({ scope, client_id, tenant, uid }, index) => {
            const token_endpoint = `https://login.microsoftonline.com/${tenant}/token`;
            const access_token = `token ${index}`;
            cache.add(signIn({ access_token }, { scope, client_id, token_endpoint }, { uid }));
            const query = {
              home_account_id: `${uid}.UTID`,
              client_id: client_id.toUpperCase(),
              realm: tenant,
              environment: 'login.windows.net',
            };
            for (const target of [scope, scope.slice(1), []]) {
              const found = cache.find('AccessToken', { target, query });
              expect(found.map(({ secret }) => secret)).toContain(access_token);
            }
            expect(
              cache.find('RefreshToken', { query: { home_account_id: query.home_account_id } }),
            ).not.toEqual([]);
            expect(cache.accounts({ home_account_id: query.home_account_id })).toHaveLength(1);
          });
        },
      ),
    );
  });
});

describe('documents', () => {
  test('deserialize, then serialize is the identity, in every dialect', () => {
    fc.assert(fc.property(document, ({ text }) => read(text).serialize() === text));
  });

  test('records, then a cache of them, hold the same', () => {
    fc.assert(
      fc.property(document, ({ text }) => {
        const cache = read(text);
        expect(itemsIn(cacheWithItems(itemsIn(cache)))).toEqual(itemsIn(cache));
      }),
    );
  });

  test('in another dialect every credential is still there, or a newer form of it', () => {
    fc.assert(
      fc.property(document, fc.constantFrom(...DIALECTS), ({ text }, dialect) => {
        const before = all(read(text)).filter(([type]) => type !== 'Account');
        const there = read(read(text).serialize({ dialect }));
        for (const [type, entity] of before) {
          const home = String(entity['home_account_id'] ?? '').toLowerCase(); // oxlint-disable-line typescript/no-base-to-string
          const realm = String(entity['realm'] ?? ''); // oxlint-disable-line typescript/no-base-to-string
          const moved = realm === 'common' ? { ...entity, realm: home.split('.')[1] ?? realm } : entity;
          const kept = there
            .find(type)
            .some((other) => sameCredential[type](entity, other) || sameCredential[type](moved, other));
          expect(kept, JSON.stringify([type, entity])).toBe(true);
        }
      }),
    );
  });

  test('any text is read or refused with a DocumentError, and then nothing has changed', () => {
    const hostile = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .jsonValue()
        .map((value) => JSON.stringify({ AccessToken: value, Account: { a: value }, other: value })),
      fc.tuple(document, fc.nat()).map(([{ text }, cut]) => text.slice(0, cut % (text.length + 1))),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        const cache = read('{"AccessToken":{},"kept":1}');
        try {
          cache.deserialize(text);
        } catch (error) {
          expect(error).toBeInstanceOf(DocumentError);
          expect(cache.serialize()).toBe('{"AccessToken":{},"kept":1}');
          return;
        }
        if (text === '') return;
        expect(JSON.parse(cache.serialize())).toEqual(JSON.parse(text));
        cache.accounts();
        cache.signOut('a');
      }),
    );
  });

  test.each(['[', '{"a":'])('a hundred thousand levels of %s do no harm', (level) => {
    const close = level === '[' ? ']' : '}';
    const deep = level.repeat(100_000) + (level === '[' ? '' : '1') + close.repeat(100_000);
    expect(() => read(`{"AccessToken":{"x":${deep}}}`)).toThrow(DocumentError);
    expect(() => read(`{"Account":{},"other":${deep}}`)).toThrow(DocumentError);
  });
});

/** Returns all users of an id. An id alone is refused where it has several. */
function usersOf(cache: TokenCache, home: string): (string | AccountReference)[] {
  try {
    removalCount(cache, home);
    return [home];
  } catch (error) {
    if (error instanceof AmbiguousAccountError) return [...error.accounts];
    throw error;
  }
}

describe('sign-out', () => {
  const strange = fc
    .constantFrom(...HOMES)
    .chain((home) =>
      fc.constantFrom<unknown>(
        { [`${home}-x`]: { secret: 'x' } },
        { nested: [{ home_account_id: home, secret: 'x' }, 'stays'] },
        [home],
        { homeAccountId: home },
        { note: 'stays' },
      ),
    );

  test('removes every trace of the account and leaves everything else unchanged', () => {
    fc.assert(
      fc.property(
        fc.array(typed, { maxLength: 15 }),
        fc.constantFrom(...DIALECTS),
        fc.constantFrom(...HOMES),
        strange,
        (entities, dialect, home, other) => {
          const roots: Record<string, unknown> = JSON.parse(documentOf(dialect, entities)) as Record<
            string,
            unknown
          >;
          const malformed = { [`${home}-malformed`]: { foo: 'bar' }, other };
          const text = JSON.stringify({
            ...roots,
            AccessToken: { ...(roots['AccessToken'] as object), ...malformed },
            other,
          });
          const cache = read(text);
          const mine = (id: unknown): boolean =>
            typeof id === 'string' && id.toLowerCase() === home.toLowerCase();
          const others = all(cache).filter(([, entity]) => !mine(entity['home_account_id']));
          for (const user of usersOf(cache, home)) {
            const expected = removalCount(cache, user);
            const receipt = cache.signOut(user);
            expect(receipt.removed).toEqual(expected);
            expect(receipt.remaining).toBe(0);
          }
          expect(all(cache)).toEqual(others);
          const left = JSON.stringify(JSON.parse(cache.serialize())).toLowerCase();
          expect(left).not.toContain(`"${home.toLowerCase()}"`);
          expect(left.includes('stays')).toBe(text.includes('stays'));
          expect(cache.signOut(home).removed).toEqual({
            AccessToken: 0,
            RefreshToken: 0,
            IdToken: 0,
            Account: 0,
            AppMetadata: 0,
          });
        },
      ),
    );
  });
});

describe('a cache and a list of entities', () => {
  type Operation =
    | { do: 'merge'; type: EntityType; entity: Entity }
    | { do: 'modify'; pick: number }
    | { do: 'remove'; pick: number }
    | { do: 'signOut'; home: string }
    | { do: 'fail' };
  const operation: fc.Arbitrary<Operation> = fc.oneof(
    typed.map(([type, entity]): Operation => ({ do: 'merge', type, entity })),
    fc.nat(20).map((pick): Operation => ({ do: 'modify', pick })),
    fc.nat(20).map((pick): Operation => ({ do: 'remove', pick })),
    fc.constantFrom(...HOMES).map((home): Operation => ({ do: 'signOut', home })),
    fc.constant<Operation>({ do: 'fail' }),
  );

  test('give the same answers after the same operations', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 25 }), (operations) => {
        const cache = read('');
        for (const step of operations) {
          const before = content(cache);
          const entities = all(cache);
          const picked = 'pick' in step ? entities[step.pick % Math.max(1, entities.length)] : undefined;
          if (step.do === 'merge') {
            const from = read(documentOf('msal-python', [[step.type, step.entity]]));
            const { tokens } = merge(cache, from);
            if (tokens.added + tokens.replaced > 0) {
              expect(cache.find(step.type).map((entity) => entity['secret'])).toContain(
                step.entity['secret'],
              );
            }
          } else if (step.do === 'modify' && picked !== undefined) {
            cache.modify(picked[0], picked[1], { changed: 'yes' });
            expect(
              cache.find(picked[0]).filter((entity) => sameCredential[picked[0]](entity, picked[1])),
            ).toMatchObject([{ changed: 'yes' }]);
          } else if (step.do === 'remove' && picked !== undefined) {
            cache.modify(picked[0], picked[1], null);
            const rest = entities.filter(
              ([type, entity]) => type !== picked[0] || !sameCredential[type](entity, picked[1]),
            );
            expect(all(cache)).toEqual(rest);
          } else if (step.do === 'signOut') {
            for (const user of usersOf(cache, step.home)) cache.signOut(user);
            expect(all(cache).filter(([, { home_account_id }]) => home_account_id === step.home)).toEqual([]);
          } else if (step.do === 'fail') {
            const fail = (): void => {
              for (const [type, entity] of entities) cache.modify(type, entity, null);
              cache.add(signIn());
              throw new Error('on purpose');
            };
            expect(() => transact(cache, fail)).toThrow('on purpose');
            expect(content(cache)).toEqual(before);
          }
          // The index finds the same entries as a full scan.
          for (const home_account_id of [...HOMES, null]) {
            for (const [type, query] of TYPES.flatMap((type) => [
              [type, { home_account_id }] as const,
              [
                type,
                { home_account_id, client_id: 'app-1', realm: 'utid', environment: ENVIRONMENTS[0] },
              ] as const,
            ])) {
              const walked = cache.find(type).filter((entity) => matches(type, entity, { query }));
              expect(cache.find(type, { query })).toEqual(walked);
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test('an entity supersedes itself and what denotes the same credential', () => {
    fc.assert(
      fc.property(typed, typed, ([type, one], [otherType, other]) => {
        expect(supersedes(type, one, one) && sameCredential[type](one, one)).toBe(true);
        if (type !== otherType) return;
        expect(sameCredential[type](one, other)).toBe(sameCredential[type](other, one));
        if (sameCredential[type](one, other)) expect(supersedes(type, one, other)).toBe(true);
      }),
    );
  });
});
