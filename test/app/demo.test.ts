import { expect, it } from 'vitest';
import { demoDocument } from '../../app/demo/document.ts';
import { ENTITY_TYPES } from '../../src-main/cache/index.ts';
import { SerializableTokenCache } from '../../src-main/index.ts';
import { accountList } from '../../src-main/ipc/account-views.ts';
import { cachedAccounts } from '../../src-main/accounts/cached-accounts.ts';
import { tokenItems } from '../../src-main/ipc/token-views.ts';

const NOW = 2_000_000_000;
const cache = new SerializableTokenCache();
cache.deserialize(demoDocument(NOW));
const cached = cachedAccounts(cache);
const items = [...cached.byId.values()].flatMap(tokenItems);

it('contains every account of the design, and every entry is understood', async () => {
  const { accounts, totals } = await accountList(cache, NOW);
  expect(accounts.map(({ name }) => name)).toEqual([
    'Ada Marsh',
    'Tomas Okafor',
    'Lin Nakamura',
    'Rosa Stein',
    'nightly-report',
  ]);
  expect(totals).toMatchObject({ accounts: 4, apps: 1, notUnderstood: 0 });
  expect(ENTITY_TYPES.every((type) => cache.find(type).length > 0)).toBe(true);
});

it('contains a token in every state', () => {
  const left = (expires_on: number | null) => Math.floor(((expires_on ?? 0) - NOW) / 60);
  const access = items.filter(({ type }) => type === 'AccessToken');
  expect(access.some((item) => left(item.expires_on) === 12)).toBe(true);
  expect(access.some((item) => left(item.expires_on) < -60)).toBe(true);
  expect(access.some((item) => left(item.expires_on) > 30)).toBe(true);
  expect(new Set(items.map(({ format }) => format))).toEqual(new Set(['jwt', 'opaque']));
  expect(items.some(({ family_id }) => family_id === '1')).toBe(true);
  expect(items.some(({ client_name }) => client_name === 'Mail Assistant')).toBe(true);
});

it('is the same each time, except for the times', () => {
  expect(demoDocument(NOW)).toBe(demoDocument(NOW));
  expect(demoDocument(NOW + 1)).not.toBe(demoDocument(NOW));
});
