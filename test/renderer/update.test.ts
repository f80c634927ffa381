import { expect, it } from 'vitest';
import type { UpdateStatus } from '../../app/contract.ts';
import { RESTART_TO_FINISH } from '../../src-main/errors.ts';
import { createUpdate, updateLine } from '../../src-renderer/state/update.ts';

function door(first: UpdateStatus) {
  const asked: string[] = [];
  let tell: (status: UpdateStatus) => void = () => undefined;
  const answer =
    <T>(name: string, value: T) =>
    () => {
      asked.push(name);
      return Promise.resolve({ ok: true as const, value });
    };
  const app = {
    update: answer('update', first),
    downloadUpdate: answer('downloadUpdate', undefined),
    installUpdate: answer('installUpdate', undefined),
    on: (_name: string, listener: (status: UpdateStatus) => void) => {
      tell = listener;
      return () => undefined;
    },
  };
  return {
    asked,
    app: app as unknown as Parameters<typeof createUpdate>[0]['app'],
    tell: (status: UpdateStatus) => tell(status),
  };
}

it('a newer version is offered, step by step, and each step takes a press', async () => {
  const { asked, app, tell } = door({ state: 'available', version: '0.2.0' });
  const update = createUpdate({ app }, { fail: (title) => void asked.push(title) });
  await update.load();
  expect(updateLine(update.view.get())).toEqual({ text: 'Update available: 0.2.0', action: 'Download' });
  await update.go();
  tell({ state: 'downloading', version: '0.2.0', percent: 40 });
  expect(updateLine(update.view.get())).toEqual({ text: 'Downloading 0.2.0: 40%', action: null });
  await update.go(); // no action is offered, so nothing happens
  tell({ state: 'ready', version: '0.2.0' });
  expect(updateLine(update.view.get())?.action).toBe('Restart and install');
  await update.go();
  tell({ state: 'refused', version: '0.2.0' });
  expect(updateLine(update.view.get())?.text).toContain('You keep the current version');
  await update.go();
  expect(asked).toEqual(['update', 'downloadUpdate', 'installUpdate', 'installUpdate']);
});

it('says that nothing was changed when it failed, and nothing at all when there is none', () => {
  expect(updateLine({ state: 'none' })).toBeNull();
  expect(updateLine({ state: 'failed', version: '0.2.0' })).toMatchObject({ action: 'Try again' });
  expect(updateLine({ state: 'failed', version: '0.2.0' })?.text).toContain('Nothing was changed');
});

it('says what it knows of an update that is not to be trusted, and tries again', async () => {
  const { asked, app } = door({ state: 'unsigned', version: '0.2.0' });
  const update = createUpdate({ app }, { fail: (title) => void asked.push(title) });
  await update.load();
  expect(updateLine(update.view.get())).toMatchObject({ action: 'Try again' });
  expect(updateLine(update.view.get())?.text).toContain('isn’t signed with the key that this version trusts');
  await update.go();
  expect(asked).toEqual(['update', 'downloadUpdate']);
});

it('tells of an update under the app in the words of the refusals that it causes', () => {
  expect(updateLine({ state: 'restart' })).toEqual({ text: RESTART_TO_FINISH, action: 'Restart' });
});
