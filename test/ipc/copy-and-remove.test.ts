import { describe, expect, it } from 'vitest';
import { cacheOf, vectorText } from './vectors.ts';
import { windowOver } from './window.ts';
import { TokenCache } from '../../src-main/index.ts';
import { cachedAccounts } from '../../src-main/accounts/cached-accounts.ts';
import { copyQuestion, removeQuestion } from '../../src-main/ipc/questions.ts';
import { tenantOf } from '../../src-main/ipc/account-views.ts';
import { nameTenant } from '../../src-main/ipc/tenant-names.ts';
import { copiedText } from '../../src-main/ipc/copied-text.ts';
import { jwt } from '../cache/events.ts';
import { identify } from '../../src-main/ipc/token-views.ts';
import { signInOf } from '../app/sign-in/fake-issuer.ts';

const W = 'the window';
const open = async () => {
  const window = windowOver(cacheOf(vectorText('documents', 'msal-node-7-kitchen-sink.json')));
  const { accounts } = await window.ask.accounts(W);
  const avery = accounts.find(({ username }) => username === 'avery.howard@contoso.example')!;
  const tokens = await window.ask.tokens(W, avery.id);
  const access = tokens.find(({ type }) => type === 'AccessToken')!;
  const refresh = tokens.find(({ type }) => type === 'RefreshToken')!;
  return { ...window, avery, tokens, access, refresh };
};

it('copies nothing and reveals nothing if the vault was closed while the question was open', async () => {
  const { ask, access, refresh, user, copied } = await open();
  user.whileAsked = () => void (user.isAway = true);
  for (const { id } of [access, refresh]) {
    user.isAway = false;
    await expect(ask.copy(W, id)).rejects.toThrow('away');
    user.isAway = false;
    await expect(ask.reveal(W, id)).rejects.toThrow('away');
  }
  expect(copied).toEqual([]);
});

describe('"Don’t ask again for five minutes"', () => {
  it('is offered for access tokens only', async () => {
    const { ask, access, refresh, questions } = await open();
    await ask.copy(W, access.id);
    await ask.copy(W, refresh.id);
    expect(questions.map(({ option }) => option !== undefined)).toEqual([true, false]);
  });

  it('holds for five minutes, needs a click for each copy, and never covers a refresh token', async () => {
    const { ask, access, refresh, questions, user, gestures, copied } = await open();
    user.ticks = true;
    await ask.copy(W, access.id);
    user.now += 299;
    await ask.copy(W, access.id, 'header');
    expect(questions).toHaveLength(1);
    expect(gestures).toEqual(['used']);
    expect(copied).toHaveLength(2);
    await ask.copy(W, refresh.id);
    await ask.reveal(W, access.id);
    expect(questions).toHaveLength(3);
    user.now += 1;
    await ask.copy(W, access.id);
    expect(questions).toHaveLength(4);
  });

  it('counts for each yes where the settings say so, for access tokens only, and ends as it does otherwise', async () => {
    const { ask, access, refresh, questions, user, gestures, endConsent } = await open();
    user.asksRarely = true;
    await ask.copy(W, access.id);
    expect(questions[0]?.option).toBeUndefined();
    expect(questions[0]?.detail).toContain('For five minutes');
    await ask.copy(W, access.id);
    expect([questions.length, gestures]).toEqual([1, ['used']]);
    await ask.copy(W, refresh.id);
    expect(questions[1]?.detail).not.toContain('For five minutes');
    endConsent();
    user.agrees = false;
    await ask.copy(W, access.id);
    await ask.copy(W, access.id); // a refusal is not remembered
    expect(questions).toHaveLength(4);
  });

  it.each<[string, (here: Awaited<ReturnType<typeof open>>) => void]>([
    ['the window loses the focus', ({ leaving }) => leaving.forEach((call) => call())],
    ['the screen is locked', ({ endConsent }) => endConsent()],
    ['the clock is set back', ({ user }) => void (user.now -= 60)],
  ])('ends when %s', async (_what, end) => {
    const here = await open();
    here.user.ticks = true;
    await here.ask.copy(W, here.access.id);
    end(here);
    await here.ask.copy(W, here.access.id);
    expect(here.questions).toHaveLength(2);
  });

  it('is not given where the box was not ticked, by a no, or for another window', async () => {
    const here = await open();
    await here.ask.copy(W, here.access.id);
    Object.assign(here.user, { agrees: false, ticks: true });
    await here.ask.copy(W, here.access.id);
    here.user.agrees = true;
    await here.ask.copy(W, here.access.id);
    await here.ask.copy('another window', here.access.id);
    expect(here.questions).toHaveLength(4);
  });
});

describe('removing tokens', () => {
  it('removes these from the vault and no others, and records it', async () => {
    const { ask, access, tokens, avery, questions } = await open();
    const ofApp = tokens.filter(({ client_id }) => client_id === access.client_id);
    expect(ofApp.length).toBeGreaterThan(1);
    expect(
      await ask.removeTokens(
        W,
        ofApp.map(({ id }) => id),
      ),
    ).toBe(ofApp.length);
    expect(questions[0]).toMatchObject({
      message: `Remove ${ofApp.length} tokens of this app from the vault?`,
      yes: 'Remove',
    });
    const left = await ask.tokens(W, avery.id);
    expect(left.map(({ id }) => id)).toEqual(
      tokens.filter((one) => !ofApp.includes(one)).map(({ id }) => id),
    );
    expect((await ask.activity(W, avery.id)).events[0]).toMatchObject({
      kind: 'removal',
      tokens: ofApp.length,
    });
  });

  it('removes nothing where the user declines, or one is gone', async () => {
    const { ask, access, tokens, avery, user } = await open();
    user.agrees = false;
    expect(await ask.removeTokens(W, [access.id])).toBeNull();
    user.agrees = true;
    await expect(ask.removeTokens(W, [access.id, `${avery.id}.nothing`])).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    await expect(ask.removeTokens(W, [])).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(await ask.tokens(W, avery.id)).toHaveLength(tokens.length);
  });
});

describe('a question about a token', () => {
  const accountWith = (issuer: string, changes: Record<string, unknown> = {}) => {
    const cache = new TokenCache();
    const event = signInOf(issuer, 'ada', 'ada');
    cache.add({ ...event, response: { ...event.response, ...changes } });
    const [account] = cachedAccounts(cache).byId.values();
    return { account: account!, token: identify(account!).find(({ type }) => type === 'AccessToken')! };
  };

  it('tells users of the same name at two issuers of one host apart', () => {
    const details = ['prod', 'test'].map((realm) => {
      const { account, token } = accountWith(`https://sso.example/realms/${realm}`);
      return copyQuestion(account, token, { quiet: false }).detail;
    });
    expect(details[0]).toContain('Issuer: https://sso.example/realms/prod\n');
    expect(details[0]).not.toBe(details[1]);
  });

  it('names the tenant in which the account is a guest, and the API', () => {
    const cache = cacheOf(vectorText('documents', 'msal-node-7-kitchen-sink.json'));
    const accounts = [...cachedAccounts(cache).byId.values()];
    const guest = accounts.find(({ summary }) => (summary?.tenants.length ?? 0) > 1)!;
    const [home, away] = guest.summary!.tenants.map(({ realm }) => realm);
    const questions = identify(guest)
      .filter(({ type }) => type === 'AccessToken')
      .map((token) => {
        const realm = String(token.token['realm']);
        const tenant = tenantOf(cache, guest, realm);
        return { realm, detail: copyQuestion(guest, token, { tenant, quiet: false }).detail };
      });
    expect(new Set(questions.map(({ realm }) => realm))).toEqual(new Set([home, away]));
    for (const { realm, detail } of questions) expect(detail.includes('Tenant: ')).toBe(realm === away);
    nameTenant(cache, away!, 'Fabrikam');
    const tenant = tenantOf(cache, guest, away!.toUpperCase());
    expect(tenant).toEqual({ realm: away!.toUpperCase(), name: 'Fabrikam' });
    const [token] = identify(guest);
    expect(copyQuestion(guest, token!, { tenant, quiet: false }).detail).toContain(
      `Tenant: Fabrikam (${away!.toUpperCase()})\n`,
    );
    const graph = accountWith('https://sso.example', {
      access_token: jwt({ aud: '00000003-0000-0000-c000-000000000000' }),
    });
    expect(copyQuestion(graph.account, graph.token, { quiet: false }).detail).toContain(
      'For: Microsoft Graph, 00000003-0000-0000-c000-000000000000\n',
    );
  });

  it('names no API in a curl command where a token has several audiences', () => {
    const secret = jwt({ aud: ['https://graph.microsoft.com/', 'https://other.example'] });
    const { account, token } = accountWith('https://sso.example', { access_token: secret });
    expect(copiedText(account, token, 'curl', 'linux')).toMatch(/'https:\/\/API'$/);
  });

  it.each([
    ['linux', 'a.b-c', `curl --header 'Authorization: Bearer a.b-c' 'https://API'`],
    ['linux', `a'b`, String.raw`curl --header 'Authorization: Bearer a'\''b' 'https://API'`],
    ['win32', 'a.b-c', `curl.exe --header "Authorization: Bearer a.b-c" "https://API"`],
    ['win32', `$a'b`, `curl.exe --header 'Authorization: Bearer $a''b' "https://API"`],
    ['win32', '%PATH%', `curl.exe --header 'Authorization: Bearer %PATH%' "https://API"`],
  ] as const)('quotes a curl command for the shells of %s: %s', (platform, access_token, command) => {
    const { account, token } = accountWith('https://sso.example', { access_token, scope: 'read' });
    expect(copiedText(account, token, 'curl', platform)).toBe(command);
  });

  it('says that the app gets another one only where it has a refresh token, or is an app itself', () => {
    const detail = (changes: Record<string, unknown>) => {
      const { account, token } = accountWith('https://sso.example', changes);
      return removeQuestion(account, [token]).detail;
    };
    expect(detail({})).toContain('with a refresh token of this account');
    expect(detail({ refresh_token: undefined })).toContain('has to ask the user to sign in again');
    // Another app's refresh token of a family: nothing says that this app belongs to it.
    const family = new TokenCache();
    const event = signInOf('https://sso.example', 'ada', 'ada');
    const { refresh_token: _, ...response } = event.response;
    family.add({ ...event, response: { ...event.response, access_token: 'other', foci: '1' } });
    family.add({ ...event, client_id: 'alone', response });
    const [ada] = cachedAccounts(family).byId.values();
    const [alone] = identify(ada!).filter(
      ({ type, token }) => type === 'AccessToken' && token.client_id === 'alone',
    );
    expect(removeQuestion(ada!, [alone!]).detail).toContain('The app may be able to get a new one');
    const cache = new TokenCache();
    cache.add({
      client_id: 'nightly',
      scope: ['api'],
      token_endpoint: 'https://sso.example/token',
      grant_type: 'client_credentials',
      response: { token_type: 'Bearer', expires_in: 3600, access_token: 'of the app' },
    });
    const [app] = cachedAccounts(cache).byId.values();
    expect(removeQuestion(app!, identify(app!)).detail).toContain('with its own credentials');
  });
});
