import { describe, expect, test } from 'vitest';
import { signInChecks } from '../../app/sign-in/arguments.ts';
import { signInAgainText } from '../../src-renderer/state/accountStatus.ts';
import { refreshable, refreshStatusText } from '../../src-renderer/state/refreshStatus.ts';
import { providerResultLines } from '../../src-renderer/state/signOut.ts';
import { draftOf, fieldsOf, placeOf, withKind } from '../../src-renderer/state/profileDraft.ts';
import { gate, type Stage, stage } from './fake/model.ts';
import { PROFILE, signInWorld } from './fake/sign-in.ts';
import { fakeTime, settled } from './fake/time.ts';

const within = (changes = {}) => stage('main', { signIn: signInWorld({ profiles: [PROFILE], ...changes }) });

describe('signing in', () => {
  test('without a profile begins with making one', async () => {
    const { model } = await stage();
    model.signIn.open();
    expect(model.dialogs.view.get()).toEqual({ kind: 'profile', profile: null });
  });

  test('shows each step, and closes by itself when it is done', async () => {
    const { model, bridge, world } = await within();
    model.signIn.open();
    await model.signIn.begin('p1', 'browser');
    expect(model.dialogs.view.get()).toEqual({ kind: 'signing-in' });
    expect(model.signIn.view.get().progress.step).toBe('starting');
    const { account } = world.members[1]!;
    bridge.emit(
      'signIn' as never,
      {
        step: 'done',
        profile: PROFILE,
        accountId: account.id,
      } as never,
    );
    await settled();
    expect(model.dialogs.view.get()).toBeNull();
    expect(model.selection.view.get().accountId).toBe(account.id);
    expect(model.toasts.view.get().at(-1)?.text).toMatch(/is signed in\.$/);
  });

  test('is ended by closing the dialog', async () => {
    const { model, bridge } = await within();
    await model.signIn.begin('p1', 'device');
    model.signIn.cancel();
    await settled();
    expect(bridge.asked.at(-1)).toEqual(['cancelSignIn']);
    expect(model.dialogs.view.get()).toBeNull();
  });

  test('goes on where it was when the window is loaded anew', async () => {
    const { model } = await within({ progress: { step: 'browser', profile: PROFILE } });
    await settled();
    expect(model.dialogs.view.get()).toEqual({ kind: 'signing-in' });
  });

  const failed = {
    step: 'failed' as const,
    profile: PROFILE,
    way: 'device' as const,
    error: { code: 'provider_unreachable', message: 'id.example.org did not answer.' },
  };
  const asked = (bridge: { asked: readonly unknown[][] }, name: string) =>
    bridge.asked.filter(([one]) => one === name);

  test('is tried again after it failed, with the same account, and in a window that was loaded since', async () => {
    const { model, bridge } = await within({ progress: failed });
    await settled();
    expect(model.dialogs.view.get()).toEqual({ kind: 'signing-in' });
    await model.signIn.retry();
    expect(asked(bridge, 'signIn')).toEqual([['signIn', 'p1', 'device', null]]);
    await model.signIn.begin('p1', 'device', 'rosa@example.org');
    bridge.emit('signIn' as never, failed as never);
    await model.signIn.retry();
    expect(asked(bridge, 'signIn').slice(2)).toEqual([['signIn', 'p1', 'device', 'rosa@example.org']]);
  });

  test.each([
    ['the profile is edited', ({ model }: Stage) => model.signIn.edit(PROFILE)],
    ['another dialog takes its place', ({ model }: Stage) => model.dialogs.open({ kind: 'about' })],
    ['it is closed', ({ model }: Stage) => model.dialogs.close()],
  ])(
    'that failed is over once %s: main does not keep the failure for the next window',
    async (_how, leave) => {
      const staged = await within({ progress: failed });
      await settled();
      leave(staged);
      await settled();
      expect(asked(staged.bridge, 'cancelSignIn')).toHaveLength(1);
      expect(staged.model.signIn.view.get().progress).toEqual({ step: 'none' });
      staged.model.dialogs.close();
      await staged.model.signIn.load();
      await settled();
      expect(staged.model.dialogs.view.get()).toBeNull();
    },
  );

  test('says in the editor what is wrong with a profile', async () => {
    const { model, world } = await stage();
    world.failing.set('saveProfile', { code: 'invalid_argument', message: 'The scopes are wrong.' });
    expect(await model.signIn.save(draftOf(fieldsOf(PROFILE)), null)).toBe('The scopes are wrong.');
  });
});

describe('keeping fresh', () => {
  test('refreshes the account that is looked at, once at a time', async () => {
    const slow = gate();
    const { model, bridge, world } = await within();
    world.delay = (name) => (name === 'refreshNow' ? slow.closed : undefined);
    const first = model.refreshStatus.refresh(null);
    await model.refreshStatus.refresh(null);
    expect(model.refreshStatus.view.get().refreshing).toBe(true);
    slow.open();
    await first;
    const asked = bridge.asked.filter(([name]) => name === 'refreshNow');
    expect(asked).toEqual([['refreshNow', world.members[0]!.account.id, null]]);
  });

  test('asks for nothing of the sign-in until the first accounts are drawn, then once for each thing', async () => {
    const frame = gate();
    const { bridge } = await stage(
      'main',
      { signIn: signInWorld() },
      { ...fakeTime(), drawn: () => frame.closed },
    );
    const asked = () => bridge.asked.map(([name]) => name).filter((name) => name in signInChecks);
    expect(bridge.asked.map(([name]) => name)).toContain('tokens');
    expect(asked()).toEqual([]);
    frame.open();
    await settled();
    expect(asked()).toContain('refreshStatus');
    expect(asked()).toEqual([...new Set(asked())]);
  });

  test('refreshes several accounts one after the other, without a question, and lists those that were not', async () => {
    const { model, bridge, world } = await within();
    const users = refreshable(world.members.map(({ account }) => account));
    expect(users.length).toBeGreaterThan(1);
    expect(users.length).toBeLessThan(world.members.length); // apps are not refreshed
    const ids = users.map(({ id }) => id);
    const asked = () => bridge.asked.filter(([name]) => name === 'refreshUnasked').map(([, id]) => id);
    await model.refreshStatus.refreshSeveral(ids);
    expect(asked()).toEqual(ids);
    expect(model.toasts.view.get().at(-1)?.text).toBe(`${ids.length} accounts refreshed.`);
    world.failing.set('refreshUnasked', { code: 'refresh_declined', message: 'It was not used.' });
    await model.refreshStatus.refreshSeveral(ids.slice(0, 2));
    expect(model.dialogs.view.get()).toEqual({
      kind: 'not-refreshed',
      refreshed: 0,
      // A reason shared by several accounts is shown once.
      problems: [{ message: 'It was not used.', names: users.slice(0, 2).map(({ name }) => name) }],
      left: 0,
    });
    expect(model.refreshStatus.several.get()).toBeNull();
  });

  test('stops after the account that is being refreshed', async () => {
    const slow = gate();
    const { model, bridge, world } = await within();
    world.delay = (name) => (name === 'refreshUnasked' ? slow.closed : undefined);
    const ids = refreshable(world.members.map(({ account }) => account)).map(({ id }) => id);
    const done = model.refreshStatus.refreshSeveral(ids);
    expect(model.refreshStatus.several.get()).toEqual({ done: 0, of: ids.length });
    model.refreshStatus.stop();
    slow.open();
    await done;
    expect(bridge.asked.filter(([name]) => name === 'refreshUnasked')).toHaveLength(1);
    expect(model.toasts.view.get().at(-1)?.text).toBe(`1 account refreshed, ${ids.length - 1} not.`);
  });

  test('shows what the provider says of the account that is looked at, and forgets it with another', async () => {
    const info = { claims: [{ name: 'name', json: '"Ada Marsh"' }], host: 'id.example.org', at: 1000 };
    const { model, world } = await within({ userInfo: info });
    const [ada, tomas] = world.members.map(({ account }) => account.id);
    await model.userInfo.request(ada!);
    expect(model.userInfo.view.get()).toMatchObject({ accountId: ada, asking: false, info, error: null });
    world.signIn.userInfo = null;
    await model.userInfo.request(ada!);
    expect(model.userInfo.view.get().info).toEqual(info); // the user declined
    world.failing.set('userInfo', { code: 'no_user_info', message: 'It offers none.' });
    await model.userInfo.request(ada!);
    expect(model.userInfo.view.get().error?.code).toBe('no_user_info');
    model.selection.account(tomas!);
    expect(model.userInfo.view.get()).toMatchObject({ accountId: null, info: null, error: null });
  });

  test('asks nobody about the demo’s accounts', async () => {
    const { model, bridge } = await stage('demo');
    await model.refreshStatus.refresh(null);
    await model.signOut.one();
    await settled();
    expect(bridge.asked.map(([name]) => name)).not.toContain('refreshStatus');
    expect(bridge.asked.map(([name]) => name)).not.toContain('signOutOffers');
    expect(bridge.asked.map(([name]) => name)).not.toContain('refreshNow');
  });

  test.each([
    [{ autoRefresh: false, nextTry: null, problem: null }, 'Off: apps refresh their tokens themselves'],
    [{ autoRefresh: true, nextTry: 1600, problem: null }, 'Refreshes in 10 min'],
    [
      { autoRefresh: true, nextTry: 1600, problem: { code: 'a', message: 'b' } },
      'Last refresh failed. Next try in 10 min',
    ],
    [
      { autoRefresh: true, nextTry: null, problem: { code: 'sign_in_again', message: 'b' } },
      'Paused: sign in again',
    ],
    [
      { autoRefresh: true, nextTry: null, problem: { code: 'profile_unknown', message: 'b' } },
      'Paused: choose Refresh now to see why',
    ],
    [{ autoRefresh: true, nextTry: null, problem: null }, 'Nothing to refresh'],
    [
      { autoRefresh: true, nextTry: null, problem: null, unreplaced: 1 },
      'Stopped: the last refresh did not replace 1 access token',
    ],
    [
      { autoRefresh: true, nextTry: 1600, problem: null, unreplaced: 2 },
      'Refreshes in 10 min. The last refresh did not replace 2 access tokens',
    ],
  ])('%o: %s', (care, words) => {
    expect(refreshStatusText({ refreshable: true, shared: false, unreplaced: 0, ...care }, 1000)).toBe(words);
  });
});

describe('signing in again', () => {
  const rosa = async () => {
    const staged = await stage();
    const account = [...staged.model.accounts.view.get().byId.values()].find(
      ({ name }) => name === 'Rosa Stein',
    )!;
    return { ...staged, account };
  };

  test('fills in a profile that is missing, and goes on with it', async () => {
    const { model, bridge, account } = await rosa();
    await model.signIn.again(account.id);
    const dialog = model.dialogs.view.get();
    expect(dialog).toMatchObject({
      kind: 'profile',
      profile: null,
      again: account.id,
      draft: { authority: 'contoso.example', scopes: ['User.Read'] },
    });
    if (dialog?.kind !== 'profile') throw new Error('No profile.');
    expect(await model.signIn.save(dialog.draft!, null, account.id)).toBeNull();
    const again = model.dialogs.view.get();
    expect(again).toMatchObject({ kind: 'sign-in-again', name: 'Rosa Stein', loginHint: 'rosa@example.org' });
    if (again?.kind !== 'sign-in-again') throw new Error('No sign-in.');
    await model.signIn.begin(again.profile.id, 'browser', again.loginHint);
    expect(bridge.asked.at(-1)).toEqual(['signIn', again.profile.id, 'browser', 'rosa@example.org']);
    // After a failure, a retry is still for this account.
    const error = { code: 'provider_unreachable', message: 'No answer.' };
    const after = { step: 'failed', profile: again.profile, way: 'browser', error };
    bridge.emit('signIn' as never, after as never);
    await model.signIn.retry();
    expect(bridge.asked.at(-1)).toEqual(['signIn', again.profile.id, 'browser', 'rosa@example.org']);
    expect(bridge.asked.filter(([name]) => name === 'signIn')).toHaveLength(2);
  });

  test('asked for twice, opens one dialog', async () => {
    const { model, world, account } = await rosa();
    const twice = () => Promise.all([model.signIn.again(account.id), model.signIn.again(account.id)]);
    await twice();
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'profile', again: account.id });
    model.dialogs.close();
    expect(model.dialogs.view.get()).toBeNull();
    world.failing.set('signInAgain', { code: 'invalid_argument', message: 'It is gone.' });
    await twice();
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'failure', error: { message: 'It is gone.' } });
    model.dialogs.close();
    expect(model.dialogs.view.get()).toBeNull();
  });

  test('says why, with the provider’s own code', async () => {
    const { account } = await rosa();
    const at = Date.UTC(2026, 10, 26, 14, 2, 11) / 1000;
    const refused = {
      ...account,
      status: {
        state: 'needs-sign-in' as const,
        reason: 'revoked' as const,
        at,
        code: 'invalid_grant, AADSTS50173',
        activeUntil: null,
      },
    };
    expect(signInAgainText(refused, at + 60, 'UTC')).toBe(
      'The sign-in was revoked today 14:02:11, for example because the password changed. Code: invalid_grant, AADSTS50173.',
    );
    expect(signInAgainText(account, at, 'UTC')).toBe('All access tokens have expired. Sign in again.');
  });
});

describe('signing out at the provider', () => {
  test('is part of the one request that signs out', async () => {
    const { model, bridge } = await within();
    await model.signOut.one();
    await settled();
    expect(model.dialogs.view.get()).toMatchObject({
      wishes: { vault: true, revoke: true, endSession: false, places: [] },
    });
    model.signOut.wish({ vault: true, revoke: true, endSession: true, places: [] });
    await model.signOut.confirm();
    const asked = bridge.asked.filter(([name]) => /sign-?out$/i.test(name));
    expect(asked).toEqual([
      ['signOut', [expect.any(String)], { vault: true, revoke: true, endSession: true, places: [] }],
    ]);
    expect(model.dialogs.view.get()).toMatchObject({
      kind: 'receipt',
      report: { session: { opened: true } },
    });
  });

  test('of everyone has the same question and the same result', async () => {
    const { model, bridge } = await within();
    await model.signOut.all();
    await settled();
    expect(model.dialogs.view.get()).toMatchObject({ accountIds: null, wishes: { revoke: true } });
    await model.signOut.confirm();
    const asked = new Map(bridge.asked.map(([name, ...args]) => [name, args]));
    expect(asked.get('signOutOffers')).toEqual([null]);
    expect(asked.get('signOut')).toEqual([
      null,
      { vault: true, revoke: true, endSession: false, places: [] },
    ]);
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'receipt', report: { revoked: { count: 1 } } });
  });

  test('each outcome has a line of its own', () => {
    const problem = { code: 'provider_unreachable', message: 'It did not answer.' };
    const lines = providerResultLines({
      revoked: { count: 1, pending: 0, problem },
      session: { opened: true, problem: null },
    });
    expect(lines.map(({ says, tone }) => [says, tone])).toEqual([
      ['Not revoked', 'bad'],
      ['Session', 'plain'],
    ]);
    expect(lines[0]?.value).toContain('It did not answer.');
    expect(lines[0]?.value).toContain('removed from this computer');
  });
});

describe('a profile', () => {
  test('is named after its host where nobody named it', () => {
    const fields = { ...fieldsOf(PROFILE), name: ' ', scopes: 'a, b  c' };
    const { id: _id, ...draft } = PROFILE;
    expect(draftOf(fields)).toEqual({ ...draft, name: 'id.example.org', scopes: ['a', 'b', 'c'] });
  });

  test('of another kind begins anew, with the client that was typed', () => {
    const fields = withKind(fieldsOf({ ...PROFILE }), 'microsoft');
    expect(fields).toMatchObject({
      kind: 'microsoft',
      authority: 'common',
      client_id: 'app',
      redirect_uri: 'http://localhost/',
    });
  });

  test('says where it signs in', () => {
    expect(placeOf(PROFILE)).toBe('id.example.org');
    expect(placeOf({ kind: 'microsoft', authority: 'consumers' })).toBe('Personal accounts');
    expect(placeOf({ kind: 'microsoft', authority: 'contoso.example' })).toBe(
      'Microsoft tenant contoso.example',
    );
  });
});
