/**
 * The document of each library that writes caches, under each kind of trouble: an account is signed out, every entry of the others is
 * unchanged, and the document is complete.
 */
import { spawnSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sourceFromFile } from '../../src-main/sources/find.ts';
import { readSource } from '../../src-main/sources/read.ts';
import { signOutAtSource } from '../../src-main/sources/sign-out.ts';
import { vectorText } from '../ipc/vectors.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenkeep-writers-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Written by hand after the items of MSAL Go: `IDToken`, times as text, keys with two hyphens after the client. */
function goDocument(...names: string[]): string {
  const [environment, realm, client_id] = ['login.microsoftonline.com', 't', 'c'];
  const roots: Record<string, Record<string, unknown>> = {
    AccessToken: {},
    RefreshToken: {},
    IdToken: {},
    Account: {},
    AppMetadata: { [`appmetadata-${environment}-c`]: { family_id: '', client_id, environment } },
  };
  for (const name of names) {
    const own = { home_account_id: `${name}.t`, environment, client_id };
    const key = `${name}.t-${environment}`;
    Object.assign(roots['AccessToken']!, {
      [`${key}-accesstoken-c-t-s`]: {
        ...own,
        ...{ realm, credential_type: 'AccessToken', secret: `at-${name}`, target: 's', token_type: 'Bearer' },
        ...{ cached_at: '1790000000', expires_on: '1990000000', extended_expires_on: '1990000000' },
      },
    });
    const refresh = {
      ...own,
      credential_type: 'RefreshToken',
      secret: `rt-${name}`,
      target: '',
      family_id: '1',
    };
    Object.assign(roots['RefreshToken']!, { [`${key}-refreshtoken-1--`]: refresh });
    const id = { ...own, realm, credential_type: 'IDToken', secret: 'e30.e30.x' };
    Object.assign(roots['IdToken']!, { [`${key}-idtoken-c-t-`]: id });
    Object.assign(roots['Account']!, {
      [`${key}-t`]: {
        ...{ home_account_id: `${name}.t`, environment, realm, local_account_id: name },
        ...{ authority_type: 'MSSTS', username: `${name}@contoso.example` },
      },
    });
  }
  return JSON.stringify(roots);
}

const WRITERS: Readonly<Record<string, string>> = {
  'MSAL Python': vectorText('documents', 'msal-python-aad-several.json'),
  'MSAL Node': vectorText('documents', 'msal-node-7-aad-several.json'),
  'MSAL Node 2': vectorText('documents', 'msal-node-2-aad-several.json'),
  'MSAL.NET': vectorText('documents', 'msal-dotnet-hand-written-users.json'),
  'MSAL Go': goDocument('ada', 'ben'),
};

/** What happened to the cache. Returns what a sign-out has to leave as it is. */
const DAYS: Readonly<Record<string, (file: string, text: string) => void>> = {
  'on a good day': (file, text) => writeFileSync(file, text, { mode: 0o600 }),
  'with a mode of its own': (file, text) => writeFileSync(file, text, { mode: 0o640 }),
  'with a byte order mark': (file, text) => writeFileSync(file, `\ufeff${text}`, { mode: 0o600 }),
  'that is a link': (file, text) => {
    mkdirSync(join(folder, 'elsewhere'));
    writeFileSync(join(folder, 'elsewhere', 'real.json'), text, { mode: 0o600 });
    symlinkSync(join(folder, 'elsewhere', 'real.json'), file);
  },
  'whose program crashed with the lock': (file, text) => {
    writeFileSync(file, text, { mode: 0o600 });
    writeFileSync(`${file}.lockfile`, `${spawnSync('true').pid} program`);
    utimesSync(`${file}.lockfile`, 1, 1);
  },
  'that has data of a later version': (file, text) => {
    const roots = JSON.parse(text) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify({ ...roots, Later: { x: { y: [1, 2.5, null] } } }), { mode: 0o600 });
  },
};

type Roots = Record<string, Record<string, Record<string, unknown>>>;
const rootsIn = (file: string): Roots =>
  JSON.parse(readFileSync(file, 'utf8').replace(/^\ufeff/, '')) as Roots;

describe.each(Object.entries(WRITERS))('a document of %s', (_, text) => {
  it.each(Object.entries(DAYS))('%s', async (day, prepare) => {
    const file = join(folder, 'cache.json');
    prepare(file, text);
    const before = rootsIn(file);
    const { mode } = statSync(file);
    const source = (await sourceFromFile(file))!;
    const { state, accounts } = await readSource(source);
    expect(state).toBe('accounts');
    const users = accounts.filter(({ username }) => username !== '');
    expect(users.length).toBeGreaterThan(1);
    const leaving = users[0]!;
    const receipt = await signOutAtSource(source, leaving);
    expect(receipt.remaining).toBe(0);
    expect(receipt.removed.RefreshToken + receipt.removed.AccessToken).toBeGreaterThan(0);

    const after = rootsIn(file);
    expect(readFileSync(file)[0]).toBe('{'.charCodeAt(0));
    for (const [name, entries] of Object.entries(before))
      for (const [key, entry] of Object.entries(entries)) {
        const isTheirs = entry['home_account_id'] === leaving.home_account_id;
        expect(after[name]?.[key], `${name} ${key}`).toEqual(isTheirs ? undefined : entry);
      }
    expect(statSync(file).mode).toBe(mode);
    expect(lstatSync(file).isSymbolicLink()).toBe(day === 'that is a link');
    expect(readdirSync(folder).filter((name) => /lock|tmp/.test(name))).toEqual([]);

    await receipt.undo();
    const back = rootsIn(file);
    for (const [name, entries] of Object.entries(before)) expect(back[name]).toEqual(entries);
  });
});
