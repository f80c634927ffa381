import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeBatch, encodeBatch, type StoredChange } from '../../src-main/vault/format/batch.ts';
import {
  decodeHeader,
  encodeHeader,
  FRAMES_AT,
  HEADER_COPY_AT,
  HEADER_LENGTH,
} from '../../src-main/vault/format/header.ts';
import {
  decodeManifest,
  encodeManifest,
  outlineIn,
  outlineText,
} from '../../src-main/vault/format/manifest.ts';
import fc from '../support/fast-check.ts';
import { exampleFile, printed } from './vectors.ts';

const FORMAT = join(import.meta.dirname, '../../src-main/vault/format/FORMAT.md');

test('the worked example of FORMAT.md is what is written', () => {
  const file = exampleFile();
  expect(file.subarray(HEADER_COPY_AT, FRAMES_AT).equals(file.subarray(0, HEADER_LENGTH))).toBe(true);
  const [, example] = readFileSync(FORMAT, 'utf8').split('```');
  expect(example?.trim()).toBe(printed(file));
});

const text = fc.string({ unit: 'grapheme' });
const json = fc.jsonValue({ maxDepth: 3 });
const entry = fc.oneof(
  json,
  fc.dictionary(fc.oneof(text, fc.constantFrom('secret', '__proto__', 'constructor')), fc.oneof(text, json)),
  fc.record({
    credential_type: text,
    secret: fc.oneof(text, fc.string({ unit: 'binary' }), fc.integer()),
    target: text,
  }),
);
const change: fc.Arbitrary<StoredChange> = fc.oneof(
  fc.record({ section: text, key: fc.oneof(text, fc.constant(null)), after: entry }),
  fc.record({ section: text, key: text }),
);

describe('what is encoded', () => {
  test('is decoded to the same, and encoded to the same bytes again', () => {
    fc.assert(
      fc.property(fc.array(change), fc.uint8Array({ minLength: 32, maxLength: 32 }), (changes, bytes) => {
        const secretsKey = Buffer.from(bytes);
        // As it is after JSON, which is where entries come from.
        const plain = changes.map((one): StoredChange => {
          const parsed: unknown = JSON.parse(JSON.stringify(one.after ?? null));
          return one.after === undefined ? one : { ...one, after: parsed };
        });
        const content = encodeBatch({ changes: plain }, secretsKey);
        const batch = decodeBatch(content);
        expect(JSON.stringify(batch?.changes)).toBe(JSON.stringify(plain));
        const again = encodeBatch({ changes: batch?.changes ?? [] }, secretsKey);
        expect(again.body.equals(content.body) && again.sealed.equals(content.sealed)).toBe(true);
      }),
    );
  });

  test('of a manifest too', () => {
    const note = fc.record({ mark: text, epoch: fc.nat(), at: fc.nat() });
    const tenant = fc.record(
      { realm: text, local_account_id: text, username: text, name: text },
      { requiredKeys: ['realm', 'local_account_id'] },
    );
    const user = fc.record(
      {
        home_account_id: text,
        environment: text,
        issuer: text,
        username: text,
        name: text,
        local_account_id: text,
        authority_type: text,
        tenants: fc.array(tenant),
      },
      {
        requiredKeys: [
          'home_account_id',
          'environment',
          'username',
          'local_account_id',
          'authority_type',
          'tenants',
        ],
      },
    );
    const maybe = fc.option(text);
    const times = fc.tuple(fc.option(fc.integer()), fc.option(fc.integer()), fc.option(fc.integer()));
    const token = fc.oneof(
      fc.tuple(fc.nat(2), times).map(([type, all]) => [type, ...all] as const),
      fc.tuple(fc.nat(2), times).map(([type, all]) => [type, ...all, 1] as const),
    );
    const row = fc.record({
      account: fc.string({ minLength: 1 }),
      entries: fc.nat(),
      notUnderstood: fc.nat(),
      grants: fc.array(text),
      atOnce: fc.boolean(),
      users: fc.array(user),
      outline: fc.option(
        fc.tuple(maybe, maybe, maybe, fc.array(text), fc.array(token)).map((one) => JSON.stringify(one)),
      ),
    });
    const point = fc.record({ generation: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), end: fc.nat() });
    const manifest = fc.record({
      keyMadeAt: fc.nat(),
      profile: fc.option(text),
      pending: fc.constantFrom(null, 'rotate' as const, 'destroy' as const),
      epoch: fc.nat(),
      tombstones: fc.array(note),
      writer: text,
      history: fc.record({
        last: fc.array(fc.tuple(text, point)).map((all) => new Map(all)),
        forgotten: point,
        lostTo: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      }),
      index: fc.uniqueArray(fc.option(row), { selector: (one) => one?.account ?? Symbol('none') }),
    });
    fc.assert(
      fc.property(manifest, (one) => {
        expect(decodeManifest(encodeManifest(one, Buffer.alloc(32)))).toEqual(one);
      }),
    );
    const [ada] = [
      {
        home_account_id: 'a',
        environment: 'e',
        username: 'ada',
        local_account_id: 'a',
        authority_type: '',
        tenants: [],
      },
    ];
    fc.assert(
      fc.property(row, (one) => {
        const found = outlineIn({ ...one, users: [ada] });
        expect(found === null).toBe(one.outline === null);
        if (found !== null)
          expect(outlineIn({ ...one, users: [ada], outline: outlineText(found, [ada]) })).toEqual(found);
      }),
    );
    for (const outline of [
      '',
      '[',
      'null',
      '[null,null,null,[]]',
      '[null,null,null,[],[[0,1]]]',
      '[1,null,null,[],[]]',
    ]) {
      expect(
        outlineIn({
          account: 'a',
          entries: 0,
          notUnderstood: 0,
          grants: [],
          atOnce: false,
          users: [ada],
          outline,
        }),
      ).toBeNull();
    }
  });

  test('of a header too, and no other 128 bytes are one', () => {
    const bytes = (length: number): fc.Arbitrary<Buffer> =>
      fc.uint8Array({ minLength: length, maxLength: length }).map((array) => Buffer.from(array));
    const header = fc.record({
      fileId: bytes(16),
      generation: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      slot: fc.constantFrom('a' as const, 'b' as const),
      baseFrames: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      salt: bytes(32),
      check: bytes(16),
    });
    fc.assert(
      fc.property(header, fc.nat(127), fc.nat(7), (one, at, bit) => {
        const encoded = encodeHeader(one);
        expect(decodeHeader(encoded)).toEqual(one);
        encoded.writeUInt8(encoded.readUInt8(at) ^ (1 << bit), at);
        expect(decodeHeader(encoded)).toBeNull();
      }),
    );
  });
});

test.each([
  ['no JSON', '{'],
  ['no object', '[]'],
  ['no changes', '{}'],
  ['a row that is too short', '{"changes":[["s"]]}'],
  ['a row that is too long', '{"changes":[["s","k",{"secret":null},16,1]]}'],
  ['a section that is no text', '{"changes":[[1,"k",{}]]}'],
  ['a sealed secret without its place', '{"changes":[["s","k",{},16]]}'],
  [
    'a sealed secret of a negative length',
    '{"changes":[["s","k",{"secret":null},17],["s","k",{"secret":null},-1]]}',
  ],
  ['less sealed bytes than it says', '{"changes":[["s","k",{"secret":null},17]]}'],
  ['more sealed bytes than it says', '{"changes":[]}'],
  ['a note that is none', '{"changes":[["s","k",{"secret":null},16]],"pending":"later"}'],
])('a body that is authentic and wrong is not taken: %s', (_what, body) => {
  const content = { body: Buffer.concat([Buffer.alloc(32), Buffer.from(body)]), sealed: Buffer.alloc(16) };
  expect(decodeBatch(content)).toBeNull();
});
