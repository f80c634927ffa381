import { describe, expect, test } from 'vitest';
import { otherCopies, ownCopyLines, receiptSums, receiptTitle } from '../../src-renderer/state/signOut.ts';
import { visible } from '../../src-renderer/state/text.ts';
import { ownCopyText } from '../../src-main/sources/own-copy.ts';
import { gate, stage } from './fake/model.ts';
import { fakeTime, settled } from './fake/time.ts';

describe('signing out', () => {
  test('says what will be removed, by main’s own count, and from which apps', async () => {
    const { model } = await stage();
    await model.signOut.one();
    expect(model.dialogs.view.get()).toMatchObject({
      kind: 'sign-out',
      accountIds: ['a001'],
      names: ['Ada Marsh'],
      who: 'Ada Marsh',
      apps: ['Mail Assistant', 'Order Desk'],
      counts: { Account: 2, AccessToken: 4, RefreshToken: 1, IdToken: 1, AppMetadata: 0 },
      working: false,
    });
  });

  test('names the apps of an account that is not shown', async () => {
    const { model } = await stage();
    await model.signOut.one('a002');
    expect(model.dialogs.view.get()).toMatchObject({
      kind: 'sign-out',
      accountIds: ['a002'],
      apps: ['Mail Assistant', 'Azure CLI'],
    });
  });

  test('removes nothing before it is confirmed, nor before it is counted', async () => {
    const slow = gate();
    const { model, bridge, world } = await stage();
    world.delay = (name) => (name === 'removalCount' ? slow.closed : undefined);
    const opened = model.signOut.one();
    await model.signOut.confirm();
    expect(bridge.asked.some(([name]) => name === 'signOut')).toBe(false);
    slow.open();
    await opened;
    await model.signOut.confirm();
    expect(bridge.asked.filter(([name]) => name === 'signOut')).toEqual([
      ['signOut', ['a001'], { vault: true, revoke: true, endSession: false, places: [] }],
    ]);
  });

  test('a count that comes after the dialog was closed opens nothing', async () => {
    const slow = gate();
    const { model, world } = await stage();
    world.delay = (name) => (name === 'removalCount' ? slow.closed : undefined);
    const opened = model.signOut.one();
    model.dialogs.close();
    slow.open();
    await opened;
    expect(model.dialogs.view.get()).toBeNull();
  });

  test('then the receipt, and the next account', async () => {
    const { model } = await stage();
    await model.signOut.one();
    await model.signOut.confirm();
    await settled();
    expect(model.dialogs.view.get()).toMatchObject({
      kind: 'receipt',
      who: 'Ada Marsh',
      report: { receipts: [{ remaining: 0 }] },
    });
    expect(model.selection.view.get().accountId).toBe('a002');
  });

  test('is asked of main once, however often it is confirmed', async () => {
    const slow = gate();
    const { model, bridge, world } = await stage();
    await model.signOut.one();
    world.delay = (name) => (name === 'signOut' ? slow.closed : undefined);
    const first = model.signOut.confirm();
    await model.signOut.confirm();
    slow.open();
    await first;
    expect(bridge.asked.filter(([name]) => name === 'signOut')).toHaveLength(1);
  });

  test('follows what another program removes while the question is open', async () => {
    const { model, bridge, world } = await stage();
    const remove = async (ids: readonly string[]) => {
      world.members = world.members.filter(({ account }) => !ids.includes(account.id));
      bridge.emit('change', null);
      await settled();
    };
    await model.signOut.several(['a001', 'a002', 'a003']);
    const before = model.dialogs.view.get();
    if (before?.kind !== 'sign-out') throw new Error('no dialog');
    const wishes = { ...before.wishes, revoke: false, endSession: true };
    model.signOut.wish(wishes);
    await remove(['a002']);
    const after = model.dialogs.view.get();
    expect(after).toMatchObject({ accountIds: ['a001', 'a003'], who: '2 accounts', inVault: 2, wishes });
    expect(after?.kind === 'sign-out' && after.names).toHaveLength(2);
    const counted = (dialog: typeof after) => (dialog?.kind === 'sign-out' ? dialog.counts?.Account : null);
    expect(counted(after)).toBeLessThan(counted(before) ?? 0);

    await remove(['a001', 'a003']);
    expect(model.dialogs.view.get()).toMatchObject({
      kind: 'failure',
      title: 'Already signed out',
      error: {
        message:
          '2 accounts were removed meanwhile, for example by another program. Nothing is left to remove.',
      },
    });
    model.dialogs.close();
    expect(bridge.asked.some(([name]) => name === 'signOut')).toBe(false);
  });

  test('keeps what the user chose while it counts again, however often another program writes', async () => {
    const { model, bridge, world } = await stage('sources-few');
    const shown = () => {
      const dialog = model.dialogs.view.get();
      if (dialog?.kind !== 'sign-out') throw new Error('no dialog');
      return dialog;
    };
    const write = async () => {
      world.members[0]!.account.tokens.AccessToken += 1;
      world.members = world.members.map((one) => ({ ...one, account: { ...one.account } }));
      bridge.emit('change', null);
      await settled();
    };
    const gates = [gate(), gate(), gate(), gate()];
    const left = [...gates];
    world.delay = (name) => (name === 'removalCount' ? left.shift()?.closed : undefined);
    const open = async (index: number) => {
      gates[index]!.open();
      await settled();
    };

    void model.signOut.one('a001');
    await settled();
    await write(); // while the first count is on its way
    await open(0);
    expect(shown().wishes).toMatchObject({ vault: true, places: ['az', 'page-myaccount-microsoft-com'] });
    const wishes = { ...shown().wishes, vault: false, places: ['page-myaccount-microsoft-com'] };
    model.signOut.wish(wishes);
    await open(1);
    expect(shown().wishes).toEqual(wishes);

    await write();
    await write();
    expect(shown().counts).toBeNull();
    await open(2);
    await open(3);
    expect(shown().counts).not.toBeNull();
    expect(shown().wishes).toEqual(wishes);

    // The next question starts with all places again.
    model.dialogs.close();
    await model.signOut.one('a001');
    expect(shown().wishes).toMatchObject({ vault: true, places: ['az', 'page-myaccount-microsoft-com'] });
  });

  test('all: one question, all receipts', async () => {
    const { model, bridge } = await stage();
    await model.signOut.all();
    expect(model.dialogs.view.get()).toMatchObject({
      accountIds: null,
      names: expect.arrayContaining(['Ada Marsh', 'nightly-report']) as string[],
      counts: { Account: 5, AccessToken: 10 },
    });
    await model.signOut.confirm();
    await settled();
    expect(bridge.asked.filter(([name]) => name === 'signOut')).toHaveLength(1);
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'receipt', who: 'everyone' });
    expect(model.accounts.view.get().shownCount).toBe(0);
  });

  test('all: apps by their names, but none without a user, which asks nobody to sign in', async () => {
    const { model, bridge } = await stage();
    await model.signOut.all();
    const dialog = model.dialogs.view.get();
    // Of an account that is not selected.
    expect(dialog?.kind === 'sign-out' && dialog.apps).toContain('Azure CLI');
    expect(dialog?.kind === 'sign-out' && dialog.apps).not.toContain('nightly-report');
    const asked = bridge.asked.filter(([name]) => name === 'tokens').map(([, id]) => id);
    expect(asked.length).toBeLessThanOrEqual(model.accounts.view.get().byId.size + 1);
  });

  test('several: passes one list of accounts to main in a task, because a long one takes a while', async () => {
    const time = fakeTime();
    const { model, bridge } = await stage('main', {}, time);
    let task = 0;
    const asked: [string, number][] = [];
    time.turn = async () => {
      await new Promise(setImmediate);
      task += 1;
    };
    const push = bridge.asked.push.bind(bridge.asked);
    bridge.asked.push = (...calls) => {
      for (const [name, ids] of calls) if (Array.isArray(ids)) asked.push([name, task]);
      return push(...calls);
    };
    await model.signOut.several(['a001', 'a002']);
    expect(asked.map(([name]) => name).sort()).toEqual([
      'removalCount',
      'signOutCopies',
      'signOutOffers',
      'signOutPlaces',
    ]);
    expect(new Set(asked.map(([, at]) => at)).size).toBe(asked.length);
  });

  test('with nobody there is no dialog', async () => {
    const { model } = await stage('first-run');
    await model.signOut.one();
    await model.signOut.all();
    expect(model.dialogs.view.get()).toBeNull();
  });

  test('one that fails says so, and nobody is said to be signed out', async () => {
    const { model, world } = await stage();
    await model.signOut.one();
    world.failing.set('signOut', { code: 'vault_read_only', message: 'Read-only.' });
    await model.signOut.confirm();
    expect(model.dialogs.view.get()).toMatchObject({
      kind: 'failure',
      title: 'Nothing was signed out',
      error: { message: 'Read-only.' },
    });
  });
});

describe('the file that an account was imported from', () => {
  const copies = [{ program: 'Azure CLI', file: '~/.azure/msal_token_cache.json' }];
  const text =
    'Only Tokenkeep’s copy is removed. Azure CLI keeps its own copy in ~/.azure/msal_token_cache.json.';

  test('is named with its program, or without, and shows what is hidden in its name', () => {
    expect(ownCopyText(copies, visible)).toBe(text);
    expect(ownCopyText([{ program: null, file: '/srv/a\u202eb.json' }], visible)).toBe(
      'Only Tokenkeep’s copy is removed. The program that wrote /srv/a⟨U+202E⟩b.json keeps its own copy.',
    );
  });

  test('is told with the others in one text, which names a few files of each program', () => {
    const files = (program: string | null, ...names: string[]) => names.map((file) => ({ program, file }));
    expect(
      ownCopyText(
        [
          ...files('Azure CLI', 'a', 'b'),
          ...files(null, 'c', 'd', 'e', 'f', 'g'),
          ...files('pac', 'h', 'i', 'j', 'k'),
        ],
        visible,
      ),
    ).toBe(
      'Only Tokenkeep’s copy is removed. Azure CLI keeps its own copies in a and b. ' +
        'The programs that wrote c, d, e and 2 other files keep their own copies. ' +
        'pac keeps its own copies in h, i, j and 1 other file.',
    );
    const report = { copies: files('Azure CLI', 'a', 'b'), places: [], revoked: null };
    expect(ownCopyLines(report).map(({ says }) => says)).toEqual(['Other copies']);
  });

  test('does not stay signed in if the provider has revoked its refresh token', () => {
    const revoked = { count: 1, pending: 0, problem: null };
    const [line] = ownCopyLines({ copies, places: [], revoked });
    expect(line?.value).toBe(
      `${text} A refresh token that the provider has revoked no longer works there either.`,
    );
    expect(ownCopyLines({ copies, places: [], revoked: { ...revoked, count: 0 } })[0]?.value).toBe(text);
  });

  test('is in the question and in the receipt', async () => {
    const { model, world } = await stage();
    world.signIn.copies = copies;
    await model.signOut.one();
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'sign-out', copies });
    expect(ownCopyLines({ copies, places: [], revoked: null }).map(({ value }) => value)).toEqual([text]);
    expect(ownCopyLines({ places: [], revoked: null })).toEqual([]); // from an older version
  });

  test('is not told twice where it has a row of its own', () => {
    expect(otherCopies({ copies, places: [{ file: copies[0]!.file }] })).toEqual([]);
  });
});

describe('the receipt', () => {
  const NOW = Date.UTC(2026, 10, 22, 14, 56, 0) / 1000;
  const receipt = (changes: object = {}) => ({
    account: 'x',
    at: NOW,
    removed: { Account: 1, AccessToken: 2, RefreshToken: 1, IdToken: 1, AppMetadata: 0 },
    remaining: 0,
    ...changes,
  });

  test('adds up what was removed', () => {
    expect(receiptSums([receipt(), receipt()])).toMatchObject({
      removed: { Account: 2, AccessToken: 4 },
      remaining: 0,
    });
  });

  test('an app is not signed out: its tokens are removed', async () => {
    const { model } = await stage();
    await model.signOut.one('a005');
    await model.signOut.confirm();
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'receipt', user: false, who: 'nightly-report' });
    const shown = model.dialogs.view.get();
    expect(shown?.kind === 'receipt' && receiptTitle(shown)).toBe('The tokens of nightly-report are removed');
  });

  test.each([
    [1, 'Ada Marsh', false, 'Ada Marsh is signed out'],
    [3, '3 accounts', false, '3 accounts are signed out'],
    // A user may have chosen such a name.
    [1, '3 accounts', false, '3 accounts is signed out'],
    [1, 'everyone', false, 'everyone is signed out'],
    [1, 'everyone', true, 'Everyone is signed out'],
  ])('%i account, “%s”', (accounts, who, isEveryone, title) => {
    expect(receiptTitle({ user: true, who, isEveryone, accounts })).toBe(title);
  });

  test('counts accounts with the same user name each', async () => {
    const { model } = await stage();
    await model.signOut.several(['a001', 'a002']);
    await model.signOut.confirm();
    const shown = model.dialogs.view.get();
    if (shown?.kind !== 'receipt') throw new Error('There is no receipt.');
    // Main names accounts with the same user name once.
    const named = { ...shown, report: { ...shown.report, names: ['ada@contoso.example'] } };
    expect(receiptTitle(named)).toBe('2 accounts are signed out');
  });

  test('does not hide what remains', () => {
    expect(receiptSums([receipt(), receipt({ remaining: 2 })]).remaining).toBe(2);
  });

  test.each([
    [undefined, null],
    ['destroyed', /^Destroyed/],
    ['pending', /^Pending: destroyed as soon as/],
  ])('old key %s', (oldKey, words) => {
    const said = receiptSums([receipt(oldKey === undefined ? {} : { oldKey })]).oldKey?.value ?? null;
    if (words === null) expect(said).toBeNull();
    else expect(said).toMatch(words);
  });
});
