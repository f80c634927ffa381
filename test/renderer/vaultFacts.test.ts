import { describe, expect, test } from 'vitest';
import {
  fileFacts,
  findings,
  keyFacts,
  protection,
  statusBanner,
  versionRows,
} from '../../src-renderer/state/vaultFacts.ts';
import { timed } from '../../src-renderer/state/time.ts';
import { named } from '../../src-renderer/state/words.ts';
import { readyStatus, REPORT } from './fake/worlds.ts';

const NOW = 1_780_000_000;
const said = (facts: readonly { name: string; value: string; says: string }[]) =>
  facts.map(({ name, value, says }) => [name, value, says].filter(Boolean).join(': '));

describe('how things stand', () => {
  test.each([
    ['ready', readyStatus(NOW), 'ok', 'Encrypted on this computer'],
    ['before the first save', readyStatus(NOW, { bytes: null }), 'plain', 'No vault yet'],
    ['an old key left', readyStatus(NOW, { oldKey: 'pending' }), 'warn', 'An old key is not destroyed yet'],
    [
      'writable for others',
      readyStatus(NOW, { warnings: ['folder_writable'] }),
      'warn',
      'Other users can write here',
    ],
  ])('%s', (_what, status, tone, title) => {
    expect(statusBanner(status, false)).toMatchObject({ tone, title });
  });

  test('a sign-out that is noted nowhere else is said until the keychain is available', () => {
    const pending = readyStatus(NOW, { oldKey: 'pending' });
    expect(statusBanner(pending, false).text).not.toContain('.mark');
    const { text } = statusBanner({ ...pending, warnings: ['sign_out_unrecorded'] }, false);
    expect(text).toContain(`could not be noted in “${pending.file}.mark”`);
    const writable = statusBanner({ ...pending, warnings: ['file_writable'] }, false);
    expect(writable.text).toContain('Allow writing for yourself only');
  });

  test('the demo is not presented as a real vault', () => {
    expect(statusBanner(readyStatus(NOW), true).text).toContain('deleted when you leave');
  });
});

describe('the versions of an older file', () => {
  const none = { accounts: 0, names: [] };
  const older = {
    mine: 3,
    file: 2,
    fileSavedAt: NOW - 7200,
    onlyMine: { accounts: 2, names: ['ada', 'lin'] },
    onlyFile: { accounts: 1, names: ['noa'] },
  };
  const rows = (changes: object = {}, status: object = {}) =>
    Object.fromEntries(
      (
        versionRows(
          readyStatus(NOW, {
            state: 'older',
            savedAt: NOW - 60,
            older: { ...older, ...changes },
            ...status,
          }),
          NOW,
        ) ?? []
      ).map(({ name, mine, file }) => [name, [mine, file]]),
    );

  test('when each was saved, how many accounts it has, and who is only there', () => {
    expect(rows()).toMatchObject({ Accounts: ['3', '2'], 'Only here': ['ada and lin', 'noa'] });
    expect(rows()['Saved']?.every((when) => when.startsWith('Today'))).toBe(true);
    expect(rows()['In both']).toEqual(['With the latest tokens', 'Tokens may be missing or older']);
    expect(rows({ onlyMine: none })['Only here']).toEqual(['None', 'noa']);
    const many = { accounts: 10_000, names: Array.from({ length: 20 }, (_, index) => `u${index}`) };
    expect(rows({ onlyMine: many })['Only here']?.[0]).toBe('u0, u1, u2, u3, u4, u5 and 9,994 more');
  });

  test('a date of the file that is too late is not taken for the time of its version', () => {
    expect(rows({ fileSavedAt: NOW - 30 })['Saved']?.[1]).toMatch(/^Not known: put in place today/);
  });

  test('a file that was not opened or is gone says so, and what choosing it does', () => {
    const closed = rows({ file: null, onlyMine: none, onlyFile: none });
    expect(closed['Accounts']).toEqual(['3', 'Not known: the file was not opened']);
    expect(closed['What happens']?.[1]).toBe('Can’t be chosen here: the message above says why.');
    expect(closed['Only here']).toBeUndefined();
    const gone = rows({ file: null, fileSavedAt: null }, { bytes: null });
    expect(gone['Saved']?.[1]).toBe('The file is gone');
    expect(gone['What happens']?.[1]).toContain('empty vault');
  });

  test('there is nothing to compare if memory holds nothing newer', () => {
    expect(rows({ mine: null })).toEqual({});
    expect(versionRows(readyStatus(NOW), NOW)).toBeNull();
  });
});

test.each([
  ['Secret Service', 'the Secret Service'],
  ['GNOME Keyring', 'GNOME Keyring'],
  ['macOS Keychain', 'macOS Keychain'],
  ['Windows Credential Manager', 'Windows Credential Manager'],
  ['your keychain', 'your keychain'],
  ['keychain', 'the keychain'],
])('%s in a sentence: %s', (label, words) => {
  expect(named(label)).toBe(words);
});

test('the file: size, reclaimable share, last save', () => {
  expect(said(fileFacts(readyStatus(NOW), NOW))).toEqual([
    'Size: 61 kB: 6% reclaimable',
    expect.stringMatching(/^Last saved: Just now: /),
  ]);
  expect(said(fileFacts(readyStatus(NOW, { live: 1 }), NOW))[0]).toBe('Size: 61 kB: nothing to reclaim');
  expect(said(fileFacts(readyStatus(NOW, { bytes: null, savedAt: null }), NOW))).toEqual([
    'Last saved: Not yet',
  ]);
  const deleted = readyStatus(NOW, { bytes: null, savedAt: NOW - 5 });
  expect(said(fileFacts(deleted, NOW))).toEqual(['Last saved: Not yet']);
  const held = readyStatus(NOW, { held: 'memory', unsaved: 2 });
  expect(said(fileFacts(held, NOW))[1]).toBe('Last saved: Just now: 2 changes since, in memory only');
});

test('the age of the key grows without another status', () => {
  const status = readyStatus(NOW, { key: { slot: 'a', madeAt: NOW - 3 } });
  const age = (now: number) => timed((at) => keyFacts(status, false, at).at(-1)?.value, now);
  expect(age(NOW)).toEqual({ value: '3 s', until: NOW + 1 });
  expect(age(NOW + 1).value).toBe('4 s');
  expect(age(NOW - 9).value).toBe('0 s'); // a clock that was turned back
});

test('the key: where, in which slot, since when', () => {
  expect(said(keyFacts(readyStatus(NOW), false, NOW))).toEqual([
    'Stored in: GNOME Keyring',
    'Slot: a: slot b is empty, for the next key',
    expect.stringMatching(/^Age: 3 days: made /),
  ]);
  expect(said(keyFacts(readyStatus(NOW, { state: 'locked' }), false, NOW))).toEqual([
    'Stored in: GNOME Keyring',
  ]);
  const old = readyStatus(NOW, { oldKey: 'pending', key: { slot: 'b', madeAt: null } });
  expect(said(keyFacts(old, false, NOW)).slice(1)).toEqual([
    'Slot: b: the old key is still in slot a',
    'Age: Not known',
  ]);
  expect(said(keyFacts(readyStatus(NOW), true, NOW))[0]).toBe('Stored in: memory: demo only');
});

describe('what a verification found', () => {
  test('nothing wrong', () => {
    const { sound, title, rows } = findings(REPORT);
    expect([sound, title]).toEqual([true, 'File verified: complete and unchanged']);
    expect(findings(REPORT, true).title).toBe('File verified before its last change');
    expect(said(rows)).toEqual([
      'Header: 2 of 2: both copies intact',
      'Base frames: 9 of 9 frames: authentic',
      'Appended frames: 4 frames: authentic, to the last byte',
      'Tokens: 24: decrypted and authentic, in 41 entries of 8 accounts',
    ]);
  });

  test('damage, and who is lost', () => {
    const { sound, title, rows } = findings({
      ...REPORT,
      sound: false,
      state: 'damaged',
      regions: { headers: 1, base: { intact: 7, of: 9 }, appended: 2, after: 1_200 },
      recovered: { accounts: 6, of: 8, lost: ['Noor Haddad', 'Emil Lund'] },
    });
    expect([sound, title]).toEqual([false, 'Damaged: parts of the file were changed or lost']);
    expect(said(rows)).toEqual([
      'Header: 1 of 2: one copy is damaged; the other is used',
      'Base frames: 7 of 9 frames: the others were changed or lost',
      'Appended frames: 2 frames: then 1 kB that can’t be read',
      'Tokens: 24: decrypted and authentic, in 41 entries of 8 accounts',
      'Lost: 2: Noor Haddad and Emil Lund',
    ]);
  });

  test.each([
    ['older', 'Not verified: the file lacks parts of the last one seen'],
    ['copy', 'Not verified: the file is a copy of another vault'],
    ['busy', 'Not verified: another program is writing to the file'],
  ] as const)('a file that is whole, but %s, is not called damaged', (state, title) => {
    const regions = { headers: 2, base: { intact: 9, of: 9 }, appended: 4, after: 0 };
    expect(findings({ ...REPORT, sound: false, state, regions }).title).toBe(title);
  });

  test('a write that was cut short is no damage', () => {
    const regions = { headers: 2, base: { intact: 9, of: 9 }, appended: 4, after: 300 };
    expect(said(findings({ ...REPORT, regions }).rows)[2]).toContain('never acknowledged');
  });

  test.each([
    ['locked', 'the keychain is not available'],
    ['key-missing', 'no key opens the file'],
    ['newer', 'a newer version'],
    ['damaged', 'Damaged: nothing in the file can be read'],
    ['unreadable', 'can’t be read'],
  ] as const)('nothing, where it is %s', (state, words) => {
    const { regions: _none, ...report } = REPORT;
    const found = findings({ ...report, sound: false, state, entries: 0, secrets: 0, accounts: 0 });
    expect(found.title).toContain(words);
    expect(found.rows).toEqual([]);
  });
});

test('who is not kept out differs where the system asks', () => {
  const open = (platform: 'darwin' | 'linux', demo = false) =>
    JSON.stringify(protection(readyStatus(NOW), { platform, demo }).open);
  expect(open('darwin')).toContain('macOS prompts');
  expect(open('linux')).not.toContain('macOS');
  expect(open('linux')).toContain('GNOME Keyring');
  expect(open('linux', true)).not.toContain('GNOME Keyring');
});
