import { expect, test } from 'vitest';
import { gate, stage } from './fake/model.ts';
import { settled } from './fake/time.ts';

test('the first account of the list and its first token are chosen, and nothing is opened', async () => {
  const { model } = await stage();
  expect(model.selection.view.get()).toMatchObject({
    accountId: 'a001',
    tokenId: 'ada-orders',
    opened: false,
  });
  expect(model.selection.view.get().claims?.format).toBe('jwt');
});

test('another account: its own tokens, at once without the old ones', async () => {
  const { model } = await stage();
  model.selection.account('a003');
  expect(model.selection.view.get()).toMatchObject({ accountId: 'a003', tokens: null, claims: null });
  await settled();
  expect(model.selection.view.get().tokens?.map((token) => token.id)).toEqual([
    'lin-opaque',
    'lin-future',
    'lin-refresh',
  ]);
  expect(model.selection.view.get().claims?.format).toBe('opaque');
});

test('answers that come late are dropped: tokens of another account, claims of another token', async () => {
  const slow = gate();
  const { model, world } = await stage();
  world.delay = (name) => (name === 'tokens' || name === 'claims' ? slow.closed : undefined);
  model.selection.account('a002');
  model.selection.token('tomas-arm');
  world.delay = () => undefined;
  model.selection.account('a004');
  await settled();
  slow.open();
  await settled();
  expect(model.selection.view.get().tokens?.map((token) => token.id)).toEqual(['rosa-api']);
  expect(model.selection.view.get().tokenId).toBe('rosa-api');
});

test('claims that come late do not stand under another token', async () => {
  const slow = gate();
  const { model, world } = await stage();
  world.delay = (name) => (name === 'claims' ? slow.closed : undefined);
  model.selection.token('ada-vault'); // encrypted
  world.delay = () => undefined;
  model.selection.token('ada-graph');
  await settled();
  slow.open();
  await settled();
  expect(model.selection.view.get().claims?.format).toBe('jwt');
});

test('a change keeps what is looked at, and brings it up to date', async () => {
  const { model, bridge, world } = await stage();
  model.selection.account('a002');
  await settled();
  model.selection.token('tomas-refresh');
  const tomas = world.members.find((member) => member.account.id === 'a002');
  tomas?.tokens.shift();
  bridge.emit('change', null);
  await settled();
  expect(model.selection.view.get()).toMatchObject({
    accountId: 'a002',
    tokenId: 'tomas-refresh',
    opened: true,
  });
  expect(model.selection.view.get().tokens).toHaveLength(3);
});

test('a token that has gone gives way to the first, and its panel closes', async () => {
  const { model, bridge, world } = await stage();
  model.selection.token('ada-graph');
  const ada = world.members[0];
  if (ada !== undefined) ada.tokens = ada.tokens.filter((token) => token.id !== 'ada-graph');
  bridge.emit('change', null);
  await settled();
  expect(model.selection.view.get()).toMatchObject({ tokenId: 'ada-orders', opened: false });
});

test('an account that has gone gives way to its neighbour in the list; the last to the one before', async () => {
  const { model, bridge, world } = await stage();
  const remove = async (id: string) => {
    world.members = world.members.filter((member) => member.account.id !== id);
    bridge.emit('change', null);
    await settled();
    return model.selection.view.get().accountId;
  };
  model.selection.account('a003');
  await settled();
  expect(await remove('a003')).toBe('a004'); // Rosa came after Lin
  model.selection.account('a006');
  await settled();
  expect(await remove('a006')).toBe('a005');
  for (const id of ['a001', 'a002', 'a004']) await remove(id);
  expect(await remove('a005')).toBeNull();
});

test('an open menu of a token closes once another token is selected, also because this one was removed', async () => {
  const { model, bridge, world } = await stage();
  const { selection } = model;
  const remove = async (id: string) => {
    const ada = world.members[0]!;
    ada.tokens = ada.tokens.filter((token) => token.id !== id);
    bridge.emit('change', null);
    await settled();
  };
  selection.token('ada-graph');
  selection.menu(true);
  await remove('ada-id');
  expect(selection.view.get()).toMatchObject({ tokenId: 'ada-graph', menu: true });
  await remove('ada-graph');
  expect(selection.view.get().tokenId).not.toBe('ada-graph');
  expect(selection.view.get().menu).toBe(false);
  selection.menu(true);
  selection.account('a002');
  expect(selection.view.get().menu).toBe(false);
});

test('sorting changes the order, not the choice', async () => {
  const { model } = await stage();
  model.selection.token('ada-id');
  model.selection.sort({ column: 'time', direction: 'ascending' });
  expect(model.selection.view.get().tokens?.[0]?.id).toBe('ada-vault');
  expect(model.selection.view.get().tokenId).toBe('ada-id');
});

test('tokens that can’t be listed: the reason is kept', async () => {
  const { model, world } = await stage();
  world.failing.set('tokens', { code: 'unexpected', message: 'No.' });
  model.selection.account('a002');
  await settled();
  expect(model.selection.view.get()).toMatchObject({ tokens: [], error: { message: 'No.' } });
});
