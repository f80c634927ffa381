import { describe, expect, test } from 'vitest';
import type { SignatureResult } from '../../app/contract.ts';
import { problemsOf, readToken } from '../../src-renderer/state/inspect.ts';
import { signatureSays } from '../../src-renderer/state/signatureCheck.ts';
import { stage } from './fake/model.ts';

const NOW = Date.UTC(2026, 10, 26, 14, 7, 16) / 1000;
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const TOKEN = `${part({ alg: 'RS256' })}.${part({ iss: 'https://id.example/', aud: 'a', exp: NOW + 60 })}.c2ln`;
const result = (name: 'valid' | 'invalid' | 'key-not-found'): SignatureResult => ({
  result: name,
  key_id: 'k\u202E1',
  algorithm: 'RS256',
  keysFrom: 'https://id.example/keys',
  at: NOW,
});

describe('the result of a check is told', () => {
  test('with its key, where it comes from, and when', () => {
    expect(signatureSays(result('valid'), NOW, 'UTC')).toEqual({
      tone: 'good',
      title: 'Signature valid',
      text: '',
      facts: [
        { name: 'Key', value: 'k⟨U+202E⟩1' },
        { name: 'Algorithm', value: 'RS256' },
        { name: 'Keys from', value: 'id.example/keys' },
        { name: 'Checked', value: 'today 14:07:16' },
      ],
    });
    expect(signatureSays(result('invalid'), NOW, 'UTC')).toMatchObject({
      tone: 'bad',
      title: 'Signature not valid',
    });
    expect(signatureSays(result('key-not-found'), NOW, 'UTC')).toMatchObject({
      tone: 'warn',
      title: 'Key not found',
    });
    expect(signatureSays({ result: 'uncheckable', why: 'graph' }, NOW, 'UTC').text).toBe(
      'Graph’s access tokens can’t be checked by others.',
    );
  });

  test('above the claims: a forged token comes before everything else', () => {
    const titles = (signature: SignatureResult | null) =>
      problemsOf(readToken(TOKEN), NOW, 'UTC', signature).map(({ tone, title }) => `${tone}: ${title}`);
    expect(titles(null).at(-1)).toBe('plain: Signature not checked.');
    expect(titles(result('valid')).at(-1)).toBe('plain: The signature is valid.');
    expect(titles(result('invalid'))[0]).toBe('bad: The signature is not valid.');
    expect(titles(result('key-not-found')).at(-1)).toBe('warn: Signature not checked.');
  });
});

describe('a check', () => {
  test('is of one token, and is forgotten when the page is left', async () => {
    const { model, world, bridge } = await stage();
    world.signIn.signature = result('valid');
    model.pages.show('inspect');
    await model.signatures.check({ text: TOKEN });
    expect(bridge.asked.at(-1)).toEqual(['checkSignature', { text: TOKEN }]);
    expect(model.signatures.view.get()).toEqual({
      of: TOKEN,
      mark: null,
      checking: false,
      result: result('valid'),
    });
    model.pages.show('accounts');
    expect(model.signatures.view.get()).toEqual({ of: null, mark: null, checking: false, result: null });
  });

  test('that the user declines leaves the last result', async () => {
    const { model, world } = await stage();
    world.signIn.signature = result('invalid');
    await model.signatures.check({ tokenId: 'a.b' });
    world.signIn.signature = null;
    await model.signatures.check({ tokenId: 'a.b' });
    expect(model.signatures.view.get().result).toEqual(result('invalid'));
    await model.signatures.check({ tokenId: 'c.d' });
    expect(model.signatures.view.get().result).toBeNull();
  });

  test('that fails says why', async () => {
    const { model, world } = await stage();
    world.failing.set('checkSignature', {
      code: 'provider_unreachable',
      message: 'id.example did not answer.',
    });
    await model.signatures.check({ text: TOKEN });
    expect(model.signatures.view.get().result).toBeNull();
    expect(model.dialogs.view.get()).toMatchObject({
      kind: 'failure',
      title: 'The signature could not be checked',
    });
  });
});
