import { describe, expect, test } from 'vitest';
import { receiptText } from '../../src-renderer/state/activity.ts';
import { filteredAccounts } from '../../src-renderer/state/overview.ts';
import { placeOfferText, placesText, stillSignedIn } from '../../src-renderer/state/signOut.ts';
import {
  matchesNamed,
  namedUserPlace,
  namedUsers,
  placesOf,
  sourceAction,
  sourceBanner,
  sourceState,
  sourcesSum,
} from '../../src-renderer/state/sources.ts';
import { stage } from './fake/model.ts';
import { settled } from './fake/time.ts';

const PAGE = 'page-myaccount-microsoft-com';

describe('sources', () => {
  test('join the line of the account whose user name they have, if it is an e-mail address', async () => {
    const { model } = await stage('sources');
    const items = model.sources.view.get().items.map((item) => ({
      ...item,
      names: item.id === 'gh' ? ['Ada@Example.org', 'ben'].map((name) => ({ name, command: null })) : [],
    }));
    expect(placesOf({ places: ['vault'], username: 'ada@example.org' }, items)).toEqual(['vault', 'gh']);
    expect(placesOf({ places: ['vault'], username: 'ben' }, items)).toEqual(['vault']);
    expect(placesOf({ places: ['vault', 'gh'], username: 'ada@example.org' }, items)).toEqual([
      'vault',
      'gh',
    ]);
  });

  test('are left for the ways to start until the next search', async () => {
    const { model } = await stage('sources');
    const left = () => model.sources.view.get().left;
    model.sources.leave();
    await model.sources.load();
    expect(left()).toBe(true);
    await model.sources.find();
    expect(left()).toBe(false);
  });

  test('are shown again once a file is added, and not if none is chosen', async () => {
    const { model, world } = await stage('sources');
    model.sources.leave();
    world.consents = false;
    await model.sources.add();
    expect(model.sources.view.get().left).toBe(true);
    world.consents = true;
    await model.sources.add();
    expect(model.sources.view.get().left).toBe(false);
  });

  test('name users without an account once, who are found by name, program and host', async () => {
    const { model } = await stage('sources');
    const named: Record<string, readonly { name: string; at?: string }[]> = {
      gh: [
        { name: 'Ada@Example.org', at: 'github.com' },
        { name: 'ben', at: 'github.com' },
      ],
      pac: [{ name: 'ada@example.org' }, { name: 'ben' }, { name: 'known@example.org' }],
    };
    const items = model.sources.view.get().items.map((item) => ({
      ...item,
      names: (named[item.id] ?? []).map((one) => ({ ...one, command: null })),
    }));
    const users = namedUsers(items, [{ username: 'Known@example.org' }, { username: 'ben' }]);
    expect(users.map((user) => [user.name, namedUserPlace(user)])).toEqual([
      ['Ada@Example.org', 'GitHub CLI and Power Platform CLI · github.com'],
      ['ben', 'GitHub CLI · github.com'],
      ['ben', 'Power Platform CLI'],
    ]);
    const found = (text: string) => users.filter((user) => matchesNamed(user, text)).map(({ name }) => name);
    expect(found('')).toHaveLength(3);
    expect(found('ADA github')).toEqual(['Ada@Example.org']);
    expect(found('platform ben')).toEqual(['ben']);
    expect(found('is:active ben')).toEqual([]);
    expect(found('source:github')).toEqual(['Ada@Example.org', 'ben']);
    expect(found('source:"power platform" ben')).toEqual(['ben']);
    expect(found('source:ben')).toEqual([]);
  });

  test('have a sentence for each state', async () => {
    const { model, time } = await stage('sources');
    const now = Math.floor(time.now() / 1000);
    const { items } = model.sources.view.get();
    expect(items.map((item) => [item.name, sourceState(item, now).text, sourceAction(item)])).toEqual([
      ['Azure CLI', 'Changed just now', null],
      ['Azure PowerShell', 'Open', null],
      ['Azure Developer CLI', 'Not opened', 'Open'],
      ['Graph PowerShell', 'Locked by the system', 'Unlock…'],
      ['GitHub CLI', 'Open, view only', null],
      ['Power Platform CLI', 'Can’t be read: use Power Platform CLI', null],
      ['CLI for Microsoft 365', 'File is gone', 'Remove'],
    ]);
    expect(sourceState(items[0]!, now + 60).text).toBe('Open');
    expect(sourcesSum(items)).toBe('8 sources, 4 open');
    expect(sourceBanner(items[0]!, now)).toBe(
      'Opened read-only and followed live. Azure CLI wrote to it 4 s ago: Mara Lindqvist, 1 token refreshed.',
    );
    // Its program did not write what Tokenkeep did.
    expect(sourceBanner({ ...items[0]!, changedHere: true, lastChange: null }, now)).toBe(
      'Opened read-only and followed live. Tokenkeep wrote to it 4 s ago.',
    );
    expect(sourceBanner(items[3]!, now)).toContain('Unlock it');
    expect(sourceBanner(items[4]!, now)).toContain('gh auth logout');
  });

  test('are looked for and opened when the user asks, never before', async () => {
    const { model, bridge } = await stage('found');
    const asked = (name: string) => bridge.asked.filter(([request]) => request === name).length;
    expect([asked('findSources'), asked('openSource'), asked('openAllSources')]).toEqual([0, 0, 0]);
    await model.sources.find();
    await model.sources.open('az');
    expect(model.sources.view.get().items[0]).toMatchObject({ state: 'accounts', accounts: 2 });
    expect(model.sources.view.get().opening.size).toBe(0);
    await model.sources.close('az');
    expect(model.sources.view.get().items[0]?.state).toBe('found');
  });

  test('filter the table', async () => {
    const { model, time } = await stage('sources');
    const now = Math.floor(time.now() / 1000);
    const all = [...model.accounts.view.get().byId.values()];
    const filters = { status: null, app: null, tenant: null, place: 'ps' };
    const shown = filteredAccounts(all, filters, now);
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.every(({ places }) => places.includes('ps'))).toBe(true);
  });
});

describe('a sign-out of several places', () => {
  async function opened() {
    const staged = await stage('sources-few');
    await staged.model.signOut.one('a001');
    await settled();
    const dialog = staged.model.dialogs.view.get();
    if (dialog?.kind !== 'sign-out') throw new Error('No dialog.');
    return { ...staged, dialog };
  }

  test('offers each place, those that can be changed chosen', async () => {
    const { dialog } = await opened();
    expect(dialog.wishes).toMatchObject({ vault: true, places: ['az', PAGE] });
    expect(dialog.places.map(placeOfferText)).toEqual([
      'Removes 3 tokens from its cache. The other 2 accounts stay. You can undo this until you press Done.',
      'In VS Code, open Accounts and choose Sign Out.',
      'Microsoft has no endpoint that revokes tokens. Tokenkeep opens My Account, where you choose Sign out everywhere.',
    ]);
  });

  test('opens a page for all devices only where one account is in several places, or the user chooses it', async () => {
    const { model, world } = await stage('sources-few');
    world.signIn.places = world.signIn.places.filter(({ page }) => page !== null);
    await model.signOut.one('a001');
    await settled();
    expect(model.dialogs.view.get()).toMatchObject({ wishes: { vault: true, places: [] } });
    world.signIn.places = (await stage('sources-few')).world.signIn.places;
    model.dialogs.close();
    await model.signOut.several(['a001', 'a003']);
    await settled();
    expect(model.dialogs.view.get()).toMatchObject({ wishes: { places: ['az'] } });
  });

  test('opens the program, checks again and saves the receipt when the user asks', async () => {
    const { model, bridge } = await opened();
    await model.sources.openProgram('code');
    await model.signOut.confirm();
    await model.signOut.check();
    await model.signOut.save('text');
    const asked = (name: string) => bridge.asked.filter(([request]) => request === name);
    expect(asked('openProgram')).toEqual([['openProgram', 'code']]);
    expect(asked('checkSignOut')).toEqual([['checkSignOut', 'sign-out-1']]);
    expect(asked('saveReceipt')).toEqual([['saveReceipt', 'text']]);
  });

  test('says first where the account is still signed in', async () => {
    const { model, bridge } = await opened();
    await model.signOut.confirm();
    const receipt = model.dialogs.view.get();
    if (receipt?.kind !== 'receipt') throw new Error('No receipt.');
    expect(placesText(receipt.report)).toBe('signed out of 2 of 4 places');
    expect(receiptText(receipt.report, receipt.report.at)).toContain(
      'Microsoft, on all devices: Not confirmed. My Account was opened',
    );
    expect(stillSignedIn(receipt.report)).toEqual([
      { name: 'VS Code', says: 'In VS Code, open Accounts and choose Sign Out.' },
    ]);
    model.signOut.done();
    await settled();
    expect(bridge.asked.filter(([name]) => name === 'signOutDone')).toEqual([['signOutDone', 'sign-out-1']]);
  });

  test('counts the vault once where some of the accounts stay in it', async () => {
    const { model } = await opened();
    await model.signOut.confirm();
    const receipt = model.dialogs.view.get();
    if (receipt?.kind !== 'receipt') throw new Error('No receipt.');
    const row = (id: string, name: string, result: 'still' | 'signed-out') => ({
      id,
      name,
      file: '',
      result,
      says: '',
    });
    const places = [row('vault', 'This vault', 'still'), row('az', 'Azure CLI', 'signed-out')];
    expect(placesText({ ...receipt.report, places })).toBe('signed out of 1 of 2 places');
    // A cache of that name is another place.
    const named = [{ ...places[0]!, id: 'file' }, places[1]!];
    expect(placesText({ ...receipt.report, places: named })).toBe('signed out of 2 of 3 places');
  });

  test('counts nothing in the vault for somebody who is not in it', async () => {
    const { model, world, bridge } = await stage('sources-few');
    world.members = world.members.map((member) => ({
      ...member,
      account: { ...member.account, places: ['az'] },
    }));
    await model.accounts.load();
    bridge.asked.splice(0);
    await model.signOut.one('a001');
    await settled();
    expect(bridge.asked.map(([name]) => name)).not.toContain('removalCount');
    const dialog = model.dialogs.view.get();
    expect(dialog).toMatchObject({
      inVault: 0,
      wishes: { vault: false, places: ['az', PAGE] },
      offers: undefined,
    });
  });
});
