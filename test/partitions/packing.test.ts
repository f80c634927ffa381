import { expect, it } from 'vitest';
import { apart, pack, unpack } from '../../src-main/partitions/packing.ts';

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = `${part({ alg: 'RS256' })}.${part({ sub: 'noor' })}.${'Ab-_'.repeat(20)}`;

/** Values of entries whose secret, or what looks like it, is where it could be taken for another. */
const VALUES: readonly unknown[] = [
  { secret: 'opaque', target: 'a b' },
  { target: 'a b', secret: `1.${'Ab-_'.repeat(30)}.x` },
  { secret: jwt },
  { secret: `${jwt}A` }, // A character that encodes no whole byte.
  { secret: `${jwt}AB` }, // Bits of the last character that no byte has.
  { secret: `${jwt}AAB` },
  { secret: `${jwt}AQ` },
  { secret: `${jwt}AAk` },
  { secret: '' },
  { secret: 'not "quoted" \\ or é 🦊 \n\u2028' },
  { secret: '\u0001' },
  { ext: { secret: '\u0001' }, secret: 'own' },
  { secret: 'own', ext: { secret: 'inner', more: [{ secret: jwt }] } },
  { 'not a "secret': '\u0001', secret: 'own' },
  { secret: 'half a pair \ud800' },
  { secret: 5 },
  { secret: null },
  'no object',
  ['an array'],
];

function written(json: (value: unknown) => string): string {
  return `{"AccessToken":{${VALUES.map((value, index) => `"${index}":${json(value)}`).join(',')}}}`;
}

it('packs secrets that were taken out of the document as it packs those in it, and restores the document', () => {
  const full = written(JSON.stringify);
  const secrets: string[] = [];
  const document = written((value) => apart(value, secrets));
  expect(secrets).toContain(jwt);
  expect(document).not.toContain('opaque');
  const packed = pack(document, secrets);
  expect(unpack(packed)).toBe(full);
  expect(packed.equals(pack(full))).toBe(true);
});

it('keeps a number that JSON.parse would round in place, since it is not text in the document', () => {
  const secrets: string[] = [];
  expect(apart({ secret: '\ue000number:12345678901234567890' }, secrets)).toContain('number:');
  expect(secrets).toEqual([]);
});
