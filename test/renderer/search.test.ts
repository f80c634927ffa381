import { describe, expect, test } from 'vitest';
import { SEARCH_PAUSE, searchFound } from '../../src-renderer/state/accounts.ts';
import type { AccountItem } from '../../src-main/ipc/contract.ts';
import { accountName } from '../../src-renderer/state/groups.ts';
import { nextExpiry } from '../../src-renderer/state/overview.ts';
import { highlightedWords, matchesShown, parseSearch } from '../../src-renderer/state/search.ts';
import { apisNamed } from '../../src-renderer/state/wellKnown.ts';
import { account } from './fake/cast.ts';
import { type Stage, stage } from './fake/model.ts';

test.each([
  ['', []],
  ['  ', []],
  ['Ada  Marsh', ['any ada', 'any marsh']],
  ['"Azure CLI" ada', ['any azure cli', 'any ada']],
  ['app:azure tenant:Contoso is:EXPIRED', ['app azure', 'tenant contoso', 'is expired']],
  ['app:"Order Desk"', ['app order desk']],
  ['app: is:""', []],
  ['other:x https://a.example', ['any other:x', 'any https://a.example']],
  ['"never closed', ['any never closed']],
  ['“Azure CLI” source:Vault', ['any azure cli', 'source vault']],
  ['can’t', ["any can't"]],
  ['Zoe\u0308', ['any zoë']],
])('%j is read as %j', (search, terms) => {
  expect(parseSearch(search).map(({ field, text }) => `${field} ${text}`)).toEqual(terms);
});

test('what `is:` finds is in no text', () => {
  expect(highlightedWords('ada app:desk is:expired')).toEqual(['ada', 'desk']);
});

describe('a row', () => {
  const NOW = 1_800_000_000;
  const context = { tenants: new Map(), appNames: new Map(), now: NOW };
  const finds = (item: AccountItem, search: string) =>
    parseSearch(search).every((term) => matchesShown(item, term, context));

  test('that says “Expired” under Next expiry is found by it, whatever its status', () => {
    const active = account({ id: 'a', nextExpiry: null, lastExpiry: NOW - 60, status: { state: 'unknown' } });
    expect(nextExpiry(active, NOW).text).toBe('Expired');
    expect([finds(active, 'expired'), finds(active, 'EXPIRED unknown')]).toEqual([true, true]);
    expect(finds({ ...active, nextExpiry: NOW + 60 }, 'expired')).toBe(false);
  });

  test('of a provider without tenants is found by its host, though the row shows a username', () => {
    const google = account({
      id: 'g',
      username: 'ada@gmail.example',
      authority_type: 'Generic',
      environment: 'accounts.google.com',
      tenants: [{ realm: '', local_account_id: '1' }],
    });
    expect([finds(google, 'tenant:accounts.google.com'), finds(google, 'google')]).toEqual([true, true]);
    expect(finds(google, 'tenant:contoso')).toBe(false);
  });

  test('of an app is found by what it says', () => {
    expect(finds(account({ id: 'x', kind: 'app' }), '"app without a user"')).toBe(true);
    expect(finds(account({ id: 'x', kind: 'orphan' }), '"without an account"')).toBe(true);
    expect(finds(account({ id: 'x' }), '"without a user"')).toBe(false);
  });
});

test('an API is searched for by its IDs and hosts', () => {
  expect(apisNamed('resource manager')).toEqual(
    expect.arrayContaining(['797f4846-ba00-4fd7-ba43-dac1f8f63013', 'management.azure.com']),
  );
  expect(apisNamed('no such api')).toEqual([]);
});

describe('a search finds what is on the screen', () => {
  const found = async ({ model, time }: Stage, text: string): Promise<string[]> => {
    model.accounts.search(text);
    await time.pass(SEARCH_PAUSE);
    return model.accounts.view
      .get()
      .shown.flatMap(({ accounts }) => accounts.map(accountName))
      .sort();
  };
  test.each([
    ['azure cli', ['Tomas Okafor']],
    ['app:azure', ['Tomas Okafor']],
    ['app:ada', []],
    ['"resource manager"', ['Tomas Okafor']],
    ['resource okafor', ['Tomas Okafor']],
    ['fabrikam.example', ['Ada Marsh', 'Lin Nakamura']],
    ['tenant:fabrikam', ['Ada Marsh', 'Lin Nakamura']],
    ['tenant:graph', []],
    ['is:needs-sign-in', ['Rosa Stein']],
    ['expired', ['Rosa Stein']],
    ['is:expired', ['Rosa Stein']],
    ['is:app', ['nightly-report']],
    ['is:active tomas', ['Tomas Okafor']],
    ['is:active rosa', []],
    ['is:nothing', []],
    ['source:vault is:app', ['nightly-report']],
    ['source:nothing', []],
    // While an operator has no value yet, the search finds every account.
    ['app:', ['1111…88bf', 'Ada Marsh', 'Lin Nakamura', 'Rosa Stein', 'Tomas Okafor', 'nightly-report']],
  ])('%s: %j', async (text, names) => {
    expect(await found(await stage(), text)).toEqual(names);
  });

  test('also the names of apps that only their tokens tell', async () => {
    const at = await stage();
    await at.model.accounts.nameApps();
    expect(await found(at, 'app:"order desk"')).toEqual(['Ada Marsh']);
    at.bridge.asked.length = 0;
    await at.model.accounts.nameApps();
    expect(at.bridge.asked).toEqual([]); // each app is looked up once
  });

  test('the programs that only name an account, as its row shows them', async () => {
    const at = await stage('sources');
    const { places } = at.model.accounts.view.get().byId.get('a001')!;
    expect(places).not.toContain('gh'); // GitHub CLI names Ada, but its tokens are not read
    expect(await found(at, 'source:github')).toEqual(['Ada Marsh']);
    expect(await found(at, 'github ada')).toEqual(['Ada Marsh']);
  });

  test('a search whose answer fails shows why', async () => {
    const at = await stage();
    at.world.failing.set('search', { code: 'unexpected', message: 'No.' });
    expect(await found(at, 'ada marsh')).toEqual([]);
    expect(at.model.accounts.view.get().error?.message).toBe('No.');
    expect(searchFound(at.model.accounts.view.get())).toBe('0 of 6');
    expect(searchFound(at.model.accounts.view.get(), { found: 1, of: 2 })).toBe('1 of 8');
  });
});
