import { expect, test } from 'vitest';
import { changeHistory, historyOf } from '../../src-main/accounts/account-history.ts';
import { cachedAccounts } from '../../src-main/accounts/cached-accounts.ts';
import { appData } from '../../src-main/cache/app-data.ts';
import { TokenCache } from '../../src-main/cache/token-cache.ts';
import { signIn } from '../vault/people.ts';

test('a history is stored without what an empty one says anyway, and read with it', () => {
  const cache = new TokenCache();
  signIn(cache, 'ada');
  const [id = ''] = cachedAccounts(cache).byId.keys();
  const refusal = { reason: 'revoked', at: 5, code: 'invalid_grant' } as const;
  changeHistory(cache, id, { source: '/tmp/cache.json', shared: true, sharedGrants: [], refusal });
  changeHistory(cache, id, { refusal: null, shared: true });
  expect(appData(cache, 'accounts')).toEqual({ [id]: { source: '/tmp/cache.json', shared: true } });
  expect(historyOf(cache, id)).toEqual({
    refusal: null,
    source: '/tmp/cache.json',
    shared: true,
    sharedGrants: [],
    issuers: {},
    signatures: {},
  });
});
