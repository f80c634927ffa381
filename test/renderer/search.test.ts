import { describe, expect, test } from 'vitest';
import { SEARCH_PAUSE, searchFound } from '../../src-renderer/state/accounts.ts';
import { accountName } from '../../src-renderer/state/groups.ts';
import { highlightedWords, parseSearch } from '../../src-renderer/state/search.ts';
import { apisNamed } from '../../src-renderer/state/wellKnown.ts';
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
