import fc from '../support/fast-check.ts';
import { describe, expect, test } from 'vitest';
import { decodeBase64url, decodeObject, readToken, stringClaim } from '../../src-main/cache/schema/claims.ts';
import { base64url, jwt } from './events.ts';

describe('reading tokens', () => {
  test('a JWT', () => {
    expect(readToken(jwt({ sub: 'é' }))).toEqual({
      format: 'jwt',
      header: { alg: 'none', typ: 'JWT' },
      payload: { sub: 'é' },
    });
  });

  test('a JWE: its header alone', () => {
    expect(readToken(`${base64url({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.a.b.c.d`)).toEqual({
      format: 'jwe',
      header: { alg: 'RSA-OAEP', enc: 'A256GCM' },
    });
  });

  test.each([
    '',
    'opaque',
    'a.b.c',
    '..',
    `${base64url({})}.${base64url([1])}.x`, // the payload is not an object
    `${base64url({})}.${base64url('{"sub":"a","sub":"b"}')}.x`, // duplicate claims: other programs may read the other user
    `${base64url({})}.${base64url('{"sub":"a","s\\u0075b":"b"}')}.x`,
    `${base64url({})}.${base64url({})}`, // two parts
    `${base64url({})}.a.b.c.d`, // five, but no `enc`
    `${base64url({})}.${base64url({})}.x.y`,
    `${base64url({})}.${base64url('{"a":'.repeat(5000) + '1' + '}'.repeat(5000))}.x`,
    `${base64url({})}.${Buffer.from('{"a":"\xff"}', 'latin1').toString('base64url')}.x`, // not UTF-8
  ])('%j is opaque', (token) => {
    expect(readToken(token)).toBe(undefined);
  });

  test('any text is either read or opaque, and none throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.base64String(), { maxLength: 6 }).map((parts) => parts.join('.')),
        ),
        (text) => {
          readToken(text);
        },
      ),
    );
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        (text) => text === '' || decodeBase64url(base64url(text)) === Buffer.from(text).toString(),
      ),
    );
  });

  test('names that mean something to JavaScript are claims like others', () => {
    const read = decodeObject(base64url('{"__proto__":"x","constructor":"y"}'));
    expect(stringClaim(read, '__proto__')).toBe('x');
    expect(stringClaim(read, 'constructor')).toBe('y');
    expect(stringClaim(read, 'toString')).toBe(undefined);
    expect(Object.isFrozen(read)).toBe(true);
  });
});
