/** A document that anybody may have written names an issuer for an account of the vault: the account's tokens don't go there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireTokenSilent } from '../../src-main/cache/acquire.ts';
import { merge } from '../../src-main/cache/document/merge.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
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
});
