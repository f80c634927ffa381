import { describe, expect, test } from 'vitest';
import {
  isChosen,
  isMatrix,
  leavingCount,
  matrixColumns,
  matrixLines,
  matrixTotal,
  type LeavingAccount,
  type SignOutChoice,
  wishesFor,
  withChoice,
} from '../../src-renderer/state/signOutMatrix.ts';
import { chosenPlaces } from '../../src-renderer/state/signOut.ts';
import { stage } from './fake/model.ts';
import { settled } from './fake/time.ts';

const account = (id: string, name: string, inVault: boolean, tokens: number) => ({
  id,
  name,
  username: `${id}@x.example`,
  inVault,
  tokens,
});
const choice = (own: Partial<SignOutChoice> = {}): SignOutChoice => ({
  accounts: [
    account('r', 'Rosa Stein', true, 4),
    account('t', 'Tom Ferrari', false, 3),
    account('l', 'Lin Nakamura', true, 6),
  ],
  places: [
    {
      id: 'az',
      name: 'Azure CLI',
      file: '~/.azure',
      tokens: 5,
      accounts: 2,
      others: 2,
      tokensOf: { t: 3, l: 2 },
      staying: ['Dana Whitfield', 'Mara Lindqvist'],
      viewOnly: false,
      opens: null,
      command: null,
      page: null,
      leave: '',
    },
    {
      id: 'code',
      name: 'VS Code',
      file: '~/.config',
      tokens: 1,
      accounts: 1,
      others: 0,
      tokensOf: { l: 1 },
      staying: [],
      viewOnly: true,
      opens: null,
      command: null,
      page: null,
      leave: 'In VS Code, open Accounts.',
    },
  ],
  offers: { revoke: 'offered', endSession: 'none', provider: 'id.adatum.example' },
  wishes: { vault: true, revoke: true, endSession: false, places: ['az'] },
  ...own,
});
const column = (of: SignOutChoice, id: string) => matrixColumns(of).find((one) => one.id === id)!;
const saysOf = (of: SignOutChoice, id: string) => matrixLines(of).find((line) => line.id === id)?.says;

describe('several accounts in several places', () => {
  test('have a checkbox where a place has the account, and a line for each place', () => {
    const all = choice();
    expect(matrixColumns(all).map(({ name, has }) => [name, [...has]])).toEqual([
      ['This vault', ['r', 'l']],
      ['Azure CLI', ['t', 'l']],
      ['VS Code', ['l']],
      ['Provider', ['r', 'l']],
    ]);
    expect(saysOf(all, 'vault')).toBe('Removes 7 tokens of 2 accounts and rotates the encryption key.');
    expect(saysOf(all, 'az')).toBe('Removes 5 tokens of 2 accounts. Dana Whitfield and Mara Lindqvist stay.');
    expect(saysOf(all, 'code')).toBe('In VS Code, open Accounts.');
    expect(saysOf(all, 'provider')).toBe('id.adatum.example revokes the refresh tokens of 2 accounts.');
    // Two accounts are in the vault and two in Azure CLI.
    expect(matrixTotal(all)).toEqual({
      isEmpty: false,
      says: 'Chosen: 2 places on this computer and id.adatum.example.',
    });
  });

  test('one is left out at one place, and chosen again', () => {
    const all = choice();
    const without = choice({ wishes: withChoice(column(all, 'az'), all.wishes, 'l', false) });
    expect(without.wishes).toMatchObject({ places: ['az'], except: [{ accountId: 'l', place: 'az' }] });
    expect(isChosen(without.wishes, 'l', 'az')).toBe(false);
    expect(isChosen(without.wishes, 'l', 'vault')).toBe(true);
    expect(saysOf(without, 'az')).toBe(
      'Removes 3 tokens of 1 account. Lin Nakamura, Dana Whitfield and Mara Lindqvist stay.',
    );
    const again = withChoice(column(without, 'az'), without.wishes, 'l', true);
    expect(again).toEqual({ ...all.wishes, except: [] });
  });

  test('count as signed out if they are chosen anywhere', () => {
    const all = choice();
    expect(leavingCount(all)).toBe(3);
    const withoutRosa = withChoice(column(all, 'vault'), all.wishes, 'r', false);
    expect(leavingCount(choice({ wishes: withoutRosa }))).toBe(2);
    // Lin stays in the vault, and leaves Azure CLI. VS Code is only read.
    const both = withChoice(column(all, 'vault'), withoutRosa, 'l', false);
    expect(leavingCount(choice({ wishes: both }))).toBe(2);
    expect(leavingCount(choice({ wishes: { ...both, places: ['code'] } }))).toBe(0);
  });

  test('a place without anyone is no place', () => {
    const all = choice();
    let { wishes } = all;
    for (const id of ['r', 'l']) wishes = withChoice(column(all, 'vault'), wishes, id, false);
    expect(wishes).toMatchObject({ vault: false, except: [] });
    expect(matrixTotal(choice({ wishes })).says).toBe('Chosen: 1 place on this computer.');
    // The refresh token stays in the vault, so it is not revoked.
    expect(isChosen(wishes, 'r', 'provider')).toBe(false);
    for (const id of ['r', 'l']) wishes = withChoice(column(all, 'vault'), wishes, id, true);
    expect(wishes).toMatchObject({ vault: true, except: [] });
  });

  test('add up to places, providers and pages', () => {
    const all = choice();
    const page = { ...all.places[0]!, id: 'page', name: 'Everywhere', page: 'myaccount.example' };
    const says = (own: Partial<SignOutChoice>) => matrixTotal(choice(own)).says;
    const places = [...all.places, page];
    const nothing = { vault: false, revoke: false, endSession: false, places: [] };
    expect(matrixTotal(choice({ wishes: nothing }))).toEqual({ isEmpty: true, says: 'Nothing is chosen.' });
    // VS Code is never changed, so choosing it does nothing.
    expect(matrixTotal(choice({ wishes: { ...nothing, places: ['code'] } })).isEmpty).toBe(true);
    const offers = { ...all.offers!, provider: null };
    const wishes = { ...all.wishes, places: ['az', 'page'] };
    expect(says({ places, offers, wishes })).toBe(
      'Chosen: 2 places on this computer, the providers and a page in the browser.',
    );
    expect(matrixTotal(choice({ places, wishes: { ...nothing, places: ['page'] } }))).toEqual({
      isEmpty: false,
      says: 'Chosen: a page in the browser.',
    });
  });

  test('are a list of places where there are too many, or only one', () => {
    const many = Array.from({ length: 101 }, (_, index) => account(String(index), 'x', true, 1));
    expect(isMatrix(choice({ accounts: many }))).toBe(false);
    expect(isMatrix(choice({ accounts: many.slice(0, 1) }))).toBe(false);
    expect(isMatrix(choice({ places: [] }))).toBe(false);
    expect(isMatrix(choice())).toBe(true);
    // The vault alone has no checkbox for each account, unless one is left out there.
    const wishes = withChoice(column(choice(), 'vault'), choice().wishes, 'r', false);
    expect(isMatrix(choice({ places: [], wishes }))).toBe(true);
    expect(isMatrix(choice({ places: [], wishes, accounts: many.slice(0, 1) }))).toBe(false);
  });

  test('an account that is left alone keeps its choice, in one list', () => {
    const all = choice();
    let { wishes } = all;
    for (const [place, id] of [
      ['az', 'l'],
      ['provider', 'l'],
      ['vault', 'r'],
    ] as const)
      wishes = withChoice(column(all, place), wishes, id, false);
    const [rosa, tom, lin] = all.accounts as [LeavingAccount, LeavingAccount, LeavingAccount];
    // Tom is not in the vault, Rosa is chosen nowhere else, and Lin was left out of Azure CLI and the provider.
    const none = { endSession: false, except: [] };
    expect(wishesFor([lin], wishes)).toEqual({ ...none, vault: true, revoke: false, places: [] });
    expect(wishesFor([rosa], wishes)).toEqual({ ...none, vault: false, revoke: true, places: ['az'] });
    expect(wishesFor([tom], wishes)).toEqual({ ...none, vault: false, revoke: true, places: ['az'] });
    // Nobody is left who was signed out of the vault, and Lin stays out of Azure CLI.
    const two = wishesFor([rosa, tom], wishes);
    expect(two).toMatchObject({ vault: false, except: [{ accountId: 'r', place: 'vault' }] });
    const others = wishesFor([tom, lin], wishes);
    expect(isChosen(others, 'l', 'az')).toBe(false);
    expect(isChosen(others, 't', 'az')).toBe(true);
    expect(others.except).not.toContainEqual(expect.objectContaining({ accountId: 'r' }));
    expect(wishesFor([{ ...lin, inVault: false }], wishes).vault).toBe(false);
  });
});

test('the dialog asks main for what was left out', async () => {
  const { model, bridge } = await stage('sources');
  await model.signOut.several(['a001', 'a003']);
  await settled();
  const dialog = model.dialogs.view.get();
  if (dialog?.kind !== 'sign-out') throw new Error('There is no question.');
  expect(isMatrix(dialog)).toBe(true);
  const az = matrixColumns(dialog).find(({ id }) => id === 'az')!;
  model.signOut.wish(withChoice(az, dialog.wishes, 'a001', false));
  await model.signOut.confirm();
  const asked = bridge.asked.find(([name]) => name === 'signOut');
  expect(model.dialogs.view.get()).toMatchObject({ kind: 'receipt', who: '2 accounts', accounts: 2 });
  expect(asked?.[2]).toMatchObject({ except: [{ accountId: 'a001', place: 'az' }] });
});

test('the dialog of the account that is left shows what main is asked for', async () => {
  const { model, bridge, world } = await stage('sources');
  await model.signOut.several(['a001', 'a002', 'a003']);
  const shown = () => {
    const dialog = model.dialogs.view.get();
    if (dialog?.kind !== 'sign-out') throw new Error('There is no question.');
    return dialog;
  };
  const remove = async (id: string) => {
    world.members = world.members.filter(({ account: one }) => one.id !== id);
    bridge.emit('change', null);
    await settled();
  };
  const az = matrixColumns(shown()).find(({ id }) => id === 'az')!;
  model.signOut.wish(withChoice(az, shown().wishes, 'a001', false));
  await remove('a002');
  expect(isMatrix(shown())).toBe(true);
  expect(isChosen(shown().wishes, 'a001', 'az')).toBe(false);
  await remove('a003');
  expect(isMatrix(shown())).toBe(false);
  const wishes = { vault: true, places: [], except: [] };
  expect(shown().wishes).toMatchObject(wishes);
  expect(chosenPlaces(shown())).toBe(1);
  // A place that has none of the accounts any more is not counted.
  const all = { ...shown(), wishes: { ...shown().wishes, places: ['az'] } };
  expect(chosenPlaces(all)).toBe(2);
  expect(chosenPlaces({ ...all, places: [] })).toBe(1);
  await model.signOut.confirm();
  expect(bridge.asked.find(([name]) => name === 'signOut')?.[2]).toMatchObject(wishes);
});
