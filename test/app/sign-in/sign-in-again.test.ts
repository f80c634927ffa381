/** “Sign in again” begins with what is known of the account: its app, its provider or tenant, its scopes and its user name. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type SignIn, signIn } from '../../../app/sign-in/sign-in.ts';
import { memoryKeychain, openVault, type Vault } from '../../../src-main/index.ts';
import { cachedAccounts } from '../../../src-main/accounts/cached-accounts.ts';
import { tokenResponse } from '../../../src-main/testing/index.ts';
import { draftOf, json, metadataOf, quietPorts } from './fake-issuer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ISSUER = 'https://sso.example/employer';
const TENANT = '72f988bf-0000-4000-8000-2d7cd011db47';
const PERSONAL = '9188040d-6c67-4c5b-b112-36a304b66dad';

let vault: Vault;
let signing: SignIn<null>;
let opened: URL[];

beforeEach(async () => {
  const folder = temporaryFolder();
  vault = await openVault({ file: join(folder, 'vault'), keychain: memoryKeychain() });
  opened = [];
  signing = signIn<null>({
    ...quietPorts(folder, () => vault),
    openBrowser: (url) => Promise.resolve(void opened.push(new URL(url))),
    confirm: () => Promise.resolve(true),
    fetch: () => Promise.resolve(json(metadataOf(ISSUER))),
  });
});
afterEach(async () => {
  await signing.handlers.cancelSignIn(null);
  await signing.idle();
  signing.stop();
  await vault.close();
});

async function add(issuer: string): Promise<string> {
  const event = tokenResponse({ username: 'ada@contoso.example', issuer });
  await vault.update((cache) => cache.add({ ...event, client_id: 'app' }));
  return vault.read((cache) => [...cachedAccounts(cache).byId.keys()][0]!);
}

it.each([
  [`https://login.microsoftonline.com/${TENANT}/v2.0`, 'microsoft', TENANT],
  [ISSUER, 'oidc', ISSUER],
  ...['login.microsoftonline.us', 'login.example'].map((host) => {
    const issuer = `https://${host}/${TENANT}/v2.0`;
    return [issuer, 'oidc', issuer] as const;
  }),
] as const)('without a profile: a draft for %s', async (issuer, kind, authority) => {
  const again = await signing.handlers.signInAgain(null, await add(issuer));
  expect(again).toMatchObject({
    profileId: null,
    draft: { kind, authority, client_id: 'app' },
    loginHint: 'ada@contoso.example',
  });
  expect(again.draft.scopes).toContain('files.read');
  expect(again.draft.scopes).not.toContain('openid');
});

it.each([
  ['common', TENANT, true],
  ['organizations', TENANT, true],
  ['consumers', TENANT, false],
  ['common', PERSONAL, true],
  ['consumers', PERSONAL, true],
  ['organizations', PERSONAL, false],
  ['contoso.example', TENANT, false],
])('a profile for %s fits an account of the tenant %s: %s', async (authority, tenant, fits) => {
  const profile = { ...draftOf(ISSUER), kind: 'microsoft' as const, authority };
  const { id } = await signing.handlers.saveProfile(null, profile, null);
  const account = await add(`https://login.microsoftonline.com/${tenant}/v2.0`);
  const again = await signing.handlers.signInAgain(null, account);
  expect(again.profileId).toBe(fits ? id : null);
});

it('a profile for the tenant fits better than one for all of them', async () => {
  const profile = { ...draftOf(ISSUER), kind: 'microsoft' as const };
  await signing.handlers.saveProfile(null, { ...profile, authority: 'common' }, null);
  const { id } = await signing.handlers.saveProfile(null, { ...profile, authority: TENANT }, null);
  const account = await add(`https://login.microsoftonline.com/${TENANT}/v2.0`);
  expect((await signing.handlers.signInAgain(null, account)).profileId).toBe(id);
});

it('with a profile: the profile, and the provider’s page gets client, scopes and login_hint', async () => {
  const draft = { ...draftOf(ISSUER), scopes: ['orders.read'] };
  const profile = await signing.handlers.saveProfile(null, draft, null);
  await signing.handlers.saveProfile(null, draftOf(ISSUER, 'other'), null);
  const { profileId, loginHint } = await signing.handlers.signInAgain(null, await add(ISSUER));
  expect(profileId).toBe(profile.id);
  await signing.handlers.signIn(null, profileId!, 'browser', loginHint);
  await expect.poll(() => opened).toHaveLength(1);
  expect(`${opened[0]!.origin}${opened[0]!.pathname}`).toBe(`${ISSUER}/authorize`);
  const asked = Object.fromEntries(opened[0]!.searchParams);
  expect(asked).toMatchObject({ client_id: 'app', login_hint: 'ada@contoso.example' });
  expect(asked['scope']?.split(' ')).toEqual(expect.arrayContaining(['openid', 'orders.read']));
});
