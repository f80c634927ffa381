import fc from '../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import { DocumentError, InvalidArgumentError, PublicError, VaultError } from '../../src-main/errors.ts';
import type { TokenCacheRequests } from '../../src-main/ipc/contract.ts';
import { plainQuestion } from '../../src-main/ipc/questions.ts';
import { plainError, settle } from '../../src-main/ipc/requests.ts';
import { printable } from '../../src-main/vault/printable.ts';
import { argumentChecks } from '../../src-main/ipc/arguments.ts';
import { cacheOf, hostile, vectorPath } from './vectors.ts';
import { windowOver } from './window.ts';

const W = 'the window';
const names = Object.keys(argumentChecks) as (keyof TokenCacheRequests)[];

it.each(['\\\\evil.example\\share\\a.json', '//evil.example/share/a.json', '\\\\?\\UNC\\evil.example\\a'])(
  'goes to no other computer for a window: %s',
  async (path) => {
    const { ask } = windowOver(cacheOf('{}'));
    await expect(settle(() => ask.planImport(W, path))).resolves.toMatchObject({
      ok: false,
      error: { code: 'document_unreadable', message: expect.stringContaining('another computer') },
    });
  },
);

describe('arguments', () => {
  it.each(names)('%s takes none but its own', (name) => {
    fc.assert(
      fc.property(fc.array(fc.anything(), { maxLength: 4 }), (args) => {
        let checked: readonly unknown[];
        try {
          checked = argumentChecks[name](args);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidArgumentError);
          return;
        }
        expect(checked).toEqual(args);
        const text = (value: unknown) => typeof value === 'string';
        for (const value of checked)
          expect(value === null || text(value) || (Array.isArray(value) && value.every(text))).toBe(true);
      }),
    );
  });

  it.each([
    ['tokens', ['abc_DEF-123456789012']],
    ['claims', ['abc_DEF-123456789012.abcdef-2']],
    ['removalCount', [null]],
    ['search', ['']],
    ['planImport', ['/home/ada/cache.json']],
  ] as const)('%s takes %j', (name, args) => {
    expect(argumentChecks[name](args)).toEqual(args);
  });

  it.each([
    ['tokens', ['../etc']],
    ['tokens', ['']],
    ['tokens', ['a'.repeat(101)]],
    ['tokens', [null]],
    ['tokens', [['a']]],
    ['tokens', [{ toString: (): string => 'a' }]],
    ['tokens', ['a', 'b']],
    ['search', ['a'.repeat(1001)]],
    ['planImport', ['/etc/passwd\0.json']],
    ['planImport', ['']],
    ['status', [undefined]],
  ] as const)('%s does not take %j, and does not repeat it', (name, args) => {
    expect(() => argumentChecks[name](args)).toThrow(InvalidArgumentError);
    expect(() => argumentChecks[name](args)).toThrow(
      /^The request was sent with arguments|takes no arguments/,
    );
  });
});

describe('errors', () => {
  it('cross as they are where they are ours', async () => {
    const error = new VaultError('vault_locked', 'The keychain is locked.', { cause: new Error('inner') });
    expect(await settle(() => Promise.reject(error))).toEqual({
      ok: false,
      error: { code: 'vault_locked', message: 'The keychain is locked.' },
    });
    expect(plainError(new PublicError('own', 'Own.'))).toEqual({ code: 'own', message: 'Own.' });
  });

  it('cross without a word of theirs where they are not', async () => {
    const seen: unknown[] = [];
    const error = new TypeError('can’t read "eyJhbGciOi"');
    const outcome = await settle(
      () => {
        throw error;
      },
      (unexpected) => void seen.push(unexpected),
    );
    expect(outcome).toMatchObject({ ok: false, error: { code: 'unexpected' } });
    expect(JSON.stringify(outcome)).not.toMatch(/eyJ|TypeError|hostile\.test/);
    expect(seen).toEqual([error]);
  });
});

describe('hostile documents', () => {
  /** MSAL libraries read it and drop one of two entries. An import drops nothing without a word. */
  const ambiguous = 'duplicate-keys.json';

  it('that name a field twice are refused, and the reason is said', async () => {
    const window = windowOver(cacheOf('{}'));
    await expect(window.planOf(vectorPath('hostile', ambiguous))).rejects.toMatchObject({
      code: 'document_not_a_cache',
      message: expect.stringContaining(
        `“${ambiguous}” has two fields of the same name, of which only one could be kept.`,
      ),
    });
  });

  it.each(hostile.filter(({ error }) => error !== undefined))(
    '$file ($note) is refused in a sentence',
    async ({ file, error }) => {
      const window = windowOver(cacheOf('{}'));
      const failure: unknown = await Promise.resolve(window.planOf(vectorPath('hostile', file))).catch(
        (thrown: unknown) => thrown,
      );
      expect(failure).toBeInstanceOf(DocumentError);
      expect(failure).toMatchObject({ code: error });
      expect((failure as Error).message).toMatch(new RegExp(`^“${file}” .*\\.$`));
      expect((await window.ask.accounts(W)).totals).toEqual({
        accounts: 0,
        apps: 0,
        tokens: 0,
        notUnderstood: 0,
      });
    },
  );

  it.each(
    hostile.filter(
      ({ file, error }) => error === undefined && !['empty-file.json', ambiguous].includes(file),
    ),
  )('$file ($note) does no harm', async ({ file }) => {
    const window = windowOver(cacheOf('{}'));
    const plan = await window.planOf(vectorPath('hostile', file));
    await window.ask.confirmImport(W, plan.id);
    const { accounts } = await window.ask.accounts(W);
    for (const { id } of accounts) {
      for (const token of await window.ask.tokens(W, id)) await window.ask.claims(W, token.id);
      await window.ask.removalCount(W, [id]);
    }
    await window.ask.search(W, 'script __proto__');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
    // The answer must survive being cloned on its way to the window.
    expect(structuredClone(accounts)).toEqual(accounts);
  });

  it('leave markup as the text that it is', async () => {
    const window = windowOver(cacheOf('{}'));
    const plan = await window.planOf(vectorPath('hostile', 'markup-in-names.json'));
    expect(plan.accounts.names.join(' ')).toMatch(/[<>]/);
  });
});

describe('printable', () => {
  it.each([
    ['plain', 'plain'],
    ['a\nb\u2028c', 'a\ufffdb\ufffdc'],
    ['\u202eevil', '\ufffdevil'],
    ['zero\u200bwidth', 'zero\ufffdwidth'],
    ['  padded  ', 'padded'],
    ['abcdefghijk', 'abcdefghi…'],
    ['👩‍🚀', '👩‍🚀'],
    ['می\u200cنا', 'می\u200cنا'],
    ['ada\u200d@x', 'ada\ufffd@x'],
    ['\u200dada', '\ufffdada'],
  ])('%j → %j', (text, expected) => {
    expect(printable(text, 10)).toBe(expected);
  });
});

it('a dialog shows no character that turns its text or hides in it, and a message of one line', () => {
  const hostile = 'ada\u202emoc.live\u0000\u200b\u2029';
  expect(
    plainQuestion({ message: `Refresh\n${hostile}?`, detail: `One ${hostile}\n\nTwo`, yes: 'Refresh' }),
  ).toEqual({
    message: 'Refresh\ufffdada\ufffdmoc.live\ufffd\ufffd\ufffd?',
    detail: 'One ada\ufffdmoc.live\ufffd\ufffd\ufffd\n\nTwo',
    yes: 'Refresh',
  });
});
