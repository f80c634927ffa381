import fc from 'fast-check';
import { expect, test } from 'vitest';
import { documentInSlices } from '../../src-main/cache/document/document-in-slices.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { atOneGo } from '../../src-main/cache/sliced.ts';
import { TokenkeepError } from '../../src-main/errors.ts';

const encoder = new TextEncoder();

function inSlices(text: string): string {
  try {
    return atOneGo(documentInSlices(encoder.encode(text))).serialize();
  } catch (error) {
    return error instanceof TokenkeepError ? error.code : String(error);
  }
}

function whole(text: string): string {
  const cache = new SerializableTokenCache();
  try {
    cache.deserialize(text);
    return cache.serialize();
  } catch (error) {
    return error instanceof TokenkeepError ? error.code : String(error);
  }
}

test('says what deserialize says, of any JSON in any layout', () => {
  const name = fc.oneof(
    fc.constantFrom('AccessToken', 'Account', '__proto__', '1', '', '"\\', '{', 'é\u2028'),
    fc.string(),
  );
  const document = fc.dictionary(name, fc.oneof(fc.dictionary(name, fc.jsonValue()), fc.jsonValue()));
  fc.assert(
    fc.property(document, fc.constantFrom(0, 1, 4, '\t', '\r\n '), (value, indent) => {
      const text = JSON.stringify({ Account: {}, ...value }, undefined, indent);
      expect(inSlices(text)).toBe(whole(text));
    }),
    { numRuns: 300 },
  );
});

test('and of any text that was cut off, or in which something was changed', () => {
  const text = JSON.stringify({
    AccessToken: { 'a"b\\': { secret: 'x\\"}', list: [1, { two: [] }] }, k: null },
    other: [{ n: 12345678901234567890n.toString() }],
    Account: {},
  }).replace('"12345678901234567890"', '12345678901234567890');
  for (let at = 0; at <= text.length; at += 1) {
    for (const put of ['', ',', '}', '"', '{', ':', ' ', '1', '\\', ']']) {
      for (const changed of [text.slice(0, at) + put, text.slice(0, at) + put + text.slice(at + 1)]) {
        expect(inSlices(changed), changed).toBe(whole(changed));
      }
    }
  }
});

test.each([
  ['empty', ''],
  ['a byte order mark', '\ufeff{"Account":{}}'],
  ['the same name twice', '{"Account":{"a":1,"b":2,"a":3},"AccessToken":{},"Account":{"c":4}}'],
  ['no object', '[1,2]'],
  ['two documents', '{"Account":{}}{"Account":{}}'],
  ['nested too deep', `{"Account":{"a":${'['.repeat(200)}${']'.repeat(200)}}}`],
  ['nested too deep, beside', `{"Account":{},"x":{"y":${'['.repeat(98)}${']'.repeat(98)}}}`],
  ['nested as deep as may be', `{"Account":{},"x":{"y":${'['.repeat(97)}${']'.repeat(97)}}}`],
  ['hostile brackets', '{"Account":'.repeat(50_000)],
  ['numbers that are rounded', '{"Account":{"a":{"ticks":638012345678901234567}}}'],
  ['escaped names', '{"\\u0041ccount":{"\\u005f_proto__":{"a":1}}}'],
])('%s: as deserialize', (_what, text) => {
  expect(inSlices(text)).toBe(whole(text));
});

test('pauses at every entity', () => {
  const entities = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`k${n}`, { n }]));
  const work = documentInSlices(encoder.encode(JSON.stringify({ Account: entities })));
  let pauses = 0;
  while (work.next().done !== true) pauses += 1;
  expect(pauses).toBeGreaterThanOrEqual(200);
});
