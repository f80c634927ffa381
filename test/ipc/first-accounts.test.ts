// What a window shows first of many accounts is what it shows once it has them all.
import { describe, expect, test } from 'vitest';
import type { AccountList, FirstAccounts } from '../../src-main/ipc/contract.ts';
import { nameTenant } from '../../src-main/ipc/tenant-names.ts';
import { groupAccounts, namesOf, tenantName, tenantNames } from '../../src-renderer/state/groups.ts';
import { sortedAccounts, statusCounts } from '../../src-renderer/state/overview.ts';
import { manyAccounts } from './many.ts';
import { cacheOf } from './vectors.ts';
import { windowOver } from './window.ts';

const W = 'the window';
type Sections = Record<string, Record<string, Record<string, unknown>>>;

/** Accounts of every status and kind: guests, apps, tokens without an account, users without a name, tenants of several domains. */
function mixed(count: number, rare: number): string {
  const document = JSON.parse(manyAccounts(count, Math.floor(Date.now() / 1000))) as Sections;
  const numberOf = (entity: Record<string, unknown>) =>
    Number(/^user-(\d+)/.exec(String(entity['home_account_id']))?.[1]);
  const gone = (section: string, kind: number): boolean =>
    (section === 'RefreshToken' && (kind === 1 || kind === 2)) ||
    (section === 'Account' && kind === 3) ||
    (section === 'IdToken' && kind === 5);
  for (const [section, entities] of Object.entries(document)) {
    const kept = Object.entries(entities).filter(([, entity]) => !gone(section, numberOf(entity) % rare));
    for (const [, entity] of kept) {
      const number = numberOf(entity);
      const kind = number % rare;
      if (section === 'AccessToken' && kind === 2)
        entity['expires_on'] = entity['extended_expires_on'] = '1000';
      if (section === 'AccessToken' && kind === 4) {
        // An app's own token has no account.
        delete entity['home_account_id'];
        entity['client_id'] = number % 2 === 0 ? '04b07795-8ddb-461a-bbee-02f9e1bf7b46' : `app-${number}`;
      }
      if (section === 'Account' && kind === 5) entity['username'] = '';
      if (section === 'Account' && kind === 6) entity['username'] = `User10@other-${number % 7}.example`;
    }
    document[section] = Object.fromEntries(kept);
  }
  return JSON.stringify(document);
}

async function answers(text: string, nickname = '') {
  const cache = cacheOf(text);
  if (nickname !== '') nameTenant(cache, 'tenant-7', nickname);
  const { ask } = windowOver(cache);
  const first = JSON.parse(await ask.firstAccountsText(W)) as FirstAccounts;
  const list = JSON.parse(await ask.accountsText(W)) as AccountList;
  return { first, list };
}

describe('the first of many accounts', () => {
  // So few of the other kinds that the first rows end among them, or so many that they fill the screen.
  test.each([
    [601, 60],
    [900, 7],
    [520, 1_000],
  ])(
    'are the first rows of the table of all, for %i with every %ith of another kind',
    async (count, rare) => {
      const { first, list } = await answers(mixed(count, rare), 'Seventh');
      const now = Math.floor(Date.now() / 1000);
      const names = tenantNames(list.accounts, list.tenantNames);
      const rows = sortedAccounts(
        groupAccounts(list.accounts, list.tenantNames).flatMap((group) => group.accounts),
        { column: 'status', direction: 'ascending' },
        names,
        now,
      );
      expect(first.first).toEqual(rows.slice(0, 60));
      expect(first.size).toBe(list.accounts.length);
      expect(first.totals).toEqual(list.totals);
      expect(first.tenantNames).toEqual(list.tenantNames);
      expect(new Map(Object.entries(first.statuses))).toEqual(statusCounts(list.accounts, now));
      const known = namesOf(Object.entries(first.tenantDomains), first.tenantNames);
      for (const { tenants } of first.first)
        for (const { realm } of tenants) expect(tenantName(realm, known)).toBe(tenantName(realm, names));
    },
  );

  test('are all of them where there are few', async () => {
    const { first, list } = await answers(manyAccounts(499, 1_780_000_000));
    expect(first).toEqual(list);
  });

  test('are all of them where other programs’ are shown beside them', async () => {
    const [own, other] = [manyAccounts(600, 1_780_000_000), manyAccounts(3, 1_780_000_000)];
    const place = { id: 'azure-cli', name: 'Azure CLI', cache: cacheOf(other) };
    const { ask } = windowOver(cacheOf(own), [place]);
    expect(JSON.parse(await ask.firstAccountsText(W))).toEqual(await ask.accounts(W));
  });
});
