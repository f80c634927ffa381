// Not in npm run check: it searches 10,000 accounts.
import { describe, expect, it } from 'vitest';
import { accountList, search } from '../../src-main/ipc/account-views.ts';
import { cachedAccounts } from '../../src-main/accounts/cached-accounts.ts';
import { manyAccounts } from './many.ts';
import { cacheOf, secretsIn, vectorText } from './vectors.ts';

const text = vectorText('documents', 'msal-python-kitchen-sink.json');
const cached = cachedAccounts(cacheOf(text)).byId;

const FIELDS = {
  credential_type: 'AccessToken',
  home_account_id: 'u.t',
  environment: 'login.microsoftonline.com',
  client_id: 'app',
  realm: 't',
  target: 'User.Read',
  cached_at: '1000',
  expires_on: '4600',
};

async function found(words: string): Promise<string[]> {
  const ids = await search(cached, words);
  return ids.map((id) => cached.get(id)?.summary?.username ?? cached.get(id)?.kind ?? '');
}

describe('search', () => {
  it('gives everything for nothing', async () => {
    expect(await search(cached, '  ')).toEqual([...cached.keys()]);
  });

  it('finds by user name and by name, in any case, composed or not', async () => {
    expect(await found('AVERY.howard')).toContain('avery.howard@contoso.example');
    expect(await found('zoë')).toEqual(await found('zoe\u0308'));
    expect(await found('zoë')).toHaveLength(1);
  });

  it('wants every word, wherever it is', async () => {
    const [one] = await found('avery howard');
    expect(one).toBe('avery.howard@contoso.example');
    expect(await found('avery zoë')).toEqual([]);
  });

  it('finds by the name of a claim', async () => {
    expect((await found('preferred_username')).length).toBeGreaterThan(0);
    expect(await found('no_such_claim')).toEqual([]);
  });

  it('finds a number by all its digits', async () => {
    const claims = Buffer.from('{"uid":1234567890123456789}').toString('base64url');
    const token = { ...FIELDS, secret: `e30.${claims}.c2ln` };
    const one = cachedAccounts(cacheOf(JSON.stringify({ AccessToken: { k: token } }))).byId;
    expect(await search(one, '1234567890123456789')).toHaveLength(1);
    expect(await search(one, '1234567890123456780')).toEqual([]);
  });

  it('finds apps that have no user', async () => {
    const app = [...cached.values()].find(({ kind }) => kind === 'app');
    expect(await search(cached, app!.accessTokens[0]!.client_id)).toContain(app!.id);
  });

  it('never finds by a secret or a signature', async () => {
    for (const secret of secretsIn(text)) expect(await found(secret)).toEqual([]);
  });

  it('finds by scope, audience, tenant, client and what a claim says', async () => {
    const cache = cacheOf(manyAccounts(3, 2_000_000_000));
    const many = cachedAccounts(cache).byId;
    const names = async (words: string) =>
      (await search(many, words)).map((id) => many.get(id)!.summary!.username);
    expect(await names('orders.read')).toHaveLength(3);
    expect(await names('api://user.read tenant-1')).toEqual(['user1@tenant-1.example']);
    expect(await names('User.Read-2')).toEqual(['user2@tenant-2.example']);
    expect(await names('oid-0 app')).toEqual(['user0@tenant-0.example']);
  });
});

describe('many accounts', () => {
  it('are searched without keeping the process busy for long at a stretch, and quickly the second time', async () => {
    const many = cachedAccounts(cacheOf(manyAccounts(10_000, 2_000_000_000))).byId;
    const pauses = watchTheLoop();
    const begun = cpuTime();
    expect(await search(many, 'user9999@')).toHaveLength(1);
    const first = cpuTime() - begun;
    const longest = pauses.stop();
    const begunAgain = cpuTime();
    expect(await search(many, 'tenant-42 orders')).toHaveLength(100);
    const second = cpuTime() - begunAgain;
    console.log(
      `first ${first.toFixed(0)} ms, its longest stretch ${longest.toFixed(0)} ms, second ${second.toFixed(0)} ms`,
    );
    // Compares CPU times with each other, so that neither the machine's speed nor its load matters.
    expect(longest).toBeLessThan(first / 3);
    expect(second).toBeLessThan(first / 3);
  });

  it('are listed in a few hundred bytes each', async () => {
    const list = await accountList(cacheOf(manyAccounts(1_000, 2_000_000_000)), 2_000_000_000);
    expect(list.accounts).toHaveLength(1_000);
    expect(list.accounts[7]?.name).toBe('User Number 7');
    expect(JSON.stringify(list).length).toBeLessThan(600_000);
  });
});

/** Returns the CPU time of this process, in milliseconds. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Measures the longest CPU time, in milliseconds, for which nothing else in this process got its turn. */
function watchTheLoop(): { stop: () => number } {
  let longest = 0;
  let last = cpuTime();
  const timer = setInterval(() => {
    const now = cpuTime();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  return {
    stop: () => {
      clearInterval(timer);
      return Math.max(longest, cpuTime() - last);
    },
  };
}
