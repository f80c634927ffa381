import { describe, expect, test } from 'vitest';
import { overviewAccounts } from '../../src-renderer/state/overview.ts';
import { placeOfferText, placesText, stillSignedIn } from '../../src-renderer/state/signOut.ts';
import { sourceAction, sourceBanner, sourcesSum, sourceState } from '../../src-renderer/state/sources.ts';
import { stage } from './fake/model.ts';
import { settled } from './fake/time.ts';

describe('sources', () => {
  test('have a sentence for each state', async () => {
    const { model, time } = await stage('sources');
    const now = Math.floor(time.now() / 1000);
    const { items } = model.sources.view.get();
    expect(items.map((item) => [item.name, sourceState(item, now).text, sourceAction(item)])).toEqual([
      ['Azure CLI', 'Changed just now', null],
      ['Azure PowerShell', 'Open', null],
      ['Azure Developer CLI', 'Not opened', 'Open'],
      ['Graph PowerShell', 'Locked by the system', 'Retry'],
      ['GitHub CLI', 'Open, view only', null],
      ['Power Platform CLI', 'Can’t be read: use Power Platform CLI', null],
      ['CLI for Microsoft 365', 'File is gone', 'Remove'],
    ]);
    expect(sourceState(items[0]!, now + 60).text).toBe('Open');
    expect(sourcesSum(items)).toBe('8 sources, 4 open');
    expect(sourceBanner(items[0]!, now)).toBe(
      'Opened read-only and followed live. Azure CLI wrote to it 4 s ago: Mara Lindqvist, 1 token refreshed.',
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
    const { order } = model.overview.view.get();
    const all = [...model.accounts.view.get().byId.values()];
    const filters = { status: null, app: null, tenant: null, place: 'ps' };
    const shown = overviewAccounts(all, filters, order, new Map(), now);
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
    expect(dialog.wishes).toMatchObject({ vault: true, places: ['az'] });
    expect(dialog.places.map(placeOfferText)).toEqual([
      'Removes 3 tokens from its cache. The other 2 accounts stay. You can undo this until you press Done.',
      'In VS Code, open Accounts and choose Sign Out.',
    ]);
  });

  test('says first where the account is still signed in', async () => {
    const { model, bridge } = await opened();
    await model.signOut.confirm();
    const receipt = model.dialogs.view.get();
    if (receipt?.kind !== 'receipt') throw new Error('No receipt.');
    expect(placesText(receipt.report)).toBe('signed out of 2 of 3 places');
    expect(stillSignedIn(receipt.report)).toEqual([
      { name: 'VS Code', says: 'In VS Code, open Accounts and choose Sign Out.' },
    ]);
    model.signOut.done();
    await settled();
    expect(bridge.asked.filter(([name]) => name === 'signOutDone')).toEqual([['signOutDone', 'sign-out-1']]);
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
    expect(dialog).toMatchObject({ inVault: 0, wishes: { vault: false, places: ['az'] }, offers: undefined });
  });
});
