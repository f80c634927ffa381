/** A problem is scrolled to where the user asked for what failed, each time that it fails. */
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test, vi } from 'vitest';
import { StatusCard } from '../../src-renderer/parts/AccountFacts.tsx';
import { ModelContext } from '../../src-renderer/parts/hooks.ts';
import { AccountView } from '../../src-renderer/screens/AccountsPage.tsx';
import { ActivityPage } from '../../src-renderer/screens/ActivityPage.tsx';
import { gate, stage } from './fake/model.ts';
import { signInWorld } from './fake/sign-in.ts';
import { settled } from './fake/time.ts';

vi.mock('../../src-renderer/parts/Problem.tsx', () => ({
  Problem: ({ children }: { children: string }) => <mark>{children}</mark>,
  Unasked: ({ children }: { children: string }) => <p>{children}</p>,
}));

const ERROR = { code: 'provider_unreachable', message: 'id.example did not answer.' };

test('a failed auto-refresh is said and not scrolled to; a refresh that the user asked for is', async () => {
  const refreshStatus = {
    refreshable: true,
    autoRefresh: true,
    shared: false,
    nextTry: null,
    unreplaced: 0,
    problem: ERROR,
  };
  const { model, world } = await stage('main', { signIn: signInWorld({ refreshStatus }) });
  await settled();
  const card = () => {
    const account = model.accounts.view.get().byId.get('a001')!;
    return renderToStaticMarkup(
      <ModelContext value={model}>
        <StatusCard account={account} />
      </ModelContext>,
    );
  };
  expect(card()).toContain(ERROR.message);
  expect(card()).not.toContain('<mark>');
  world.failing.set('refreshNow', { ...ERROR, message: 'It was refused.' });
  await model.refreshStatus.refresh(null);
  expect(card()).toContain('<mark>It was refused.</mark>');
  expect(card()).not.toContain(ERROR.message);
});

test('what fails again is no longer said meanwhile, so that it is said again', async () => {
  const { model, world } = await stage();
  world.failing.set('setNotify', ERROR).set('setAutoRefresh', ERROR);
  await model.settings.setNotify(false);
  await model.refreshStatus.setAutoRefresh(true);
  expect(model.settings.view.get().error).toEqual(ERROR);
  expect(model.refreshStatus.view.get().problem).toEqual(ERROR);
  const slow = gate();
  world.delay = (name) => (name.startsWith('set') ? slow.closed : undefined);
  const again = [model.settings.setNotify(false), model.refreshStatus.setAutoRefresh(true)];
  expect(model.settings.view.get().error).toBeNull();
  expect(model.refreshStatus.view.get().problem).toBeNull();
  slow.open();
  await Promise.all(again);
  expect(model.settings.view.get().error).toEqual(ERROR);
  expect(model.refreshStatus.view.get().problem).toEqual(ERROR);
});

test('what could not be loaded again in the background is said and not scrolled to; what the user chose is', async () => {
  const { model, world } = await stage();
  await settled();
  const { selection, activity, accounts } = model;
  const view = () => {
    const account = accounts.view.get().byId.get(selection.view.get().accountId ?? '')!;
    return renderToStaticMarkup(
      <ModelContext value={model}>
        <AccountView account={account} />
      </ModelContext>,
    );
  };
  world.failing.set('tokens', ERROR);
  await accounts.load();
  await settled();
  expect(view()).toContain(ERROR.message);
  expect(view()).not.toContain('<mark>');
  const { accountId } = selection.view.get();
  selection.account([...accounts.view.get().byId.keys()].find((id) => id !== accountId)!);
  await settled();
  expect(view()).toContain(`<mark>${ERROR.message}</mark>`);

  world.failing.set('activity', ERROR);
  activity.watch(null);
  await settled();
  const page = renderToStaticMarkup(
    <ModelContext value={model}>
      <ActivityPage />
    </ModelContext>,
  );
  expect(page).toContain(ERROR.message);
  expect(page).not.toContain('<mark>');
});
