import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactJson, isSameJsonText, membersIn } from '../../src-main/cache/json.ts';

describe('exactJson', () => {
  it.each([
    ['{"uid":1234567890123456789}', '{"uid":1234567890123456789}'],
    ['[1e400, -1e400, 1e-400]', '[1e400,-1e400,1e-400]'],
    ['[0.1000000000000000055, 1.50, -0, 0e9, 1E3]', '[0.1000000000000000055,1.5,0,0,1000]'],
    [' { "b" : 1 , "7" : 2 } ', '{"b":1,"7":2}'],
    ['{"__proto__":[ ],"a":{ }}', '{"__proto__":[],"a":{}}'],
    ['"\\u0041\\/\\ud800"', '"A/\\ud800"'],
  ])('of %s keeps digits and order', (text, exact) => {
    expect(exactJson(text)).toBe(exact);
  });

  it('formats as JSON.stringify does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
        expect(exactJson(JSON.stringify(value, null, 3), indent)).toBe(JSON.stringify(value, null, indent));
      }),
    );
  });

  it('reads text that nests deeper than the stack', () => {
    const deep = `${'['.repeat(100_000)}1${']'.repeat(100_000)}`;
    expect(exactJson(deep)).toBe(deep);
    expect(exactJson(deep, 2)).toBe(deep);
  });

  it('reads a long string full of escapes', () => {
    const text = JSON.stringify('"\\'.repeat(300_000));
    expect(exactJson(text)).toBe(text);
  });
});

describe('membersIn', () => {
  it('has each member in its order, whatever its name', () => {
    expect(membersIn('{ "a:,}" : "b:,}" , "7" : [ {"x":1} , 2 ], "__proto__": {} }')).toEqual([
      { name: 'a:,}', json: '"b:,}"' },
      { name: '7', json: '[{"x":1},2]' },
      { name: '__proto__', json: '{}' },
    ]);
  });

  it('agrees with JSON.parse', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const members = Object.entries(value).map(([name, held]) => ({ name, json: JSON.stringify(held) }));
        expect(membersIn(JSON.stringify(value, null, 1))).toEqual(members);
      }),
    );
  });

  it.each(['{}', '[]', '[{"a":1}]', '"{"', '1', ''])('has none in %s', (text) => {
    expect(membersIn(text)).toEqual([]);
  });
});

describe('isSameJsonText', () => {
  it.each([
    ['{"a":1,"b":[1,2]}', '{ "b":[1.0,2e0], "a":1 }'],
    ['"A"', '"\\u0041"'],
    ['{"__proto__":1,"a":2}', '{"a":2,"__proto__":1}'],
  ])('%s and %s are the same', (a, b) => expect(isSameJsonText(a, b)).toBe(true));

  it.each([
    ['1234567890123456789', '1234567890123456700'],
    ['1e400', '1e500'],
    ['[1,2]', '[2,1]'],
    ['1', '"1"'],
    ['"s"', '"ss"'],
    ['{"a":1}', '{"sa":1}'],
    ['{"__proto__":1}', '{}'],
    ['null', '"null"'],
  ])('%s and %s are not', (a, b) => expect(isSameJsonText(a, b)).toBe(false));
});
