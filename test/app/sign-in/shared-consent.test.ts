/** A yes to a provider's other hosts counts in the app and in the command, wherever it was given. */
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SignIn, signIn } from '../../../app/sign-in/sign-in.ts';
import { mergeAsImport } from '../../../src-main/accounts/account-history.ts';
import { cachedAccounts } from '../../../src-main/accounts/cached-accounts.ts';
import { SerializableTokenCache } from '../../../src-main/cache/document/serializable-token-cache.ts';
import { run } from '../../../src-main/cli/run.ts';
import { EXIT } from '../../../src-main/cli/world.ts';
import { type Keychain, memoryKeychain, openVault, type Vault } from '../../../src-main/index.ts';
import type { Question } from '../../../src-main/ipc/questions.ts';
import { draftOf, json, metadataOf, quietPorts, signInOf } from './fake-issuer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ISSUER = 'https://sso.example/employer';

let home: string;
let keychain: Keychain;
let vault: Vault;
let signing: SignIn<null>;
let asked: string[];
let agrees: boolean;
/** The hosts that a refresh token was sent to. */
let sent: string[];

beforeEach(async () => {
  home = temporaryFolder();
  [keychain, asked, agrees, sent] = [memoryKeychain(), [], true, []];
  const file = join(home, '.config/Tokenkeep/accounts.vault');
  vault = await openVault({ file, name: 'accounts', service: 'Tokenkeep', keychain });
  signing = signIn<null>({
    ...quietPorts(dirname(file), () => vault),
    openBrowser: () => Promise.resolve(),
    confirm: (_caller, { message }: Question) => {
      asked.push(message);
      return Promise.resolve(agrees);
    },
    fetch: fetching,
  });
});
afterEach(async () => {
  signing.stop();
  await vault.close();
});

/** An issuer whose token endpoint is on another host. */
const fetching: typeof fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input);
  if (url.pathname.includes('/.well-known/'))
    return Promise.resolve(json({ ...metadataOf(ISSUER), token_endpoint: 'https://tokens.example/token' }));
  if (init?.method !== 'POST') return Promise.resolve(json({ keys: [] }));
  sent.push(url.host);
  return Promise.resolve(json({ access_token: 'at-new', token_type: 'Bearer', expires_in: 3600 }));
};

/** Runs `tokenkeep get` for ada. Without answers, nobody can be asked. */
async function get(...answers: string[]) {
  let err = '';
  const words = ['get', '--account', 'ada', '--scope', 'openid', '--refresh'];
  const code = await run(words, {
    version: '1.2.3',
    platform: 'linux',
    home,
    env: {},
    out: { write: () => undefined, isTerminal: false },
    err: { write: (text) => (err += text), isTerminal: false },
    isInteractive: answers.length > 0,
    input: () => Promise.resolve(''),
    ask: (question) => {
      err += question;
      return Promise.resolve(answers.shift() ?? '');
    },
    fetch: fetching,
    now: () => Date.now() / 1000,
    keychain,
  });
  return { code, err };
}

async function refreshed(): Promise<number> {
  const id = await vault.read((cache) => [...cachedAccounts(cache).byId.keys()][0]!);
  return (await signing.handlers.refreshNow(null, id, null)).refreshed;
}

describe('for an account that was signed in here', () => {
  beforeEach(() => vault.update((cache) => void cache.add(signInOf(ISSUER, 'ada', 'ada'))));

  it('the app’s yes counts in the command, until the profile is removed', async () => {
    expect(await get()).toMatchObject({ code: EXIT.signInRequired });
    const { id } = await signing.handlers.saveProfile(null, draftOf(ISSUER), null);
    expect(asked).toHaveLength(2); // the issuer, its other host
    expect(await get()).toEqual({ code: EXIT.ok, err: '' });
    expect(sent).toEqual(['tokens.example']);
    await signing.handlers.removeProfile(null, id);
    expect(await get()).toMatchObject({ code: EXIT.signInRequired });
    expect(sent).toHaveLength(1);
  });

  it('the app’s no counts nowhere', async () => {
    agrees = false;
    await expect(signing.handlers.saveProfile(null, draftOf(ISSUER), null)).rejects.toMatchObject({
      code: 'host_refused',
    });
    expect(await get()).toMatchObject({ code: EXIT.signInRequired });
    expect(sent).toEqual([]);
  });

  it('the command’s yes counts in the app, also if the app has read its own before', async () => {
    agrees = false;
    expect(await refreshed()).toBe(0);
    expect(await get('n')).toMatchObject({ code: EXIT.cancelled });
    expect(await refreshed()).toBe(0);
    expect(sent).toEqual([]);
    expect(await get('y')).toMatchObject({ code: EXIT.ok });
    asked = [];
    expect(await refreshed()).toBeGreaterThan(0);
    expect(asked).toEqual([]);
    expect(new Set(sent)).toEqual(new Set(['tokens.example']));
  });
});

describe('for an imported account', () => {
  it('the command’s yes to its refresh counts in the app', async () => {
    const imported = new SerializableTokenCache();
    imported.add(signInOf(ISSUER, 'ada', 'ada'));
    await vault.update((cache) => mergeAsImport(cache, imported, '/home/ada/cache.json'));
    expect(await get('y', 'y')).toMatchObject({ code: EXIT.ok });
    expect(await refreshed()).toBeGreaterThan(0);
    expect(asked).toEqual([]);
  });
});
