import { describe, expect, test } from 'vitest';
import type { AccountItem } from '../../src-main/ipc/contract.ts';
import {
  accountDetail,
  accountName,
  tenantName,
  tenantNames,
  groupAccounts,
  keepOnly,
  accountPlace,
  nameWithRealm,
} from '../../src-renderer/state/groups.ts';
import { providerOf } from '../../src-main/cache/shown-names.ts';
import { profile } from '../../src-renderer/state/claims.ts';
import { account, cast, crowd } from './fake/cast.ts';

const titles = (accounts: AccountItem[]) => groupAccounts(accounts).map((group) => group.title);

test('by home tenant, then by host, apps and tokens without an account last', () => {
  const groups = groupAccounts(cast(1_700_000_000).map((member) => member.account));
  expect(groups.map((group) => [group.title, group.accounts.map(accountName)])).toEqual([
    ['contoso.example', ['Ada Marsh', 'Tomas Okafor']],
    ['fabrikam.example', ['Lin Nakamura']],
    ['id.example.org', ['Rosa Stein']],
    ['Apps without a user', ['nightly-report']],
    ['Tokens without an account', ['1111…88bf']],
  ]);
});

describe('a tenant is called', () => {
  const inTenant = (realm: string, ...usernames: string[]) =>
    usernames.map((username, index) =>
      account({ id: `${realm}${index}`, username, tenants: [{ realm, local_account_id: 'x' }] }),
    );
  test('by the domain that its users share', () => {
    expect(titles(inTenant('t1', 'a@Contoso.example', 'b@contoso.example', ''))).toEqual(['contoso.example']);
  });
  test('by its id where they share none', () => {
    expect(
      titles(inTenant('72f988bf-86f1-41af-91ab-2d7cd011db47', 'a@one.example', 'b@two.example')),
    ).toEqual(['Tenant 72f9…db47']);
    expect(titles(inTenant('t1', ''))).toEqual(['Tenant t1']);
  });
  test('by its name where it is that of all personal accounts', () => {
    expect(titles(inTenant('9188040d-6c67-4c5b-b112-36a304b66dad', 'a@one.example'))).toEqual([
      'Personal Microsoft accounts',
    ]);
  });
  test('with unseen characters written out', () => {
    expect(titles(inTenant('t1', 'a@evil\u202e.example'))).toEqual(['evil⟨U+202E⟩.example']);
  });
});

test('the same tenant in another case is one group', () => {
  const one = account({ id: '1', tenants: [{ realm: 'ABC', local_account_id: 'x' }] });
  const two = account({ id: '2', tenants: [{ realm: 'abc', local_account_id: 'y' }] });
  expect(groupAccounts([one, two])).toHaveLength(1);
});

test('names sort as people sort them: ignoring case, numbers by size', () => {
  const named = ['user10', 'User2', 'ádám', 'bela'].map((name, index) =>
    account({ id: String(index), name }),
  );
  expect(groupAccounts(named)[0]?.accounts.map(accountName)).toEqual(['ádám', 'bela', 'User2', 'user10']);
});

test('every account has a name, and its second line is not the name again', () => {
  expect(accountName(account({ id: 'a', username: 'x@y.example' }))).toBe('x@y.example');
  expect(accountDetail(account({ id: 'a', username: 'x@y.example' }), new Map())).toBe(
    'login.microsoftonline.com',
  );
  expect(accountName(account({ id: 'a', home_account_id: null }))).toBe('No name');
  expect(
    accountName(account({ id: 'a', kind: 'app', clients: ['04b07795-8ddb-461a-bbee-02f9e1bf7b46'] })),
  ).toBe('Azure CLI');
  const app = account({ id: 'a', kind: 'app', tenants: [{ realm: 'T1', local_account_id: '' }] });
  expect(accountDetail(app, new Map([['t1', 'contoso.example']]))).toBe('tenant contoso.example');
  expect(accountPlace(account({ id: 'a', name: 'Ada', username: 'ada@contoso.example' }), new Map())).toBe(
    'ada@contoso.example',
  );
});

describe('two realms of one host, with a user of one name', () => {
  const realm = (name: string, own: Partial<AccountItem> = {}) =>
    account({
      id: name,
      username: 'admin',
      environment: 'id.example',
      authority_type: 'Generic',
      issuer: `https://id.example:8443/realms/${name}/`,
      tenants: [],
      ...own,
    });
  test('are two groups, and told apart wherever the account is named', () => {
    const both = [realm('prod'), realm('test')];
    expect(titles(both)).toEqual(['id.example/realms/prod', 'id.example/realms/test']);
    expect(accountDetail(both[0]!, new Map())).toBe('id.example/realms/prod');
    expect(accountPlace(both[1]!, new Map())).toBe('id.example/realms/test');
    const named = realm('test', { name: 'Ada' });
    expect(accountPlace(named, new Map())).toBe('admin · id.example/realms/test');
    expect(nameWithRealm(named)).toBe('Ada (id.example/realms/test)');
    const [identity] = profile(both[1]!, []);
    expect(identity?.lines).toContainEqual(
      expect.objectContaining({ name: 'issuer', value: 'https://id.example:8443/realms/test/' }),
    );
  });
  test('the issuer is not named if it is on another host, tells nothing more, or is of Microsoft’s kind', () => {
    for (const own of [
      { issuer: 'https://bank.example/realms/prod' },
      { issuer: 'https://id.example/' },
      { issuer: null },
      { authority_type: 'MSSTS' },
      { authority_type: 'ADFS' },
    ])
      expect(providerOf(realm('prod', own))).toBe('id.example');
    expect(nameWithRealm(realm('prod', { issuer: null }))).toBe('admin');
  });
});

test('keeping only some leaves the order, and no empty group', () => {
  const groups = groupAccounts(crowd(300, 1_700_000_000).map((member) => member.account));
  const kept = keepOnly(groups, new Set(['c3', 'c6', 'c1']));
  expect(kept.map((group) => group.accounts.map((item) => item.id).sort())).toEqual([['c3', 'c6'], ['c1']]);
  expect(keepOnly(groups, new Set())).toEqual([]);
});

describe('tenants are named after the domains of signed-in users', () => {
  const user = (id: string, username: string, ...tenants: AccountItem['tenants']) =>
    account({ id, name: id, username, tenants });
  const at = (realm: string, username?: string) => ({
    realm,
    local_account_id: 'x',
    ...(username === undefined ? {} : { username }),
  });
  const all = [
    user(
      'ada',
      'ada@contoso.example',
      at('T1'),
      at('T2'),
      at('T3', 'ada_contoso.example#EXT#@fabrikam.example'),
      at('T4'),
    ),
    user('lin', 'lin@litware.example', at('t2')),
    user('mixed', 'a@one.example', at('t5')),
    user('mixed2', 'a@two.example', at('t5')),
  ];
  const names = tenantNames(all);
  test.each([
    ['t1', 'contoso.example'],
    ['T2', 'litware.example'],
    ['t3', 'fabrikam.example'],
    ['t4', 't4'],
    ['t5', 't5'],
    ['9188040d-6c67-4c5b-b112-36a304b66dad', 'Personal Microsoft accounts'],
    ['72f988bf-86f1-41af-91ab-2d7cd011db47', '72f9…db47'],
  ])('%s is %s', (realm, name) => expect(tenantName(realm, names)).toBe(name));
  test('a guest is named where the guest is', () => {
    expect(accountPlace(all[0]!, names)).toBe(
      'ada@contoso.example · guest in litware.example, fabrikam.example and T4',
    );
  });
});

test('tenants with the same name are told apart by their IDs, in the list and in the table', () => {
  const [one, two, three] = ['1', '2', '3'].map((digit) => `${digit}2f988bf-86f1-41af-91ab-2d7cd011db47`);
  const all = [one, two, three].map((realm = '', at) =>
    account({
      id: String(at),
      username: `user@domain${at}.example`,
      tenants: [{ realm, local_account_id: 'x' }],
    }),
  );
  const nicknames = { [one!]: 'Customer', [two!]: 'customer', [three!]: 'Other' };
  const names = tenantNames(all, nicknames);
  expect([...names.values()]).toEqual(
    expect.arrayContaining(['Customer (12f9…db47)', 'customer (22f9…db47)', 'Other']),
  );
  expect(groupAccounts(all, nicknames).map(({ title }) => title)).toEqual([
    'Customer (12f9…db47)',
    'customer (22f9…db47)',
    'Other',
  ]);
  // A nickname may be the domain of another tenant, too.
  expect(tenantNames(all, { [one!]: 'domain1.example' }).get(two!)).toBe('domain1.example (22f9…db47)');
});
