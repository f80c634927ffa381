/** Two more public reports, reproduced: tokens in plain text behind a locked keyring, and a first run of MSAL Node that hangs. */
import { existsSync, readdirSync, readFile, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ICachePlugin, PublicClientApplication } from 'msal-node-7';
import { expect, it, onTestFinished } from 'vitest';
import { msalCachePlugin } from '../../src-main/msal/index.ts';
import { testVault, tokenResponse } from '../../src-main/testing/index.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const accountsWith = (cachePlugin: ICachePlugin) => {
  const auth = { clientId: 'test-app', authority: 'https://login.microsoftonline.com/contoso' };
  return new PublicClientApplication({ auth, cache: { cachePlugin } }).getTokenCache().getAllAccounts();
};

it('behind a locked keyring, a fallback leaves the refresh token in plain text, and a vault leaves nothing', async () => {
  const response = tokenResponse({ refresh_token: 'the refresh token' });
  // The reported way: what can't be encrypted is written in plain text, so that the user need not sign in again.
  const plain = join(temporaryFolder(), 'cache.json');
  const cache = new SerializableTokenCache();
  cache.add(response);
  const encrypt = (): never => {
    throw new Error('The keyring is locked.');
  };
  try {
    encrypt();
  } catch {
    writeFileSync(plain, cache.serialize());
  }
  expect(readFileSync(plain, 'utf8')).toContain('the refresh token');

  const { vault, file, mend, dispose } = await testVault({ state: 'locked', unprotected: 'memory' });
  onTestFinished(dispose);
  await vault.update((locked) => void locked.add(response));
  expect(vault.status).toMatchObject({ state: 'locked', held: 'memory' });
  const inTheClear = (): string[] =>
    readdirSync(dirname(file)).filter((name) =>
      readFileSync(join(dirname(file), name)).includes('the refresh token'),
    );
  expect(inTheClear()).toEqual([]);
  await mend();
  await vault.retry();
  expect(vault.status.state).toBe('ready');
  expect(inTheClear()).toEqual([]);
  expect(await vault.read((saved) => saved.find('RefreshToken').map(({ secret }) => secret))).toContain(
    'the refresh token',
  );
});

it('at the first run, a plugin that resolves only after a file was read hangs, and a vault answers', async () => {
  const missing = join(temporaryFolder(), 'cache.json');
  let wasAsked = false;
  // The reported way: the promise is settled only if the file was read.
  const hanging: ICachePlugin = {
    beforeCacheAccess: ({ tokenCache }) =>
      new Promise((resolve) => {
        readFile(missing, 'utf8', (error, text) => {
          wasAsked = true;
          if (error !== null) return;
          tokenCache.deserialize(text);
          resolve();
        });
      }),
    afterCacheAccess: () => Promise.resolve(),
  };
  let hasAnswered = false;
  void accountsWith(hanging).then(() => (hasAnswered = true));
  await expect.poll(() => wasAsked).toBe(true);

  const { vault, file, dispose } = await testVault({ users: [] });
  onTestFinished(dispose);
  expect(existsSync(missing)).toBe(false);
  expect(await accountsWith(msalCachePlugin(vault))).toEqual([]);
  await vault.update(
    (cache) => void cache.add(tokenResponse({ issuer: 'https://login.microsoftonline.com/contoso/v2.0' })),
  );
  expect((await accountsWith(msalCachePlugin(vault))).map(({ username }) => username)).toEqual([
    'ada@example.org',
  ]);
  expect(existsSync(file)).toBe(true);
  expect(hasAnswered).toBe(false); // though everything that MSAL does after an answer has had its turn
});
