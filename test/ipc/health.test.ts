import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { memoryKeychain, openVault } from '../../src-main/index.ts';
import { health } from '../../src-main/ipc/health.ts';
import { argumentChecks } from '../../src-main/ipc/arguments.ts';
import { jwt } from '../cache/events.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { cacheOf, secretsIn } from './vectors.ts';
import { windowOver } from './window.ts';

const W = 'the window';

/** App metadata twice, under aliases, and a superseded refresh token. */
function troubled(): string {
  const environment = 'login.microsoftonline.com';
  const common = { home_account_id: 'ada.contoso', environment, client_id: 'app' };
  const refresh = (secret: string, last_modification_time: string) => ({
    ...common,
    credential_type: 'RefreshToken',
    secret,
    target: 'read',
    last_modification_time,
  });
  const account = {
    ...common,
    realm: 'contoso',
    local_account_id: 'ada',
    username: 'ada@contoso.example',
    authority_type: 'MSSTS',
  };
  return JSON.stringify({
    Account: { 'ada.contoso-login.microsoftonline.com-contoso': account },
    RefreshToken: {
      'ada.contoso-login.microsoftonline.com-refreshtoken-app--read': refresh('the-new-one', '1000'),
      'ada.contoso-login.windows.net-refreshtoken-app----': {
        ...refresh('the-old-one', '500'),
        environment: 'login.windows.net',
      },
    },
    AppMetadata: {
      'appmetadata-login.microsoftonline.com-app': { client_id: 'app', environment },
      'appmetadata-login.windows.net-app': { client_id: 'app', environment: 'login.windows.net' },
    },
  });
}

it('finds, repairs in one update, and takes it back', async () => {
  const text = troubled();
  const cache = cacheOf(text);
  const { ask, vault, user } = windowOver(cache);
  const report = await ask.examine(W);
  expect(report).toMatchObject({ total: report.findings.length, repairable: 2, last: null });
  expect(report.findings.map(({ kind }) => kind).sort()).toEqual(['duplicate-app', 'shadowed-refresh-token']);

  const [first] = report.findings;
  const one = await ask.repair(W, [first!.id]);
  expect(one).toEqual({ at: user.now, difference: first!.repair });
  expect((await ask.examine(W)).total).toBe(1);
  await ask.repair(W, null);
  expect(vault.asked).toEqual(['update', 'update']);
  const clean = await ask.examine(W);
  expect(clean).toMatchObject({ findings: [], total: 0, repairable: 0 });
  expect(clean.last?.difference.removed).toHaveLength(1);
  expect(cache.find('RefreshToken').map(({ secret }) => secret)).toEqual(['the-new-one']);

  await ask.undoRepair(W);
  await ask.undoRepair(W);
  expect((await ask.examine(W)).findings).toEqual(report.findings);
  await expect(ask.undoRepair(W)).rejects.toThrow('no repair to undo');
  for (const secret of secretsIn(text)) expect(JSON.stringify([report, one, clean])).not.toContain(secret);
});

it('repairs nothing under an id that is not there', async () => {
  const { ask } = windowOver(cacheOf(troubled()));
  expect((await ask.repair(W, ['no-such-finding'])).difference).toEqual({
    removed: [],
    added: [],
    changed: [],
  });
  expect((await ask.examine(W)).total).toBe(2);
});

it('can be asked for again where taking back was refused', async () => {
  const { ask, vault } = windowOver(cacheOf(troubled()));
  await ask.repair(W, null);
  const { update } = vault;
  vault.update = () => Promise.reject(new Error('no disk'));
  await expect(ask.undoRepair(W)).rejects.toThrow('no disk');
  vault.update = update;
  await ask.undoRepair(W);
  expect((await ask.examine(W)).total).toBe(2);
});

it('forgets no earlier repair where one is taken back twice at once', async () => {
  const { ask } = windowOver(cacheOf(troubled()));
  const [first, second] = (await ask.examine(W)).findings;
  const earlier = await ask.repair(W, [first!.id]);
  await ask.repair(W, [second!.id]);
  await Promise.all([ask.undoRepair(W), ask.undoRepair(W)]);
  expect((await ask.examine(W)).last).toEqual(earlier);
  await ask.undoRepair(W);
  expect((await ask.examine(W)).total).toBe(2);
});

it('takes ids, and only so many', () => {
  for (const args of [[], ['x'], [['../x']], [Array.from({ length: 1_001 }, () => 'x')], [[1]]]) {
    expect(() => argumentChecks.repair(args)).toThrow('arguments that it does not take');
  }
  expect(argumentChecks.repair([null])).toEqual([null]);
  expect(argumentChecks.repair([['a_b-C']])).toEqual([['a_b-C']]);
});

it('an undo brings back no account that was signed out since, also where the repair had left nothing of it', async () => {
  const vault = await openVault({ file: join(temporaryFolder(), 'vault'), keychain: memoryKeychain() });
  onTestFinished(() => vault.close());
  const requests = health<string>({ vault: () => Promise.resolve(vault), now: () => 1_800_000_000 });
  const signIn = (isRefreshable: boolean) =>
    vault.update((cache) =>
      cache.add({
        client_id: 'app',
        scope: 'openid x',
        token_endpoint: 'https://id.example/token',
        grant_type: 'authorization_code',
        response: {
          access_token: 'at',
          ...(isRefreshable ? { refresh_token: 'rt', expires_in: 3600 } : { expires_in: -7200 }),
          id_token: jwt({ iss: 'https://id.example', sub: 'ada', preferred_username: 'ada@example.org' }),
        },
      }),
    );
  const users = () => vault.read((cache) => cache.accounts().map(({ username }) => username));
  await signIn(false);
  await requests.repair(W, null);
  expect(await users()).toEqual([]);
  await signIn(true);
  const [ada] = await vault.read((cache) => cache.accounts());
  await vault.signOut(ada!);
  await requests.undoRepair(W);
  expect(await users()).toEqual([]);
  expect(await vault.read((cache) => cache.find('IdToken'))).toEqual([]);
});

it('an undo brings back an account of which the repair had left nothing', async () => {
  const cache = cacheOf(troubled());
  for (const token of cache.find('RefreshToken')) cache.modify('RefreshToken', token, null);
  const { ask } = windowOver(cache);
  await ask.repair(W, null);
  expect(cache.accounts()).toEqual([]);
  await ask.undoRepair(W);
  expect(cache.accounts()).toHaveLength(1);
});
