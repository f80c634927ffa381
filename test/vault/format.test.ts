import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Change, decodeBatch, encodeBatch } from '../../src-main/vault/format/batch.ts';
import { FRAMES_AT, HEADER_COPY_AT, HEADER_LENGTH } from '../../src-main/vault/format/header.ts';
import { decodeHeader, encodeHeader } from '../../src-main/vault/format/header.ts';
import { buildImage } from '../../src-main/vault/format/frame-writer.ts';
import { decodeManifest, encodeManifest } from '../../src-main/vault/format/manifest.ts';

const FORMAT = join(import.meta.dirname, '../../src-main/vault/format/FORMAT.md');

/** The bytes that the worked example of FORMAT.md is made from. */
function counting(from: number): (length: number) => Buffer {
  let next = from;
  return (length) => Buffer.from(Array.from({ length }, () => next++ % 256));
}

function exampleFile(): Buffer {
  const fileId = Buffer.alloc(16, 0xa0);
  const value = { credential_type: 'RefreshToken', secret: 's3cret', home_account_id: 'u.t' };
  const changes = [{ section: 'RefreshToken', key: 'k', after: value }];
  const frame = encodeBatch({ changes }, fileId, Buffer.alloc(32, 0xc0));
  const { bytes } = buildImage(
    {
      fileId,
      generation: 1n,
      slot: 'a',
      manifest: { keyMadeAt: 1_780_000_000, profile: 'msal-python', pending: null, epoch: 0, departures: [] },
      groups: [{ account: { home_account_id: 'u.t', username: '' }, frames: [frame] }],
    },
    counting(0)(32),
    counting(0x20),
  );
  return bytes;
}

function printed(file: Buffer): string {
  const lines: string[] = [];
  const print = (title: string, bytes: Buffer): void => {
    lines.push(title);
    for (let at = 0; at < bytes.length; at += 32) lines.push(`  ${bytes.toString('hex', at, at + 32)}`);
  };
  print('header, at 0 and at 4096', file.subarray(0, HEADER_LENGTH));
  for (let at = FRAMES_AT, n = 0; at < file.length; n += 1) {
    const length = 60 + file.readUInt32LE(at) + file.readUInt32LE(at + 4);
    print(`frame ${n}, at ${at}`, file.subarray(at, at + length));
    at += length;
  }
  return lines.join('\n');
}

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
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ section: text, key: fc.oneof(text, fc.constant(null)), after: entry }),
  fc.record({ section: text, key: text }),
);

describe('what is encoded', () => {
  test('is decoded to the same, and encoded to the same bytes again', () => {
    fc.assert(
      fc.property(fc.array(change), fc.uint8Array({ minLength: 32, maxLength: 32 }), (changes, bytes) => {
        const [fileId, secretsKey] = [Buffer.alloc(16, 1), Buffer.from(bytes)];
        // As it is after JSON, which is where entries come from.
        const plain = changes.map((one): Change => {
          const parsed: unknown = JSON.parse(JSON.stringify(one.after ?? null));
          return one.after === undefined ? one : { ...one, after: parsed };
        });
        const content = encodeBatch({ changes: plain }, fileId, secretsKey);
        const batch = decodeBatch(content, fileId);
        expect(JSON.stringify(batch?.changes)).toBe(JSON.stringify(plain));
        const again = encodeBatch({ changes: batch?.changes ?? [] }, fileId, secretsKey);
        expect(again.body.equals(content.body) && again.sealed.equals(content.sealed)).toBe(true);
      }),
    );
  });

  test('of a manifest too', () => {
    const note = fc.record({ mark: text, epoch: fc.nat(), at: fc.nat() });
    const person = fc.record({ home_account_id: text, username: text });
    const manifest = fc.record({
      keyMadeAt: fc.nat(),
      profile: fc.option(text),
      pending: fc.constantFrom(null, 'rotate' as const, 'destroy' as const),
      epoch: fc.nat(),
      departures: fc.array(note),
      roster: fc.array(fc.option(person)),
    });
    fc.assert(
      fc.property(manifest, (one) => {
        expect(decodeManifest(encodeManifest(one, Buffer.alloc(32)))).toEqual(one);
      }),
    );
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
  ['a sealed secret that is too short to be one', '{"changes":[["s","k",{"secret":null},15]]}'],
  ['less sealed bytes than it says', '{"changes":[["s","k",{"secret":null},17]]}'],
  ['more sealed bytes than it says', '{"changes":[]}'],
  ['a note that is none', '{"changes":[["s","k",{"secret":null},16]],"pending":"later"}'],
])('a body that is authentic and wrong is not taken: %s', (_what, body) => {
  const content = { body: Buffer.concat([Buffer.alloc(32), Buffer.from(body)]), sealed: Buffer.alloc(16) };
  expect(decodeBatch(content, Buffer.alloc(16))).toBeNull();
});
