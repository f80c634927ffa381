import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RefreshReport } from '../../../app/contract.ts';
import { autoRefresh, choiceAt, dueTokens } from '../../../app/sign-in/auto-refresh.ts';
import { TokenCache, type TokenResponseEvent } from '../../../src-main/index.ts';
import { cachedAccounts } from '../../../src-main/ipc/index.ts';
import { fakeTime } from '../../renderer/fake/time.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ACCOUNT = 'account-id';
const down: RefreshReport = { refreshed: 0, problem: { code: 'provider_unreachable', message: 'Down.' } };

/** An auto-refresh of one account, with a clock that the test turns. `dueTimes`: of its tokens, by what identifies them. */
function autoRefreshOf(
  time: ReturnType<typeof fakeTime>,
  dueTimes: () => Record<string, number>,
  refresh: () => RefreshReport,
): ReturnType<typeof autoRefresh> {
  return autoRefresh({
    due() {
      const tokens = Object.entries(dueTimes()).map(([token, at]) => ({ token, at }));
      return Promise.resolve([{ account: ACCOUNT, tokens }]);
    },
    refresh: () => Promise.resolve(refresh()),
    now: () => Math.floor(time.now() / 1000),
    after: time.after,
    onChange: () => undefined,
    onUnexpected(error) {
      throw error;
    },
  });
}

function scheduler(answer: () => RefreshReport, lifetime = 3600) {
  const time = fakeTime(1_000_000);
  const seconds = () => Math.floor(time.now() / 1000);
  let expires = seconds() + lifetime;
  const tries: number[] = [];
  const fresh = autoRefreshOf(
    time,
    () => ({ [`until ${expires}`]: expires - 360 }),
    () => {
      tries.push(seconds() - 1000);
      const report = answer();
      if (report.problem === null) expires = seconds() + lifetime;
      return report;
    },
  );
  return { fresh, time, tries };
}

describe('keeping fresh', () => {
  it('refreshes six minutes before each end', async () => {
    const { fresh, time, tries } = scheduler(() => ({ refreshed: 1, problem: null }));
    await fresh.look();
    await time.pass(3 * 3_600_000);
    expect(tries).toEqual([3240, 6480, 9720]);
  });

  it('waits longer after each failure, and as before once it works again', async () => {
    let working = false;
    const { fresh, time, tries } = scheduler(() => (working ? { refreshed: 1, problem: null } : down));
    await fresh.look();
    await time.pass(3_450_000);
    expect(tries).toEqual([3240, 3270, 3330, 3450]);
    expect(fresh.stateOf(ACCOUNT).problem?.code).toBe('provider_unreachable');
    working = true;
    await time.pass(240_000);
    expect(fresh.stateOf(ACCOUNT).problem).toBeNull();
  });

  it('never waits longer than half an hour', async () => {
    const { fresh, time, tries } = scheduler(() => down);
    await fresh.look();
    await time.pass(24 * 3_600_000);
    const waits = tries.slice(1).map((at, index) => at - tries[index]!);
    expect(Math.max(...waits)).toBe(1800);
  });

  it('stops if only the user can help, until a refresh succeeds', async () => {
    const again = { code: 'sign_in_again', message: 'Sign in.' };
    const { fresh, time, tries } = scheduler(() => ({ refreshed: 0, problem: again }));
    await fresh.look();
    await time.pass(12 * 3_600_000);
    expect(tries).toHaveLength(1);
    expect(fresh.stateOf(ACCOUNT)).toEqual({ nextTry: null, problem: again, unreplaced: 0 });
    fresh.heard(ACCOUNT, { refreshed: 1, problem: null });
    expect(fresh.stateOf(ACCOUNT).problem).toBeNull();
  });

  it('goes on if only the user can help with one token, and the others were renewed', async () => {
    const time = fakeTime(1_000_000);
    const seconds = () => Math.floor(time.now() / 1000);
    let expires = seconds() + 3600;
    const tries: number[] = [];
    const fresh = autoRefreshOf(
      time,
      () => ({ refused: 0, [`until ${expires}`]: expires - 360 }),
      () => {
        tries.push(seconds() - 1000);
        expires = seconds() + 3600;
        return { refreshed: 1, problem: { code: 'sign_in_again', message: 'Sign in.' } };
      },
    );
    await fresh.look();
    await time.pass(7_000_000);
    expect(tries).toEqual([0, 3240, 6480]);
    expect(fresh.stateOf(ACCOUNT)).toMatchObject({ problem: null, unreplaced: 1 });
  });

  it('goes on after a pause once the account has other tokens, or the user has done something', async () => {
    const time = fakeTime(1_000_000);
    const tries: string[] = [];
    let token = 'first';
    const fresh = autoRefreshOf(
      time,
      () => ({ [token]: 0 }),
      () => {
        tries.push(token);
        return { refreshed: 0, problem: { code: 'profile_unknown', message: 'Add a profile.' } };
      },
    );
    await fresh.look();
    await fresh.look();
    expect(tries).toEqual(['first']);
    token = 'of another program';
    await fresh.look();
    await fresh.look();
    expect(tries).toEqual(['first', 'of another program']);
    await fresh.goOn();
    expect(tries).toHaveLength(3);
  });

  it('goes on once a refused account, which is not due until then, has been signed in elsewhere', async () => {
    const time = fakeTime(1_000_000);
    let tokens: Record<string, number> = { first: 0 };
    let problem: RefreshReport['problem'] = { code: 'sign_in_again', message: 'Sign in.' };
    let tries = 0;
    const fresh = autoRefreshOf(
      time,
      () => tokens,
      () => {
        tries += 1;
        tokens = {}; // The refusal is stored.
        return { refreshed: problem === null ? 1 : 0, problem };
      },
    );
    await fresh.look();
    await fresh.look();
    expect(fresh.stateOf(ACCOUNT).problem?.code).toBe('sign_in_again');
    tokens = { 'of another program': 0 };
    problem = null;
    await fresh.look();
    expect(tries).toBe(2);
    expect(fresh.stateOf(ACCOUNT).problem).toBeNull();
  });

  it('waits longer and longer while each new token is due at once, although each success is a change', async () => {
    const time = fakeTime(1_000_000);
    const seconds = () => Math.floor(time.now() / 1000);
    const tries: number[] = [];
    const fresh = autoRefreshOf(
      time,
      () => ({ [`after ${tries.length}`]: 0 }),
      () => {
        tries.push(seconds() - 1000);
        void fresh.look(); // as the vault’s change event does
        return { refreshed: 1, problem: null };
      },
    );
    await fresh.look();
    await time.pass(450_000);
    expect(tries).toEqual([0, 30, 90, 210, 450]);
    expect(fresh.stateOf(ACCOUNT)).toEqual({ nextTry: 1000 + 690, problem: null, unreplaced: 0 });
    await time.pass(24 * 3_600_000);
    const waits = tries.slice(1).map((at, index) => at - tries[index]!);
    expect(Math.max(...waits)).toBe(240);
    fresh.heard(ACCOUNT, { refreshed: 1, problem: null }); // by the user
    tries.length = 0;
    const from = seconds() - 1000;
    await fresh.look();
    await time.pass(30_000);
    expect(tries.map((at) => at - from)).toEqual([0, 30]);
    fresh.stop();
  });

  it('refreshes tokens of a second’s lifetime twice a minute', async () => {
    const { fresh, time, tries } = scheduler(() => ({ refreshed: 1, problem: null }), 361);
    await fresh.look();
    await time.pass(91_000);
    expect(tries).toEqual([1, 31, 61, 91]);
    fresh.stop();
  });

  it('refreshes once for a token that no refresh replaces, and again once there is another', async () => {
    const time = fakeTime(1_000_000);
    let tries = 0;
    let token = 'left';
    const fresh = autoRefreshOf(
      time,
      () => ({ [token]: 0 }),
      () => {
        tries += 1;
        if (token === 'another') token = 'replaced';
        void fresh.look(); // as the vault’s change event does
        return { refreshed: 1, problem: null };
      },
    );
    await fresh.look();
    await time.pass(24 * 3_600_000);
    expect(tries).toBe(1);
    expect(fresh.stateOf(ACCOUNT)).toEqual({ nextTry: null, problem: null, unreplaced: 1 });
    token = 'another';
    await fresh.look();
    expect(tries).toBe(2);
    expect(fresh.stateOf(ACCOUNT).unreplaced).toBe(0);
    fresh.stop();
  });

  it('tries a token again that no refresh replaces when the user turns auto-refresh off and on', async () => {
    const time = fakeTime(1_000_000);
    let isOn = true;
    let tries = 0;
    const fresh = autoRefreshOf(
      time,
      (): Record<string, number> => (isOn ? { left: 0 } : {}),
      () => {
        tries += 1;
        return { refreshed: 1, problem: null };
      },
    );
    await fresh.look();
    isOn = false;
    await fresh.look();
    expect(fresh.stateOf(ACCOUNT).unreplaced).toBe(0);
    isOn = true;
    await fresh.look();
    await time.pass(3_600_000);
    expect(tries).toBe(2);
    fresh.stop();
  });

  it('keeps tokens of five minutes valid beside one that no refresh replaces', async () => {
    const time = fakeTime(1_000_000);
    const seconds = () => Math.floor(time.now() / 1000);
    let expires = seconds() + 300;
    let expired = 0;
    let tries = 0;
    const fresh = autoRefreshOf(
      time,
      () => ({ left: 0, [`until ${expires}`]: expires - 75 }),
      () => {
        tries += 1;
        expired += Math.max(0, seconds() - expires);
        expires = seconds() + 300;
        return { refreshed: 1, problem: null };
      },
    );
    await fresh.look();
    await time.pass(6 * 3_600_000);
    expect(expired).toBe(0);
    expect(tries).toBe(1 + (6 * 3600) / 225);
    fresh.stop();
  });

  it.each(['due', 'refresh'] as const)('looks again after an error while it looked: in %s', async (name) => {
    const time = fakeTime(1_000_000);
    let isDown = true;
    let refreshed = 0;
    const unexpected: unknown[] = [];
    const mayFail = (at: typeof name): void => {
      if (isDown && at === name) throw new Error('The vault is busy.');
    };
    const fresh = autoRefresh({
      async due() {
        mayFail('due');
        return Promise.resolve(
          refreshed === 0 ? [{ account: ACCOUNT, tokens: [{ token: 'before', at: 0 }] }] : [],
        );
      },
      async refresh() {
        mayFail('refresh');
        refreshed += 1;
        return Promise.resolve({ refreshed: 1, problem: null });
      },
      now: () => Math.floor(time.now() / 1000),
      after: time.after,
      onChange: () => undefined,
      onUnexpected: (error) => void unexpected.push(error),
    });
    await fresh.look();
    await time.pass(600_000);
    expect(unexpected).toHaveLength(2);
    isDown = false;
    await time.pass(600_000);
    expect(refreshed).toBe(1);
    fresh.stop();
  });

  it('plans a refresh as long as it is in progress, but not after an error while it looked', async () => {
    let isDown = false;
    const planned: (number | null)[] = [];
    const fresh = autoRefresh({
      due: () =>
        isDown
          ? Promise.reject(new Error('down'))
          : Promise.resolve([{ account: ACCOUNT, tokens: [{ token: `after ${planned.length}`, at: 900 }] }]),
      refresh() {
        planned.push(fresh.stateOf(ACCOUNT).nextTry);
        return Promise.resolve({ refreshed: 1, problem: null });
      },
      now: () => 1000,
      after: () => () => undefined,
      onChange: () => undefined,
      onUnexpected: () => undefined,
    });
    await fresh.look();
    expect([...planned, fresh.stateOf(ACCOUNT).nextTry]).toEqual([900, 1030]);
    isDown = true;
    await fresh.look();
    expect(fresh.stateOf(ACCOUNT).nextTry).toBeNull();
  });

  it('does nothing more when it is stopped', async () => {
    const { fresh, time, tries } = scheduler(() => down);
    await fresh.look();
    fresh.stop();
    await time.pass(24 * 3_600_000);
    expect(tries).toEqual([]);
  });
});

describe('when tokens are due', () => {
  type Extra = Partial<Pick<TokenResponseEvent, 'scope' | 'data' | 'home_account_id'>>;
  const add = (cache: TokenCache, response: Record<string, unknown>, extra: Extra = {}) =>
    cache.add({
      client_id: 'c',
      scope: ['s'],
      token_endpoint: 'https://id.example/token',
      response: { access_token: 'at', refresh_token: 'rt', token_type: 'Bearer', ...response },
      home_account_id: 'a.b',
      ...extra,
    });
  const cacheWith = (response: Record<string, unknown>) => {
    const cache = new TokenCache({ now: () => 1000 });
    add(cache, response);
    return cache;
  };
  const due = (cache: TokenCache) => {
    const [account, ...others] = cachedAccounts(cache).byId.values();
    expect(others).toEqual([]);
    const times = dueTokens(account!).map(({ at }) => at);
    return times.length === 0 ? undefined : Math.min(...times);
  };

  it.each([
    ['six minutes before the end', { expires_in: 3600 }, 1000 + 3600 - 360],
    ['a quarter of a short life before it', { expires_in: 400 }, 1000 + 300],
    ['when the provider asked for it', { expires_in: 7200, refresh_in: 3600 }, 4600],
  ])('%s', (_name, response, at) => {
    expect(due(cacheWith(response))).toBe(at);
  });

  it('is a different token after a refresh, unless the answer is for other scopes', () => {
    let now = 1000;
    const cache = new TokenCache({ now: () => now });
    const tokens = () => {
      const [account] = cachedAccounts(cache).byId.values();
      return dueTokens(account!).map(({ token }) => token);
    };
    add(cache, { expires_in: 3600 });
    const [before] = tokens();
    now = 4000;
    add(cache, { expires_in: 3600 }, { scope: ['other'] });
    expect(tokens()).toHaveLength(2);
    expect(tokens()).toContain(before);
    now = 7000;
    add(cache, { expires_in: 3600 });
    expect(tokens()).toHaveLength(2);
    expect(tokens()).not.toContain(before);
  });

  it('never, where nobody knows when they expire', () => {
    expect(due(cacheWith({}))).toBeUndefined();
  });

  it('never, where no refresh token could renew them', () => {
    expect(due(cacheWith({ expires_in: 3600, refresh_token: undefined }))).toBeUndefined();
  });

  // A refresh for the scopes stores its answer beside each of these, so they stay due for ever.
  const special: [string, Record<string, unknown>, Extra][] = [
    ['an SSH certificate', { token_type: 'ssh-cert' }, { data: { key_id: 'k' } }],
    ['bound to a key (PoP)', { token_type: 'pop' }, { data: { key_id: 'k' } }],
    ['bound to a key (DPoP)', { token_type: 'DPoP' }, {}],
    ['for a resource', {}, { data: { resource: 'https://api.example' } }],
    ['for an audience', {}, { data: { audience: 'api' } }],
    ['on behalf of a user', {}, { data: { user_assertion_hash: 'h' } }],
    ['for requested claims', {}, { data: { requested_claims_hash: 'h' } }],
    ['for one agent', {}, { data: { fmi_path: 'agent' } }],
  ];
  it.each(special)('not for a token that a refresh does not renew: %s', (_name, response, extra) => {
    const cache = cacheWith({ expires_in: 3600 });
    add(cache, { access_token: 'other', expires_in: 60, ...response }, extra);
    expect(cache.find('AccessToken')).toHaveLength(2);
    expect(due(cache)).toBe(1000 + 3600 - 360);
  });

  it.each(special)('never, where all tokens are such tokens: %s', (_name, response, extra) => {
    const cache = new TokenCache({ now: () => 1000 });
    add(cache, { expires_in: 60, ...response }, extra);
    expect(due(cache)).toBeUndefined();
  });
});

it('is chosen for the user of one issuer, and not for that of another on the same host', () => {
  const file = join(temporaryFolder(), 'keep-fresh.json');
  const choice = choiceAt(file, () => 1000);
  const [alpha, beta] = ['alpha', 'beta'].map((realm) => ({
    home_account_id: '5',
    environment: 'sso.example',
    issuer: `https://sso.example/realms/${realm}`,
  }));
  choice.set(alpha!, true);
  expect([choice.has(alpha!), choice.has(beta!)]).toEqual([true, false]);
  choice.retain([beta!]);
  expect(choice.has(alpha!)).toBe(false);
});
