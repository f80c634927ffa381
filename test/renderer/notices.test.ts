import { describe, expect, test } from 'vitest';
import type { VaultState } from '../../src-main/ipc/contract.ts';
import { notice, recovered } from '../../src-renderer/state/notices.ts';
import { screenOf } from '../../src-renderer/state/pages.ts';
import { keeping, totals } from '../../src-renderer/state/vaultFacts.ts';
import { readyStatus, world } from './fake/worlds.ts';

const NOW = 1_700_000_000;
const info = world('main', () => NOW).info;
const status = (state: VaultState, changes: object = {}) => readyStatus(NOW, { state, ...changes });

describe('every state has a notice: cause, consequence, and what to do first', () => {
  test.each([
    ['locked', 'The keychain is locked', 'retry'],
    ['no-keychain', 'No keychain found', 'retry'],
    ['key-missing', 'The encryption key is missing', 'retry'],
    ['wrong-key', 'The key doesn’t open this file', 'restore'],
    ['newer', 'Written by a newer version', 'show-file'],
    ['read-only', 'Read-only', 'retry'],
    ['busy', 'Another program is using the file', 'retry'],
  ] as const)('%s', (state, title, first) => {
    const said = notice(status(state), info);
    expect(said).toMatchObject({ id: state, title });
    expect(said?.actions[0]).toBe(first);
    expect(said?.text.length).toBeGreaterThan(20);
    expect(said?.consequence.length).toBeGreaterThan(20);
  });

  test('main’s own words take the place of ours: it knows the cause', () => {
    expect(notice(status('no-keychain', { message: 'Install libsecret-1-0.' }), info)?.text).toBe(
      'Install libsecret-1-0.',
    );
  });
});

test('starting fresh is offered only where a file can’t be opened', () => {
  const offers = (state: VaultState) => notice(status(state), info)?.actions.includes('start-fresh');
  expect((['key-missing', 'wrong-key', 'damaged'] as const).map(offers)).toEqual([true, true, true]);
  expect((['locked', 'no-keychain', 'newer', 'read-only', 'busy'] as const).map(offers)).toEqual(
    Array(5).fill(false),
  );
});

test('restoring from an export is offered where the key is missing or wrong, or nothing can be read', () => {
  const offers = (state: VaultState) => notice(status(state), info)?.actions.includes('restore');
  expect((['key-missing', 'wrong-key', 'damaged'] as const).map(offers)).toEqual([true, true, true]);
  expect((['locked', 'newer', 'read-only'] as const).map(offers)).toEqual(Array(3).fill(false));
  const some = status('damaged', { recovered: { accounts: 1, of: 2, lost: [] } });
  expect(notice(some, info)?.actions).not.toContain('restore');
});

test('a keychain that is there, but can’t be used, is not called missing', () => {
  const title = (code: string) => notice(status('no-keychain', { code }), info)?.title;
  expect(title('keychain_library_missing')).toBe('No keychain found');
  for (const code of ['keychain_full', 'keychain_refused', 'keychain_no_collection', 'keychain_failed'])
    expect(title(code)).toBe('The keychain can’t be used');
});

test('every state in which changes are not written says that they are lost', () => {
  const states = [
    'locked',
    'no-keychain',
    'key-missing',
    'wrong-key',
    'damaged',
    'newer',
    'read-only',
    'unreadable',
    'older',
    'copy',
    'busy',
  ] as const;
  for (const state of states)
    expect(notice(status(state), info)?.consequence).toContain('lost when you quit');
});

test('damaged: how many of how many, who is lost; keeping is offered where there is something to keep', () => {
  const some = status('damaged', {
    recovered: { accounts: 3, of: 5, lost: ['Ada', 'Lin', 'Rosa', 'Tomas'] },
  });
  expect(recovered(some)).toBe('3 of 5 accounts recovered');
  expect(notice(some, info)?.consequence).toContain('Lost: Ada, Lin, Rosa and 1 more.');
  expect(notice(some, info)?.actions[0]).toBe('recover');
  const none = status('damaged', { recovered: { accounts: 0, of: null, lost: [] } });
  expect(recovered(none)).toBe('0 accounts recovered');
  expect(notice(none, info)?.actions).not.toContain('recover');
  expect(notice(status('damaged'), info)?.title).toBe('The file is damaged');
});

test('older: keeping is offered where memory holds something, using the file where it opens or is gone', () => {
  const actions = (older: object, changes: object = {}) =>
    notice(status('older', { older, ...changes }), info)?.actions.filter((action) =>
      /mine|compare|file$/.test(action),
    );
  expect(actions({ mine: 3, file: 1 })).toEqual(['keep-mine', 'take-file', 'compare', 'show-file']);
  expect(actions({ mine: null, file: 1 })).toEqual(['take-file', 'show-file']);
  expect(actions({ mine: 3, file: null })).toEqual(['keep-mine', 'compare', 'show-file']);
  expect(actions({ mine: 3, file: null }, { bytes: null })).toEqual([
    'keep-mine',
    'take-file',
    'compare',
    'show-file',
  ]);
});

test('copy: becoming independent is the first action', () => {
  expect(notice(status('copy'), info)?.actions[0]).toBe('make-own');
});

test('what is still in memory is said, and can be kept where its file can be replaced', () => {
  const kept = (state: VaultState) => notice(status(state, { kept: 2 }), info);
  for (const state of ['damaged', 'key-missing', 'wrong-key', 'newer', 'unreadable', 'locked'] as const)
    expect(kept(state)?.consequence).toContain('2 accounts from before are still in memory');
  for (const state of ['damaged', 'key-missing', 'wrong-key'] as const)
    expect(kept(state)?.actions[0]).toBe('keep-mine');
  for (const state of ['newer', 'unreadable', 'locked'] as const)
    expect(kept(state)?.actions).not.toContain('keep-mine');
});

test('waiting comes before locked, a crash before both; neither where all is well', () => {
  const waiting = status('locked', { waiting: true });
  expect(notice(waiting, info)?.id).toBe('waiting');
  expect(notice(waiting, { ...info, keychainCrashed: true })?.id).toBe('crashed');
  expect(notice(status('ready'), { ...info, keychainCrashed: true })).toBeNull();
  expect(notice(status('ready'), info)).toBeNull();
  expect(notice(null, info)).toBeNull();
});

test('ready, but not saved, says how much is at stake', () => {
  expect(notice(status('ready', { held: 'memory', unsaved: 2 }), info)).toMatchObject({
    id: 'not-saved',
    title: '2 changes not saved',
  });
});

describe('the screen that fits', () => {
  const none = { accounts: 0, apps: 0, tokens: 0, notUnderstood: 0 };
  const some = { ...none, accounts: 1, tokens: 4 };
  const error = { code: 'unexpected', message: 'No.' };
  test('nothing known yet', () => expect(screenOf(null, null, null, null).kind).toBe('opening'));
  test('nothing listed yet', () => expect(screenOf(status('ready'), info, null, null).kind).toBe('opening'));
  test('nothing cached', () => expect(screenOf(status('ready'), info, none, null).kind).toBe('first-run'));
  test('a state, and nothing to show', () =>
    expect(screenOf(status('locked'), info, none, null).kind).toBe('notice'));
  test('a state before the list has come', () =>
    expect(screenOf(status('locked'), info, null, null).kind).toBe('notice'));
  test('a state, and accounts in memory', () => {
    expect(screenOf(status('locked'), info, some, null)).toMatchObject({
      kind: 'main',
      notice: { id: 'locked' },
    });
  });
  test('accounts', () =>
    expect(screenOf(status('ready'), info, some, error)).toEqual({ kind: 'main', notice: null }));
  test('apps alone, tokens alone', () => {
    expect(screenOf(status('ready'), info, { ...none, apps: 1 }, null).kind).toBe('main');
    expect(screenOf(status('ready'), info, { ...none, tokens: 1 }, null).kind).toBe('main');
  });
  test('the list failed', () =>
    expect(screenOf(status('ready'), info, null, error)).toEqual({ kind: 'failed', error }));
});

describe('the footer', () => {
  test.each([
    [
      status('ready'),
      false,
      { safe: true, badge: 'Encrypted', key: 'Key in GNOME Keyring', saved: 'Saved just now' },
    ],
    [status('ready', { bytes: null }), false, { safe: null, badge: 'No vault yet', key: null, saved: null }],
    [status('ready'), true, { safe: true, badge: 'Sample data', key: 'Key in memory', saved: null }],
    [
      status('ready', { held: 'memory', unsaved: 1 }),
      false,
      { safe: false, badge: 'Not saved: 1 change in memory', key: null, saved: 'File saved just now' },
    ],
    [
      status('locked', { held: 'memory', savedAt: null }),
      false,
      { safe: false, badge: 'Not saved', key: null, saved: null },
    ],
    [
      status('read-only'),
      false,
      { safe: false, badge: 'Read-only', key: null, saved: 'File saved just now' },
    ],
    [
      status('locked', { waiting: true }),
      false,
      { safe: false, badge: 'Waiting', key: null, saved: 'File saved just now' },
    ],
    [status('damaged'), false, { safe: false, badge: 'Damaged', key: null, saved: 'File saved just now' }],
  ])('%o', (at, demo, said) => expect(keeping(at, demo, NOW)).toEqual(said));

  test('totals', () => {
    expect(totals({ accounts: 5, apps: 1, tokens: 23 }, 61_204)).toBe(
      '5 accounts · 1 app · 23 tokens · 61 kB',
    );
    expect(totals({ accounts: 1, apps: 0, tokens: 1 }, null)).toBe('1 account · 1 token');
    expect(totals({ accounts: 0, apps: 0, tokens: 0 }, 61_204)).toBe('');
  });
});
