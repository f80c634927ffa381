// Documents that would block the program while they are parsed: refused on their text.
import { describe, expect, test } from 'vitest';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';

const times = (count: number, part: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => part(index)).join(',');

const reading = (text: string) => () => new SerializableTokenCache().deserialize(text);

describe('a document is refused', () => {
  test.each([
    ['five million opening brackets', '['.repeat(5_000_000), 'nested more than 100 levels deep'],
    [
      'objects in objects',
      `{"Account":${'{"a":'.repeat(101)}1${'}'.repeat(102)}`,
      'nested more than 100 levels deep',
    ],
    [
      'depth behind a text with brackets',
      `{"Account":"]]]","b":${'['.repeat(100)}${']'.repeat(100)}}`,
      'nested more than',
    ],
    [
      'depth behind an escaped quotation mark',
      `{"Account":"\\\\","b":${'['.repeat(100)}`,
      'nested more than',
    ],
    ['a number beyond all numbers', '{"Account":{"a":{"n":1e999}}}', 'a number that is too large'],
    ['its negative', '{"Account":{"a":{"n":-1e999}}}', 'a number that is too large'],
  ])('%s', (_what, text, why) => {
    expect(reading(text)).toThrow(
      expect.objectContaining({ code: 'document_not_a_cache', message: expect.stringContaining(why) }),
    );
  });

  test.each([
    ['unknown roots', `{"Account":{},${times(300_000, (n) => `"r${n}":1`)}}`, 'more than 300000 entries'],
    ['entries', `{"Account":{${times(300_001, (n) => `"${n}":1`)}}}`, 'more than 300000 entries'],
    ['values', `{"Account":{"a":[${'0,'.repeat(10_000_000)}0]}}`, 'more than 10000000 values'],
  ])('too many %s: as too large', (_what, text, why) => {
    expect(reading(text)).toThrow(
      expect.objectContaining({ code: 'document_too_large', message: expect.stringContaining(why) }),
    );
  });

  test.each([
    ['cut off in a string', '{"Account":{"a":"b'],
    ['cut off behind a backslash', '{"Account":{"a":"\\'],
    ['closed more often than opened', '}'.repeat(200)],
    ['NaN', '{"Account":{"a":{"n":NaN}}}'],
  ])('%s: as no JSON', (_what, text) => {
    expect(reading(text)).toThrow(expect.objectContaining({ code: 'document_not_json' }));
  });
});

describe('a document is read', () => {
  test.each([
    ['brackets in strings', { a: { secret: '['.repeat(10_000) } }],
    ['quotation marks and backslashes in strings', { a: { secret: '\\"[{'.repeat(10_000), '\\': '["{' } }],
    ['as deep as allowed', { a: JSON.parse(`${'['.repeat(98)}${']'.repeat(98)}`) as unknown }],
    ['lone surrogates', { a: { secret: '\ud800', '\udfff': 'x' } }],
    ['a byte order mark within', { '\ufeffa': { secret: '\ufeff' } }],
  ])('%s', (_what, entries) => {
    const cache = new SerializableTokenCache();
    const text = JSON.stringify({ Account: entries });
    cache.deserialize(text);
    expect(JSON.parse(cache.serialize())).toEqual(JSON.parse(text));
  });
});
