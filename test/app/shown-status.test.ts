/** The window, the menu bar, notices and the command show the same status of an account, whatever is stored and whatever has happened. */
import { expect, it } from 'vitest';
import { expiryNotices, menuBarItems } from '../../app/background.ts';
import { TokenCache } from '../../src-main/cache/index.ts';
import { shownStatus, STATUS_TITLES, type StatusId } from '../../src-main/cache/shown-status.ts';
import { peopleIn, VAULT } from '../../src-main/cli/people.ts';
import { type AccountHistory, changeHistory } from '../../src-main/accounts/account-history.ts';
import { accountList } from '../../src-main/ipc/account-views.ts';
import { cachedAccounts } from '../../src-main/accounts/cached-accounts.ts';
import type { FoundSource } from '../../src-main/sources/find.ts';
import {
  accountStatus,
  statusId,
  statusSentence,
  statusWords,
} from '../../src-renderer/state/accountStatus.ts';
import { signInOf } from './sign-in/fake-issuer.ts';

const START = 1_800_000_000;
const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** The account's tokens in a cache: an access token for an hour, and perhaps a refresh token. */
type Stored = 'both' | 'access' | 'none';

interface Case {
  vault: Stored;
  /** The lifetime of the refresh token in the vault, in seconds. */
  refreshLife?: number;
  /** In the opened cache of another program. */
  other?: Stored;
  happened?: Partial<AccountHistory>;
  /** Seconds since the tokens were stored. */
  after: number;
  id: StatusId;
  says: string;
  /** In the menu bar; by default the group. */
  menu?: string;
  notice?: string;
}

const imported = { source: '/home/ada/cache.json', shared: true };
const refused = (reason: 'refused' | 'expired' | 'revoked', at = START + MINUTE) => ({
  refusal: { reason, at, code: 'invalid_grant' },
});

const cases: readonly Case[] = [
  { vault: 'both', after: MINUTE, id: 'active', says: 'Active, renews itself' },
  { vault: 'both', after: 2 * HOUR, id: 'active', says: 'Active, renews itself' },
  { vault: 'both', happened: imported, after: MINUTE, id: 'active', says: 'Active, renews itself' },
  { vault: 'both', happened: imported, after: 2 * HOUR, id: 'unknown', says: 'Unknown, never tried' },
  // It was imported, and has been refreshed here since.
  {
    vault: 'both',
    happened: { ...imported, shared: false },
    after: 2 * HOUR,
    id: 'active',
    says: 'Active, renews itself',
  },
  { vault: 'none', other: 'both', after: MINUTE, id: 'active', says: 'Active, renews itself' },
  { vault: 'none', other: 'both', after: 2 * HOUR, id: 'unknown', says: 'Unknown, never tried' },
  { vault: 'both', other: 'both', after: 2 * HOUR, id: 'active', says: 'Active, renews itself' },
  // The provider said how long the refresh token lives.
  { vault: 'both', refreshLife: 2 * HOUR, after: MINUTE, id: 'active', says: 'Active, renews itself' },
  {
    vault: 'both',
    refreshLife: 2 * HOUR,
    after: 2 * HOUR - 5 * MINUTE,
    id: 'active',
    says: 'Active, renews itself',
    menu: 'Expires soon',
    notice: 'u1 expires in 5 min',
  },
  {
    vault: 'both',
    refreshLife: 2 * HOUR,
    after: 2 * HOUR,
    id: 'needs-sign-in',
    says: 'Needs sign-in, expired 10:00',
  },
  {
    vault: 'both',
    refreshLife: 30 * MINUTE,
    after: 40 * MINUTE,
    id: 'until',
    says: 'Active until 09:00, can’t renew itself',
    menu: 'Active: 1',
  },
  {
    vault: 'both',
    refreshLife: 30 * MINUTE,
    after: 2 * HOUR,
    id: 'needs-sign-in',
    says: 'Needs sign-in, expired 09:00',
  },
  {
    vault: 'both',
    refreshLife: 2 * HOUR,
    happened: imported,
    after: 2 * HOUR - MINUTE,
    id: 'unknown',
    says: 'Unknown, never tried',
  },
  {
    vault: 'both',
    refreshLife: 2 * HOUR,
    happened: imported,
    after: 2 * HOUR,
    id: 'needs-sign-in',
    says: 'Needs sign-in, expired 10:00',
  },
  // The only refresh token is the other program's.
  { vault: 'access', other: 'both', after: 2 * HOUR, id: 'unknown', says: 'Unknown, never tried' },
  {
    vault: 'access',
    after: MINUTE,
    id: 'until',
    says: 'Active until 09:00, can’t renew itself',
    menu: 'Active: 1',
  },
  {
    vault: 'access',
    after: HOUR - 5 * MINUTE,
    id: 'until',
    says: 'Active until 09:00, can’t renew itself',
    menu: 'Expires soon',
    notice: 'u1 expires in 5 min',
  },
  { vault: 'access', after: HOUR, id: 'needs-sign-in', says: 'Needs sign-in, expired 09:00' },
  {
    vault: 'access',
    happened: imported,
    after: 2 * HOUR,
    id: 'needs-sign-in',
    says: 'Needs sign-in, expired 09:00',
  },
  ...(['refused', 'expired', 'revoked'] as const).flatMap((reason): Case[] => [
    {
      vault: 'both',
      happened: refused(reason),
      after: 2 * MINUTE,
      id: 'needs-sign-in',
      says: `Needs sign-in, ${reason} 08:01`,
    },
    {
      vault: 'both',
      happened: { ...imported, ...refused(reason) },
      after: 2 * HOUR,
      id: 'needs-sign-in',
      says: `Needs sign-in, ${reason} 08:01`,
    },
  ]),
  // Something newer was stored since.
  {
    vault: 'both',
    happened: refused('refused', START - MINUTE),
    after: 2 * HOUR,
    id: 'active',
    says: 'Active, renews itself',
  },
];

function cacheWith(stored: Stored, refreshLife = 0): TokenCache {
  const cache = new TokenCache({ now: () => START });
  if (stored === 'none') return cache;
  const event = signInOf('https://id.example', 'u1', 'u1');
  const { refresh_token, ...access } = event.response;
  // Keycloak's name for the lifetime; 0 stands for no limit.
  const refresh = { refresh_token, refresh_expires_in: refreshLife };
  cache.add({ ...event, response: stored === 'both' ? { ...access, ...refresh } : access });
  return cache;
}

it.each(cases)(
  '$says: $vault in the vault for $refreshLife s, $other elsewhere, $happened, after $after s',
  async (one) => {
    const now = START + one.after;
    const cache = cacheWith(one.vault, one.refreshLife);
    const other = cacheWith(one.other ?? 'none');
    const [id] = cachedAccounts(cache).byId.keys();
    if (id !== undefined) changeHistory(cache, id, one.happened ?? {});
    const places = one.other === undefined ? [] : [{ id: 'azure-cli', name: 'Azure CLI', cache: other }];

    const { accounts } = await accountList(cache, now, places);
    expect(accounts).toHaveLength(1);
    const account = accounts[0]!;
    const said = accountStatus(account, now, 'UTC');
    expect({ id: said.id, says: statusSentence(said) }).toEqual({ id: one.id, says: one.says });
    expect(statusId(account, now)).toBe(one.id);
    expect(statusWords(account, now)).toBe(one.says.replaceAll(/ \d\d:\d\d/g, ''));

    // The list may be an older one: time alone changes what is said of it.
    const [older] = (await accountList(cache, START, places)).accounts;
    if (one.happened?.refusal === undefined) {
      expect(accountStatus(older!, now, 'UTC')).toEqual(said);
      // It says beforehand when.
      let [at, steps] = [START, 0];
      for (;;) {
        const { changesAt } = shownStatus(older!, at);
        if (changesAt === null || changesAt > now) break;
        [at, steps] = [changesAt, steps + 1];
      }
      expect(steps).toBeLessThan(4);
      expect(shownStatus(older!, at).id).toBe(one.id);
    }

    const title = STATUS_TITLES[one.id];
    const group = one.id === 'needs-sign-in' ? title : `${title}: 1`;
    expect(menuBarItems([account], [], now)[0]?.label).toBe(one.menu ?? group);
    expect(
      expiryNotices()
        .look([account], now)
        .due.map((notice) => notice.title),
    ).toEqual(one.notice === undefined ? [] : [one.notice]);

    const opened = [
      { name: VAULT, cache, accounts: cache.accounts() },
      ...(one.other === undefined
        ? []
        : [{ name: 'azure-cli', cache: other, accounts: other.accounts(), source: {} as FoundSource }]),
    ];
    expect(peopleIn(opened, now).map(({ status }) => status.is)).toEqual([title]);
  },
);
