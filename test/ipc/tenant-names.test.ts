import { expect, it } from 'vitest';
import { argumentChecks } from '../../src-main/ipc/arguments.ts';
import { cacheOf, vectorText } from './vectors.ts';
import { windowOver } from './window.ts';

const W = 'the window';
const open = () => windowOver(cacheOf(vectorText('documents', 'msal-node-7-kitchen-sink.json')));

it('keeps a name for a tenant, whatever the case of its ID, and forgets it on request', async () => {
  const { ask } = open();
  const names = async () => (await ask.accounts(W)).tenantNames;
  expect(await names()).toEqual({});
  await ask.nameTenant(W, '72F988BF-86F1', 'Head office');
  await ask.nameTenant(W, 'other', 'Lab');
  await ask.nameTenant(W, '72f988bf-86f1', 'Headquarters');
  expect(await names()).toEqual({ '72f988bf-86f1': 'Headquarters', other: 'Lab' });
  await ask.nameTenant(W, 'OTHER', '');
  await ask.nameTenant(W, '__proto__', 'x');
  expect(Object.entries(await names()).filter(([id]) => id !== '__proto__')).toEqual([
    ['72f988bf-86f1', 'Headquarters'],
  ]);
});

it('goes with the last account of the tenant, and stays while there is one', async () => {
  const { ask } = open();
  const { accounts } = await ask.accounts(W);
  const users = accounts.filter(({ kind, tenants }) => kind === 'user' && tenants.length > 0);
  const tenant = users[0]!.tenants[0]!.realm.toLowerCase();
  const inside = users.filter(({ tenants }) => tenants.some(({ realm }) => realm.toLowerCase() === tenant));
  await ask.nameTenant(W, tenant, 'Head office');
  await ask.nameTenant(W, 'of another program', 'Lab');
  for (const [index, { id }] of inside.entries()) {
    await ask.signOut(W, [id]);
    const left = index < inside.length - 1 ? { [tenant]: 'Head office' } : {};
    expect((await ask.accounts(W)).tenantNames).toEqual({ ...left, 'of another program': 'Lab' });
  }
});

it.each([
  ['no realm', ['', 'x']],
  ['a name of more than 60 characters', ['t', 'x'.repeat(61)]],
  ['a name of two lines', ['t', 'a\nb']],
  ['no name', ['t']],
])('refuses %s', (_what, args) => {
  expect(() => argumentChecks.nameTenant(args)).toThrow(/Nothing was done/);
});
