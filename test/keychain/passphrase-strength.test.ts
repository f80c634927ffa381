import { describe, expect, test } from 'vitest';
import { assertStrong, guessBits } from '../../src-main/keychain/passphrase-strength.ts';

describe('a passphrase that can be guessed is refused', () => {
  test.each([
    '',
    'short',
    'password1234',
    'Password1234!',
    'P@ssw0rd2024!',
    'Passw0rd!!!!',
    'passwordpassword',
    'drowssapdrowssap',
    'Passwort12345',
    'MotDePasse2024',
    'qwertyuiop12',
    'qwertzuiop123',
    '1qaz2wsx3edc',
    '1q2w3e4r5t6y',
    'asdfghjklasdf',
    'abcdefghijkl',
    'zyxwvutsrqpo',
    '123456789012',
    '098765432109',
    'aaaaaaaaaaaa',
    'aaaabbbbcccc',
    'abcabcabcabc',
    'ababababababababababab',
    'letmein123456',
    'iloveyou1234',
    'Liverpool1892',
    'Sommer2025!!',
    'Administrator1',
    'adminadminadmin',
    'welcome2github',
    '31.12.1999 Anna',
    '19991231-19991231',
    'Michael1985!',
    'Mustermann2024',
    'correct horse battery staple',
    'Correct-Horse-Battery-Staple!',
    'the quick brown fox jumps over the lazy dog',
    'test test test test test test',
    'hello hello hello hello 1234',
    'ｐａｓｓｗｏｒｄ１２３４', // full-width letters count as plain ones
    'pässwörd1234',
    'йцукенгшщзхъ',
    'мойпароль12345',
    'секретныйпароль',
    'яжелюблютебя',
    'Александр1985',
    'ضصثقفغعهخحجد',
    'line\nbreak in it, and long',
    'x'.repeat(2000),
  ])('%j', (passphrase) => {
    expect(() => assertStrong(passphrase)).toThrow(expect.objectContaining({ code: 'passphrase_weak' }));
  });

  test.each([undefined, null, 12, ['orbit velvet canyon mustard ladder']])('no text: %j', (passphrase) => {
    expect(() => assertStrong(passphrase)).toThrow(expect.objectContaining({ code: 'passphrase_weak' }));
  });
});

describe('a passphrase that can’t be guessed is accepted', () => {
  test.each([
    'orbit velvet canyon mustard ladder',
    'orbit-velvet-canyon-mustard',
    'Orbit Velvet Canyon Mustard 7',
    'k7q2m-9xdfa-28rzt-ncv4e-w0hpg',
    'kq2xlmw7tbzr',
    'qzWx7#mK2pLr',
    'v9#Kq2!xLm7$Rt5&Wz',
    'Zug fährt ohne Bremse über Wiesen',
    '十二文字以上の合言葉にする',
    'двадцать зелёных яблок летят',
  ])('%j', (passphrase) => {
    expect(() => assertStrong(passphrase)).not.toThrow();
  });
});

test.each(['ada@contoso.example', 'jsmith@example.org', 'Ada Lovelace 1815', 'lovelace.ada.'])(
  'an account’s own name can be guessed: %s',
  (passphrase) => {
    const names = ['ada@contoso.example', 'jsmith@example.org', 'Ada Lovelace', 'lovelace.ada'];
    expect(() => assertStrong(passphrase, names)).toThrow(
      expect.objectContaining({ code: 'passphrase_weak' }),
    );
  },
);

test('the estimate takes no time worth speaking of, however long the passphrase is', () => {
  const start = performance.now();
  guessBits('aB3$'.repeat(256));
  expect(performance.now() - start).toBeLessThan(10_000);
});
