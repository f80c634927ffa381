/** The app is updated while it runs: what then fails in a sign-in, a refresh or a sign-out is told as “Restart to finish the update”. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { SignInProgress } from '../../../app/contract.ts';
import { type SignIn, signIn } from '../../../app/sign-in/sign-in.ts';
import { UpdatedError } from '../../../app/updates.ts';
import { memoryKeychain, openVault, type Vault } from '../../../src-main/index.ts';
import { cachedAccounts } from '../../../src-main/accounts/cached-accounts.ts';
import { draftOf, json, metadataOf, quietEmit, quietPorts, signInOf } from './fake-issuer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ISSUER = 'https://sso.example';
const RESTART = {
  code: 'update_unfinished',
  message: expect.stringMatching(/^Restart to finish the update\./) as string,
};
/** What a module says that is not there any more. */
const gone = (): Error => new Error('Cannot find module');

let vault: Vault;
let signing: SignIn<null>;
let account: string;
let told: SignInProgress[];
let isReplaced: boolean;

beforeEach(async () => {
  const folder = temporaryFolder();
  vault = await openVault({ file: join(folder, 'vault'), keychain: memoryKeychain() });
  [told, isReplaced] = [[], false];
  signing = signIn<null>({
    ...quietPorts(folder, () => vault),
    openBrowser: () => (isReplaced ? Promise.reject(gone()) : Promise.resolve()),
    confirm: () => Promise.resolve(true),
    fetch: (input) => {
      const url = input instanceof Request ? input.url : String(input);
      if (isReplaced && !url.endsWith('openid-configuration')) return Promise.reject(gone());
      return Promise.resolve(json(metadataOf(ISSUER)));
    },
    emit: { ...quietEmit, signIn: (progress) => void told.push(progress) },
    onUnexpected: () => undefined,
    explain: (error) => new UpdatedError(error),
  });
  await signing.handlers.saveProfile(null, draftOf(ISSUER), null);
  await vault.update((cache) => cache.add(signInOf(ISSUER, 'u1', 'u1')));
  account = await vault.read((cache) => [...cachedAccounts(cache).byId.keys()][0]!);
});
afterEach(async () => {
  signing.stop();
  await vault.close();
});

it('says “Restart to finish the update” if a sign-in fails because of it', async () => {
  isReplaced = true;
  const [profile] = await signing.handlers.profiles(null);
  await signing.handlers.signIn(null, profile!.id, 'browser', null);
  await expect.poll(() => told.at(-1)).toMatchObject({ step: 'failed', error: RESTART });
});

it('says “Restart to finish the update” if a refresh fails because of it', async () => {
  isReplaced = true;
  expect((await signing.handlers.refreshNow(null, account, null)).problem).toMatchObject(RESTART);
});

it('says “Restart to finish the update” if the revocation or the end of the session fails because of it', async () => {
  isReplaced = true;
  const wishes = { vault: true, revoke: true, endSession: true, places: [] };
  expect(await signing.handlers.signOut(null, [account], wishes)).toMatchObject({
    receipts: [{ remaining: 0 }],
    revoked: { problem: RESTART },
    session: { problem: RESTART },
  });
});
