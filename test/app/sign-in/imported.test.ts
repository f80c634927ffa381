/** A sign-in to an account that was imported: what came from another program stays marked as that program's. */
import { describe, expect, it } from 'vitest';
import { addTokens } from '../../../app/sign-in/tokens.ts';
import type { Provider } from '../../../app/sign-in/provider.ts';
import {
  changeHistory,
  historyOf,
  markAllAsShared,
  mergeAsImport,
} from '../../../src-main/accounts/account-history.ts';
import { SerializableTokenCache } from '../../../src-main/cache/document/serializable-token-cache.ts';
import { TokenCache } from '../../../src-main/index.ts';
import { accountList, cachedAccounts, shownStatus } from '../../../src-main/ipc/index.ts';
import { jwt } from '../../cache/events.ts';
import { signInOf } from './fake-issuer.ts';

const ISSUER = 'https://sso.example/employer';
const FILE = '/home/ada/.cli/cache.json';
const NOW = 1_000_000;

/** A sign-in of ada by a client. */
const signInWith = (client_id: string, changes: Record<string, unknown> = {}, scope = ['openid']) => {
  const event = signInOf(ISSUER, 'ada', `ada with ${client_id}`);
  const id_token = jwt({ sub: 'ada', iss: ISSUER, aud: client_id });
  return { ...event, client_id, scope, response: { ...event.response, id_token, ...changes } };
};

/** Imports the sign-ins of another program, signs in here, and returns what the vault then knows of the account. */
function signedIn(imported: readonly ReturnType<typeof signInWith>[], here = signInWith('own')) {
  const cache = new TokenCache({ now: () => NOW });
  const document = new SerializableTokenCache({ now: () => NOW });
  for (const event of imported) document.add(event);
  mergeAsImport(cache, document, FILE);
  const [before] = cachedAccounts(cache).byId.keys();
  expect(historyOf(cache, before!)).toMatchObject({ shared: true, source: FILE });
  const provider = { issuer: ISSUER, client_id: here.client_id } as Provider;
  const account = addTokens(cache, here, provider, null, NOW);
  expect([...cachedAccounts(cache).byId.keys()]).toEqual([account!.id]);
  return { cache, history: historyOf(cache, account!.id) };
}

/** What another library writes, which knows no issuer. */
const withoutIssuer = ({ issuer: _, ...event }: ReturnType<typeof signInWith>) =>
  event as ReturnType<typeof signInWith>;

/** The detail of the only account's status when its access tokens have expired. */
async function statusOf(cache: TokenCache): Promise<string> {
  const [account] = (await accountList(cache, NOW + 7200)).accounts;
  return shownStatus(account!, NOW + 7200).detail;
}

describe('a sign-in to an imported account', () => {
  it.each([
    ['of another client', [signInWith('cli')]],
    ['of another client, without an issuer', [withoutIssuer(signInWith('cli'))]],
    [
      'of the same client for other scopes',
      [signInWith('own', { refresh_token: 'old' }, ['openid', 'mail'])],
    ],
    ['of another client, its ID token alone', [signInWith('cli', { refresh_token: undefined })]],
  ])('leaves the mark on what stays of the import: tokens %s', (_name, imported) => {
    expect(signedIn(imported).history).toMatchObject({
      shared: true,
      source: FILE,
      issuers: { own: ISSUER },
    });
  });

  it('removes the mark where it replaces all that was imported', () => {
    const { history } = signedIn([signInWith('own', { refresh_token: 'old' })]);
    expect(history).toMatchObject({ shared: false, source: null, issuers: { own: ISSUER } });
  });

  it('leaves the mark where the provider gave no new refresh token', () => {
    const here = signInWith('own', { refresh_token: undefined });
    expect(signedIn([signInWith('own', { refresh_token: 'old' })], here).history.shared).toBe(true);
  });

  it('removes the mark where several sign-ins replace all that was imported, one client after the other', () => {
    const { cache } = signedIn([signInWith('cli', { refresh_token: 'old' })]);
    const event = signInWith('cli');
    const account = addTokens(cache, event, { issuer: ISSUER, client_id: 'cli' } as Provider, null, NOW);
    const issuers = { own: ISSUER, cli: ISSUER };
    expect(historyOf(cache, account!.id)).toMatchObject({
      shared: false,
      ownClients: [],
      source: null,
      issuers,
    });
  });

  it('renews itself from then on, because a refresh token of it was obtained here', async () => {
    const { cache } = signedIn([signInWith('cli')]);
    expect(await statusOf(cache)).toBe('Renews itself');
  });

  it('does not renew itself for sure if the sign-in gave no refresh token', async () => {
    const { cache } = signedIn([signInWith('cli')], signInWith('own', { refresh_token: undefined }));
    expect(await statusOf(cache)).toBe('Never tried');
  });
});

describe('an import after a sign-in', () => {
  /** Signs in here with the client "cli", imports a newer sign-in of another program, and returns what the vault then knows. */
  function importedLater(client: string, isAgreed = false) {
    const first = signInWith('cli', { refresh_token: 'first' });
    const cache = isAgreed ? signedIn([first]).cache : new TokenCache({ now: () => NOW });
    const provider = { issuer: ISSUER, client_id: 'cli' } as Provider;
    const id = isAgreed
      ? [...cachedAccounts(cache).byId.keys()][0]!
      : addTokens(cache, first, provider, null, NOW)!.id;
    if (isAgreed) changeHistory(cache, id, { shared: false });
    const document = new SerializableTokenCache({ now: () => NOW + 60 });
    document.add(signInWith(client, { refresh_token: 'imported' }));
    mergeAsImport(cache, document, FILE);
    const history = historyOf(cache, id);
    expect(history).toMatchObject({ shared: true, source: FILE });
    return { cache, history };
  }

  it('was never tried if the refresh token that was obtained here was replaced by it', async () => {
    const { cache, history } = importedLater('cli');
    expect(cache.find('RefreshToken').map(({ secret }) => secret)).toEqual(['imported']);
    expect(await statusOf(cache)).toBe('Never tried');
    expect(history).toMatchObject({ ownClients: [], issuers: { cli: ISSUER } });
  });

  it.each([false, true])(
    'renews itself with another client’s refresh token; agreed to, not obtained here: %s',
    async (agreed) => {
      const { cache } = importedLater('new', agreed);
      expect(await statusOf(cache)).toBe('Renews itself');
    },
  );

  it('leaves no client its own once the whole document is marked', async () => {
    const { cache } = importedLater('new');
    markAllAsShared(cache, FILE);
    expect(await statusOf(cache)).toBe('Never tried');
  });
});
