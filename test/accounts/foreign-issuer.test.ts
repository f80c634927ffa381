// Not in npm run check: it opens vaults and runs the command hundreds of times.
/** A document that anybody may have written names an issuer for an account of the vault: the account's tokens don't go there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeHistory, historyOf } from '../../src-main/accounts/account-history.ts';
import { cachedAccounts } from '../../src-main/accounts/cached-accounts.ts';
import { acquireTokenSilent } from '../../src-main/cache/acquire.ts';
import { issuerFor } from '../../src-main/cache/accounts.ts';
import { merge, mergeOwn } from '../../src-main/cache/document/merge.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { storeOf } from '../../src-main/cache/token-cache.ts';
import { EXIT } from '../../src-main/cli/world.ts';
import { adopt, memoryKeychain, openVault, type Vault } from '../../src-main/index.ts';
import type { Keychain } from '../../src-main/keychain/keychain.ts';
import { command } from '../cli/command.ts';

const EVIL = 'https://evil.example';
/** After the access tokens have expired. */
const LATER = Math.floor(Date.now() / 1000) + 7200;

const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const idToken = (claims: object): string => `${b64({ alg: 'none' })}.${b64(claims)}.x`;

let home: string;
let keychain: Keychain;
const vaultFile = (): string => join(home, 'accounts.vault');
const documentFile = (): string => join(home, 'document.json');
const open = (): Promise<Vault> => openVault({ file: vaultFile(), keychain });

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-issuer-'));
  keychain = memoryKeychain();
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function withOpen<T>(act: (vault: Vault) => Promise<T>): Promise<T> {
  const vault = await open();
  try {
    return await act(vault);
  } finally {
    await vault.close();
  }
}

/** Each way in which a document gets into a vault. */
const DOORS: Record<string, (document: object) => Promise<unknown>> = {
  'tokenkeep import': async (document) => {
    writeFileSync(documentFile(), JSON.stringify(document));
    const done = await command({ home, keychain }, ['import', '--vault', vaultFile(), documentFile()]);
    expect(done.code).toBe(EXIT.ok);
  },
  'vault.importFrom': (document) => {
    writeFileSync(documentFile(), JSON.stringify(document));
    return withOpen((vault) => vault.importFrom(documentFile()));
  },
  merge: (document) =>
    withOpen((vault) => {
      const foreign = new SerializableTokenCache();
      foreign.deserialize(JSON.stringify(document));
      return vault.update((cache) => void merge(cache, foreign));
    }),
  adopt: (document) =>
    withOpen((vault) => {
      let old: string | null = JSON.stringify(document);
      return adopt(vault, { read: () => old, remove: () => (old = null) });
    }),
};

/** Returns where `get` sends a refresh token, and the question that it asks first. */
async function sentByCommand(account: string, scope: string): Promise<{ hosts: string[]; asked: string[] }> {
  const [hosts, asked]: [string[], string[]] = [[], []];
  const words = ['get', '--vault', vaultFile(), '--account', account, '--scope', scope];
  await command({ home, keychain }, words, {
    isInteractive: true,
    now: () => LATER,
    ask: (question) => {
      asked.push(question);
      return Promise.resolve('n');
    },
    fetch: (url) => {
      const { host, pathname } = new URL(url instanceof Request ? url.url : url);
      hosts.push(host);
      const metadata = { issuer: EVIL, token_endpoint: `${EVIL}/token` };
      return Promise.resolve(Response.json(pathname.includes('.well-known') ? metadata : {}));
    },
  });
  return { hosts: [...new Set(hosts)], asked };
}

/** Returns the issuer and the environment that each refresh token is redeemed for, by the library, for each account that it lists. */
async function redeemed(client_id: string, scope: string): Promise<string[]> {
  return withOpen(async (vault) => {
    const seen: string[] = [];
    for (const account of await vault.read((cache) => cache.accounts())) {
      const redeem = ({ secret }: { secret: string }, request: { issuer?: string; environment: string }) => {
        seen.push(`${secret} ${request.issuer ?? '-'} ${request.environment}`);
        return Promise.reject(new Error('offline'));
      };
      const request = { ...account, client_id, scopes: [scope] };
      await acquireTokenSilent(vault, request, redeem, () => LATER).catch(() => undefined);
    }
    return seen;
  });
}

describe.each(Object.entries(DOORS))('%s', (_name, through) => {
  describe('an account at Microsoft', () => {
    const claims = { sub: 's', oid: 'u', tid: 't', iss: 'https://login.microsoftonline.com/t/v2.0' };
    const user = { home_account_id: 'u.t', local_account_id: 'u', username: 'x', authority_type: 'MSSTS' };
    const at = (environment: string, realm = 't') => ({ ...user, environment, realm, issuer: EVIL });
    const token = {
      credential_type: 'RefreshToken',
      home_account_id: 'u.t',
      client_id: 'theirs',
      secret: 'rt-theirs',
    };

    beforeEach(() =>
      withOpen((vault) =>
        vault.update((cache) => {
          cache.add({
            client_id: 'app',
            scope: ['User.Read'],
            token_endpoint: 'https://login.microsoftonline.com/t/oauth2/v2.0/token',
            grant_type: 'authorization_code',
            response: {
              client_info: b64({ uid: 'u', utid: 't' }),
              id_token: idToken({ ...claims, preferred_username: 'ada@contoso.example' }),
              access_token: 'at',
              refresh_token: 'rt-ada',
              expires_in: 3600,
              token_type: 'Bearer',
            },
          });
        }),
      ),
    );

    it.each<[string, object]>([
      ['the account entity', { Account: { k: at('login.microsoftonline.com') } }],
      ['an account entity of another tenant', { Account: { k: at('login.microsoftonline.com', 'other') } }],
      ['an account entity under an alias', { Account: { k: at('login.windows.net', 'other') } }],
      ['an account entity of a region', { Account: { k: at('westus2.login.microsoft.com', 'other') } }],
      ['an account entity with a port', { Account: { k: at('login.windows.net:8443', 'other') } }],
      ['an environment that is no host', { Account: { k: at('2130706433/.login.microsoft.com') } }],
      ['an environment with a user name', { Account: { k: at('evil.example@.login.microsoft.com') } }],
      [
        'another token',
        { RefreshToken: { r: { ...token, environment: 'login.microsoftonline.com', issuer: EVIL } } },
      ],
      [
        'an ID token',
        {
          IdToken: {
            i: {
              credential_type: 'IdToken',
              home_account_id: 'u.t',
              environment: 'login.microsoftonline.com',
              realm: 't',
              client_id: 'app',
              secret: idToken({ iss: EVIL, sub: 'u.t', iat: LATER }),
            },
          },
        },
      ],
    ])('stays at Microsoft, whatever %s says', async (_what, document) => {
      await through(document);
      const { hosts } = await sentByCommand('ada@contoso.example', 'User.Read');
      expect(
        hosts.filter((host) => !/\.(?:microsoft|microsoftonline|windows)\.(?:com|net)(?::8443)?$/.test(host)),
      ).toEqual([]);
      const sent = await redeemed('app', 'User.Read');
      expect(sent.filter((one) => one.startsWith('rt-ada'))).not.toEqual([]);
      for (const one of sent) expect(one).toMatch(/^rt-ada - (?:[\w.]+\.)?(?:login|sts)\.[\w.]+(?::8443)?$/);
    });
  });

  describe('an account whose issuer nothing tells', () => {
    const user = { home_account_id: '7', environment: 'sso.example' };
    const account = { ...user, realm: '', username: 'ada', authority_type: 'MSSTS', local_account_id: '7' };
    const token = { ...user, credential_type: 'RefreshToken', client_id: 'app', target: 'read' };
    const saying = (client_id: string, iss = EVIL, fields = {}) => ({
      ...user,
      credential_type: 'IdToken',
      realm: '',
      client_id,
      secret: idToken({ iss, sub: '7', iat: LATER }),
      ...fields,
    });
    const own = {
      Account: { k: account },
      RefreshToken: { r: { ...token, secret: 'rt-ada', last_modification_time: '1780000000' } },
    };
    const theirs = { ...token, client_id: 'theirs', secret: 'rt-theirs' };
    const documents: Record<string, object> = {
      'the account entity': { Account: { k: { ...account, issuer: EVIL } } },
      'an account entity of another realm': { Account: { k: { ...account, realm: 'x', issuer: EVIL } } },
      'an account entity with a port': {
        Account: { k: { ...account, environment: 'sso.example:8443', realm: 'x', issuer: EVIL } },
      },
      'a refresh token of another app': { RefreshToken: { r: { ...theirs, issuer: EVIL } } },
      'an older refresh token': {
        RefreshToken: {
          r: { ...token, secret: 'rt-theirs', issuer: EVIL, last_modification_time: '1' },
        },
      },
      'an ID token': { IdToken: { i: saying('app') } },
      'an ID token with an issuer': { IdToken: { i: saying('app', EVIL, { issuer: EVIL }) } },
      'an ID token of another app': { IdToken: { i: saying('theirs') } },
      'an ID token of the realm adfs': { IdToken: { i: saying('app', EVIL, { realm: 'adfs' }) } },
      'an ID token of ADFS': { IdToken: { i: saying('app', EVIL, { authority_type: 'ADFS' }) } },
      'an ID token of ADFS with an issuer': {
        IdToken: { i: saying('app', EVIL, { authority_type: 'ADFS', issuer: EVIL }) },
      },
      'a whole sign-in of another app': {
        Account: { k: { ...account, realm: 'x', issuer: EVIL } },
        RefreshToken: { r: { ...theirs, issuer: EVIL } },
        IdToken: { i: saying('theirs', EVIL, { issuer: EVIL }) },
      },
    };
    const put = (document: object) =>
      withOpen((vault) =>
        vault.update((cache) => {
          const first = new SerializableTokenCache();
          first.deserialize(JSON.stringify(document));
          mergeOwn(cache, first);
        }),
      );

    it.each(Object.entries(documents))('does not get it from %s', async (_what, document) => {
      await put(own);
      await through(document);
      await through(document);
      expect((await sentByCommand('ada', 'read')).hosts).toEqual([]);
      const sent = await redeemed('app', 'read');
      expect(sent.filter((one) => one.startsWith('rt-ada'))).not.toEqual([]);
      for (const one of sent) expect(one).not.toContain(EVIL);
    });

    it.each(Object.entries(documents))(
      'does not get it from %s, without an account entity',
      async (_what, document) => {
        await put({ RefreshToken: own.RefreshToken });
        await through(document);
        const sent = (await redeemed('app', 'read')).filter((one) => one.startsWith('rt-ada '));
        expect(sent).not.toEqual([]);
        for (const one of sent) expect(one).not.toContain('evil');
      },
    );

    it.each(Object.entries(documents))(
      'keeps the one that its ID token names, whatever %s says',
      async (_what, document) => {
        const issuer = 'https://sso.example/real';
        await put({
          ...own,
          IdToken: { i: saying('app', issuer, { secret: idToken({ iss: issuer, sub: '7' }) }) },
        });
        await through(document);
        await through(document);
        for (const one of await redeemed('app', 'read')) expect(one).not.toMatch(/^rt-ada .*evil/);
        const issuers = await withOpen((vault) =>
          vault.read((cache) => {
            const [found] = cache
              .find('RefreshToken', { query: { client_id: 'app' } })
              .filter(({ secret }) => secret === 'rt-ada');
            return issuerFor(storeOf(cache), found!);
          }),
        );
        expect(issuers).toBe(issuer);
      },
    );
  });
});

it('keeps the history of an account to which an import gives another ID', async () => {
  const user = { home_account_id: '7', environment: 'sso.example' };
  const account = { ...user, realm: '', username: 'ada', authority_type: 'MSSTS', local_account_id: '7' };
  const issuer = 'https://sso.example/real';
  const first = {
    Account: { k: account },
    RefreshToken: { r: { ...user, credential_type: 'RefreshToken', client_id: 'app', secret: 'rt-ada' } },
    IdToken: {
      i: {
        ...user,
        credential_type: 'IdToken',
        realm: '',
        client_id: 'app',
        secret: idToken({ iss: issuer, sub: '7' }),
      },
    },
  };
  const histories = (vault: Vault) =>
    vault.read((cache) =>
      [...cachedAccounts(cache).byId.keys()].map((id) => {
        const { shared, source, issuers } = historyOf(cache, id);
        return { id, history: { shared, source, issuers } };
      }),
    );
  await withOpen(async (vault) => {
    writeFileSync(documentFile(), JSON.stringify(first));
    await vault.importFrom(documentFile());
    const [before] = await histories(vault);
    await vault.update((cache) => changeHistory(cache, before!.id, { issuers: { app: issuer } }));
    const other = join(home, 'other.json');
    writeFileSync(other, JSON.stringify({ Account: { k: { ...account, realm: 'x', issuer } } }));
    await vault.importFrom(other);
    const [after, ...more] = await histories(vault);
    expect(more).toEqual([]);
    expect(after!.id).not.toBe(before!.id);
    expect(after!.history).toEqual({ shared: true, source: documentFile(), issuers: { app: issuer } });
  });
});
