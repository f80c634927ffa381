/** A refresh token, a revocation and the end of a session go to the issuer that a token came from, or nowhere. */
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkedDraft } from '../../../app/sign-in/profiles.ts';
import { type SignIn, signIn } from '../../../app/sign-in/sign-in.ts';
import { SerializableTokenCache } from '../../../src-main/cache/document/serializable-token-cache.ts';
import { memoryKeychain, openVault, type Vault } from '../../../src-main/index.ts';
import { changeHistory, mergeAsImport } from '../../../src-main/accounts/account-history.ts';
import { cachedAccounts } from '../../../src-main/accounts/cached-accounts.ts';
import type { Question } from '../../../src-main/ipc/questions.ts';
import { draftOf, json, metadataOf, quietPorts, signInOf } from './fake-issuer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const EMPLOYER = 'https://sso.example/employer';
const PARTNER = 'https://sso.example/partner';
const TOKEN = 'the-employers-refresh-token';

let vault: Vault;
let signing: SignIn<null>;
/** Every request that carried a secret: where it went. */
let sent: { url: string; body: string }[];
let opened: string[];
let asked: Question[];
let agrees: (question: Question) => boolean | null;
/** What an issuer's metadata say besides the usual. */
let metadata: Record<string, object>;
let status: number;
/** A host that does not answer. */
let silent: string;
/** What happens while the next question is open. */
let confirmFirst: (() => Promise<void>) | undefined;
/** Milliseconds by which the app's clock is ahead. */
let ahead: number;

beforeEach(async () => {
  const folder = temporaryFolder();
  vault = await openVault({ file: join(folder, 'vault'), keychain: memoryKeychain() });
  [sent, opened, asked, metadata, status, silent] = [[], [], [], {}, 400, ''];
  [agrees, confirmFirst, ahead] = [() => true, undefined, 0];
  signing = signIn<null>({
    ...quietPorts(folder, () => vault),
    openBrowser: (url) => Promise.resolve(void opened.push(url)),
    confirm: async (_caller, question) => {
      asked.push(question);
      await confirmFirst?.();
      return agrees(question);
    },
    now: () => Date.now() + ahead,
    fetch: (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input);
      if (url.host === silent) return Promise.reject(new TypeError('fetch failed'));
      if (url.pathname.endsWith('/.well-known/openid-configuration')) {
        const issuer = url.href.replace('/.well-known/openid-configuration', '');
        return Promise.resolve(
          json({
            ...metadataOf(issuer),
            ...metadata[issuer],
          }),
        );
      }
      const { body } = init ?? {};
      sent.push({ url: url.href, body: body instanceof URLSearchParams ? body.toString() : '' });
      return Promise.resolve(
        status === 200
          ? json({ access_token: 'new', token_type: 'Bearer', expires_in: 3600, refresh_token: 'next' })
          : json({ error: 'invalid_grant' }, status),
      );
    },
  });
});
afterEach(async () => {
  signing.stop();
  await vault.close();
});

/** A document that another program wrote, as it would be imported. */
function documentOf(
  fields: {
    iss?: string | undefined;
    client_id?: string;
    secret?: string;
    environment?: string;
    sub?: string;
    own?: string;
    withoutRefreshToken?: boolean;
    username?: string;
  } = {},
): string {
  const { client_id = 'app', secret = TOKEN, environment = 'sso.example', sub = 'u1' } = fields;
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const user = { home_account_id: sub, environment };
  const idToken = `${part({ alg: 'RS256' })}.${part({ sub, iss: fields.iss, aud: client_id })}.x`;
  return JSON.stringify({
    Account: {
      a: {
        ...user,
        realm: '',
        local_account_id: sub,
        username: fields.username ?? 'ada@employer.example',
        authority_type: 'Generic',
      },
    },
    ...(fields.withoutRefreshToken === true
      ? {}
      : {
          RefreshToken: {
            r: {
              ...user,
              credential_type: 'RefreshToken',
              secret,
              client_id,
              target: 'openid',
              ...(fields.own === undefined ? {} : { issuer: fields.own }),
            },
          },
        }),
    ...(fields.iss === undefined
      ? {}
      : {
          IdToken: { i: { ...user, credential_type: 'IdToken', secret: idToken, realm: '', client_id } },
        }),
  });
}

async function importDocument(text: string, file = '/home/ada/other/cache.json'): Promise<string> {
  const document = new SerializableTokenCache();
  document.deserialize(text);
  return vault.update((cache) => {
    mergeAsImport(cache, document, file);
    return [...cachedAccounts(cache).byId.keys()][0]!;
  });
}

const refreshNow = async (id: string) => signing.handlers.refreshNow(null, id, null);
const hosts = () => sent.map(({ url }) => url);

describe('two realms on one host', () => {
  it('refreshes an imported account at its own realm, though only the other has a profile', async () => {
    await signing.handlers.saveProfile(null, draftOf(PARTNER), null);
    const id = await importDocument(documentOf({ iss: EMPLOYER, client_id: 'employer-app' }));
    asked = [];
    await refreshNow(id);
    expect(hosts()).toEqual([`${EMPLOYER}/token`]);
    // Asked: whether an imported token is used at all, and for an issuer that was never allowed.
    expect(asked.map(({ message, detail }) => `${message} ${detail}`).join('\n')).toContain(EMPLOYER);
    expect(asked.map(({ message }) => message)).toContain(`Let Tokenkeep use ${EMPLOYER}?`);
  });

  it('sends nothing where the user does not allow the issuer', async () => {
    await signing.handlers.saveProfile(null, draftOf(PARTNER), null);
    const id = await importDocument(documentOf({ iss: EMPLOYER }));
    agrees = () => false;
    expect((await refreshNow(id)).problem?.code).toBe('refresh_declined');
    agrees = ({ message }) => message.startsWith('Refresh');
    expect((await refreshNow(id)).problem?.code).toBe('host_refused');
    expect(sent).toEqual([]);
  });

  it('revokes and ends the session at its own realm', async () => {
    await signing.handlers.saveProfile(null, draftOf(PARTNER), null);
    const id = await importDocument(documentOf({ iss: EMPLOYER }));
    status = 200;
    await signing.handlers.signOut(null, [id], { vault: true, revoke: true, endSession: true, places: [] });
    expect(hosts()).toEqual([`${EMPLOYER}/revoke`]);
    expect(opened).toEqual([expect.stringContaining(`${EMPLOYER}/logout`)]);
    expect(asked.map(({ message }) => message)).toContain(`Let Tokenkeep use ${EMPLOYER}?`);
  });

  it.each([
    ['does not allow the issuer', false, 'host_refused'],
    ['leaves before the question is answered', null, 'consent_unanswered'],
  ])('signs out here, and sends nothing, where the user %s', async (_what, answer, code) => {
    await signing.handlers.saveProfile(null, draftOf(PARTNER), null);
    const id = await importDocument(documentOf({ iss: EMPLOYER }));
    agrees = () => answer;
    const report = await signing.handlers.signOut(null, [id], {
      vault: true,
      revoke: true,
      endSession: true,
      places: [],
    });
    expect([sent, opened]).toEqual([[], []]);
    expect(report).toMatchObject({
      receipts: [{ remaining: 0 }],
      revoked: { count: 0, pending: 0, problem: { code } },
      session: { opened: false },
    });
  });
});

it('says which file keeps its own copy of an imported account, before its sign-out and in the receipt', async () => {
  const folder = temporaryFolder();
  vi.stubEnv('AZURE_CONFIG_DIR', folder);
  try {
    const wishes = { vault: true, revoke: false, endSession: false, places: [] };
    const files = [
      join(folder, 'msal_token_cache.json'),
      join(folder, 'other.json'),
      join(folder, 'link.json'),
    ];
    for (const [file, program] of [
      [files[0]!, 'Azure CLI'],
      [files[1]!, null],
      [files[2]!, 'Azure CLI'],
    ] as const) {
      if (file === files[2]) symlinkSync(files[0]!, file);
      else writeFileSync(file, '{}');
      const id = await importDocument(documentOf({ iss: EMPLOYER }), file);
      const copies = [{ program, file }];
      expect(await signing.handlers.signOutCopies(null, [id])).toEqual(copies);
      expect(await signing.handlers.signOutCopies(null, null)).toEqual(copies);
      expect(await signing.handlers.signOut(null, [id], wishes)).toMatchObject({ copies });
      expect(await signing.handlers.signOuts(null)).toContainEqual(expect.objectContaining({ copies }));
    }
    // One that was removed meanwhile keeps nothing.
    const id = await importDocument(documentOf({ iss: EMPLOYER }), files[0]);
    rmSync(files[0]!);
    expect(await signing.handlers.signOutCopies(null, [id])).toEqual([]);
    expect(await signing.handlers.signOut(null, [id], wishes)).toMatchObject({ copies: [] });
  } finally {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  }
});

it('keeps two realms apart that give the same subject to the same app on one host', async () => {
  await signing.handlers.saveProfile(null, draftOf(PARTNER), null);
  await signing.handlers.saveProfile(null, draftOf(EMPLOYER), null);
  for (const issuer of [EMPLOYER, PARTNER]) {
    await vault.update((cache) => cache.add(signInOf(issuer, 'u1', issuer)));
  }
  const ids = await vault.read((cache) =>
    [...cachedAccounts(cache).byId.values()].map(({ id, issuer }) => ({ id, issuer })),
  );
  expect(ids.map(({ issuer }) => issuer).sort()).toEqual([EMPLOYER, PARTNER]);
  for (const { id, issuer } of ids) {
    sent = [];
    await refreshNow(id);
    expect(sent.map(({ url }) => url)).toEqual([`${issuer}/token`]);
    expect(new URLSearchParams(sent[0]?.body).get('refresh_token')).toBe(`refresh of ${issuer}`);
  }
  status = 200;
  sent = [];
  const employer = ids.find(({ issuer }) => issuer === EMPLOYER)!;
  await signing.handlers.signOut(null, [employer.id], {
    vault: true,
    revoke: true,
    endSession: true,
    places: [],
  });
  expect(hosts()).toEqual([`${EMPLOYER}/revoke`]);
  expect(opened).toEqual([expect.stringContaining(`${EMPLOYER}/logout`)]);
  expect(await vault.read((cache) => cache.find('RefreshToken').map(({ secret }) => secret))).toEqual([
    `refresh of ${PARTNER}`,
  ]);
});

/** docs/threat-model.md says what that program can achieve: it saves itself the question, and moves no token. */
describe('consents and profiles that another program wrote', () => {
  const COLLECTOR = 'https://collector.example';
  const write = (...profiles: string[]): void => {
    const folder = dirname(vault.status.file);
    const put = (file: string, value: object): void =>
      writeFileSync(join(folder, file), JSON.stringify({ version: 1, ...value }));
    const issuers = [EMPLOYER, PARTNER, COLLECTOR];
    const collectors = [new URL(COLLECTOR).host];
    put('allowed-issuers.json', { allowed: issuers.map((issuer) => ({ issuer, hosts: collectors })) });
    put('sign-in-profiles.json', {
      profiles: profiles.map((issuer, index) => ({ id: `p${index}`, ...draftOf(issuer) })),
    });
  };

  it('send the token of a known issuer nowhere else: only the question for the issuer is missing', async () => {
    write(PARTNER, COLLECTOR);
    const id = await importDocument(documentOf({ iss: EMPLOYER }));
    await refreshNow(id);
    expect(hosts()).toEqual([`${EMPLOYER}/token`]);
    expect(asked.map(({ message }) => message)).toEqual([expect.stringMatching(/^Refresh/)]);
    sent = [];
    await signing.handlers.signOut(null, [id], { vault: true, revoke: true, endSession: true, places: [] });
    expect(hosts()).toEqual([`${EMPLOYER}/revoke`]);
    expect(opened).toEqual([expect.stringContaining(`${EMPLOYER}/logout`)]);
  });

  it('send the token of an unknown issuer nowhere before the user has read which issuer it would be', async () => {
    write(PARTNER);
    const id = await importDocument(documentOf());
    await vault.update((cache) => changeHistory(cache, id, { shared: false })); // of the app's own, but nothing tells its issuer
    agrees = () => false;
    await signing.handlers.refreshUnasked(null, id);
    await refreshNow(id);
    await signing.handlers.signOut(null, [id], { vault: true, revoke: true, endSession: true, places: [] });
    expect([sent, opened]).toEqual([[], []]);
    expect(asked.length).toBeGreaterThan(0);
    for (const { message, detail } of asked) expect(`${message} ${detail}`).toContain(PARTNER);
  });

  it('count as the user’s own where the metadata of an issuer name the host: nobody is asked again', async () => {
    write();
    metadata[EMPLOYER] = { token_endpoint: `${COLLECTOR}/token` };
    const id = await importDocument(documentOf({ iss: EMPLOYER }));
    await refreshNow(id);
    expect(hosts()).toEqual([`${COLLECTOR}/token`]); // of the issuer's own will
    expect(asked.map(({ message }) => message)).toEqual([expect.stringMatching(/^Refresh/)]);
  });
});

describe('an issuer that nothing tells', () => {
  it('is never guessed by host: without a profile of the same app nothing is sent', async () => {
    await signing.handlers.saveProfile(null, draftOf(PARTNER, 'another-app'), null);
    const id = await importDocument(documentOf());
    expect((await refreshNow(id)).problem?.code).toBe('profile_unknown');
    const report = await signing.handlers.signOut(null, [id], {
      vault: true,
      revoke: true,
      endSession: true,
      places: [],
    });
    expect(report.revoked).toMatchObject({ count: 0, problem: { code: 'profile_unknown' } });
    expect([sent, opened]).toEqual([[], []]);
  });

  it('is asked about by name where a profile of the same app could be it', async () => {
    await signing.handlers.saveProfile(null, draftOf(PARTNER), null);
    const id = await importDocument(documentOf());
    asked = [];
    agrees = () => false;
    expect((await refreshNow(id)).problem?.code).toBe('refresh_declined');
    expect(asked[0]?.detail).toContain(PARTNER);
    expect(sent).toEqual([]);
  });

  it('is nobody where two profiles of the app are on the host', async () => {
    await signing.handlers.saveProfile(null, draftOf(PARTNER), null);
    await signing.handlers.saveProfile(null, draftOf(EMPLOYER), null);
    const id = await importDocument(documentOf());
    expect((await refreshNow(id)).problem?.code).toBe('profile_unknown');
    expect(sent).toEqual([]);
  });

  it('is not revoked by a guess', async () => {
    await signing.handlers.saveProfile(null, draftOf(PARTNER), null);
    const id = await importDocument(documentOf());
    await signing.handlers.signOut(null, [id], { vault: true, revoke: true, endSession: true, places: [] });
    expect([sent, opened]).toEqual([[], []]);
  });
});

describe('a document that someone made', () => {
  it('can’t turn a token to another host by its ID token', async () => {
    await signing.handlers.saveProfile(null, draftOf('https://evil.example/x'), null);
    const id = await importDocument(documentOf({ iss: 'https://evil.example/x' }));
    expect((await refreshNow(id)).problem?.code).toBe('profile_unknown');
    expect(sent).toEqual([]);
  });

  it('can’t turn a token that is there to another realm by an ID token alone', async () => {
    await signing.handlers.saveProfile(null, draftOf(PARTNER), null);
    await signing.handlers.saveProfile(null, draftOf(EMPLOYER), null);
    const id = await importDocument(documentOf({ iss: EMPLOYER }));
    status = 200;
    expect((await refreshNow(id)).refreshed).toBe(1); // agreed to: the employer's
    sent = [];
    await importDocument(documentOf({ iss: PARTNER, withoutRefreshToken: true }));
    agrees = ({ message }) => !message.includes('partner');
    await refreshNow(id);
    expect(hosts().filter((url) => url.startsWith(PARTNER))).toEqual([]);
  });

  it('brings no history of its own: neither issuers nor sign-outs to be done', async () => {
    const document = JSON.parse(documentOf()) as Record<string, unknown>;
    document['Tokenkeep:accounts'] = { any: { issuers: { app: PARTNER } } };
    document['Tokenkeep:sign-outs'] = [
      {
        report: { id: 'x', at: 1, receipts: [] },
        revoke: [{ issuer: PARTNER, client_id: 'app', secret: TOKEN }],
      },
    ];
    const file = join(temporaryFolder(), 'forged.json');
    writeFileSync(file, JSON.stringify(document));
    const { imports } = await import('../../../src-main/ipc/imports.ts');
    const planned = imports({ vault: () => Promise.resolve(vault), now: () => 1, reading: () => undefined });
    const plan = await planned.plan(file);
    await planned.confirm(plan.id);
    expect(await signing.handlers.signOuts(null)).toEqual([]);
    await signing.start();
    await signing.idle();
    expect(sent).toEqual([]);
  });
});

/** Spellings that a parser takes for another address than a reader does. */
const DISGUISED = [
  ...[
    'https://sso.example@evil.example/',
    'https://a:b@evil.example/',
    'https:evil.example',
    'https:/evil.example/x',
  ],
  ...[
    'https:\\\\evil.example\\sso.example',
    'https://evil.example\\.sso.example',
    ' https://evil.example',
    'https://evil.example ',
  ],
  ...[
    'https://evil.example/\nhttps://sso.example',
    'https://evil.example\t/x',
    'https://sso\u200b.example/x',
  ],
  ...[
    'https://evil.example/\u202eelpmaxe.oss',
    'https://evil.example/?issuer=sso.example',
    'https://evil.example/#sso.example',
  ],
  ...[
    'https://evil.example/?',
    'http://evil.example',
    'file:///etc/passwd',
    `https://evil.example/${'a'.repeat(500)}`,
  ],
];
/** Spellings of one address, and the one that is shown and asked. */
const RESPELLED = [
  ['https://sso.\u0435xample/employer', 'https://sso.xn--xample-2of/employer'],
  ['https://ｓｓｏ.example/employer', 'https://sso.example/employer'],
  ['https://evil。example/x', 'https://evil.example/x'],
  ['HTTPS://EVIL.example:443/a', 'https://evil.example/a'],
  ['https://sso.example/employer/../evil', 'https://sso.example/evil'],
  ['https://sso.example%2eevil.example/', 'https://sso.example.evil.example/'],
  ['https://2130706433/', 'https://127.0.0.1/'],
] as const;

describe('an issuer that reads like another one', () => {
  it.each(DISGUISED)('is none: %j', async (own) => {
    const id = await importDocument(documentOf({ own }));
    await expect(refreshNow(id)).resolves.toMatchObject({
      refreshed: 0,
      problem: { code: 'profile_unknown' },
    });
    expect([asked, sent]).toEqual([[], []]);
    // Spaces around what the user types are left out.
    if (own.trim() === own) expect(() => checkedDraft(draftOf(own))).toThrow(/issuer begins with https/);
  });

  it.each(RESPELLED)('is named as it is asked: %j as %s', async (own, shown) => {
    const id = await importDocument(documentOf({ own }));
    await refreshNow(id);
    expect(asked.map(({ message, detail }) => `${message} ${detail}`)).toEqual([
      expect.stringContaining(`will be sent to ${shown}.`),
      expect.stringContaining(`Let Tokenkeep use ${shown}?`),
    ]);
    expect(hosts()).toEqual([`${shown.replace(/\/$/, '')}/token`]);
    expect(checkedDraft(draftOf(own))).toMatchObject({ authority: shown });
  });

  it('is neither asked about nor sent anything if a document names two for one user', async () => {
    const own = ['https://sso.example/employer', 'https://sso.example/partner'];
    const documents = own.map(
      (one, at) => JSON.parse(documentOf({ own: one, client_id: `app-${at}` })) as object,
    );
    const [first, second] = documents as { RefreshToken: { r: object } }[];
    const both = { ...first, RefreshToken: { a: first!.RefreshToken.r, b: second!.RefreshToken.r } };
    const id = await importDocument(JSON.stringify(both));
    expect(await refreshNow(id)).toMatchObject({ problem: { code: 'sign_in_required' } });
    expect([asked, hosts()]).toEqual([[], []]);
  });
});

it('asks nothing whose lines or direction a name from a document has changed', async () => {
  const name = `ada\n\nApproved by your administrator.\u2028\u202e${'a'.repeat(500)}`;
  const id = await importDocument(documentOf({ own: EMPLOYER, username: name }), `/home/ada/${name}.json`);
  agrees = ({ message }) => !message.includes('by itself');
  await signing.handlers.setAutoRefresh(null, id, true);
  await refreshNow(id);
  expect(asked.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^Let Tokenkeep refresh ada.* by itself\?$/),
    expect.stringMatching(/^Refresh ada/),
    expect.stringMatching(/^Let Tokenkeep use/),
  ]);
  for (const { message, detail } of asked) {
    expect(message + detail).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(message.length).toBeLessThan(200);
  }
});

describe('consent', () => {
  it('is asked for again when a profile is replaced by another issuer on the same host', async () => {
    const { id } = await signing.handlers.saveProfile(null, draftOf(EMPLOYER), null);
    asked = [];
    agrees = () => false;
    await expect(signing.handlers.saveProfile(null, draftOf(`${EMPLOYER}x`), id)).rejects.toMatchObject({
      code: 'host_refused',
    });
    expect(asked.map(({ message }) => message)).toEqual([`Let Tokenkeep use ${EMPLOYER}x?`]);
    expect(await signing.handlers.profiles(null)).toMatchObject([{ authority: EMPLOYER }]);
  });

  it('names endpoints on other hosts, and nothing is saved without it', async () => {
    metadata[PARTNER] = { token_endpoint: 'https://collector.example/token' };
    agrees = ({ message }) => !message.includes('other hosts');
    await expect(signing.handlers.saveProfile(null, draftOf(PARTNER), null)).rejects.toMatchObject({
      code: 'host_refused',
    });
    expect(asked.at(-1)?.detail).toContain('token endpoint: collector.example');
    expect(await signing.handlers.profiles(null)).toEqual([]);
  });

  it('is asked for when a provider names other hosts later, before a token is sent there', async () => {
    await signing.handlers.saveProfile(null, draftOf(EMPLOYER, 'other'), null);
    const id = await importDocument(documentOf({ iss: EMPLOYER }));
    metadata[EMPLOYER] = { token_endpoint: 'https://collector.example/token' };
    agrees = ({ message }) => !message.includes('other hosts');
    expect((await refreshNow(id)).problem?.code).toBe('host_refused');
    expect(sent).toEqual([]);
  });
});

it.each([
  ['token_endpoint', 'token endpoint'],
  ['revocation_endpoint', 'revocation endpoint'],
  ['end_session_endpoint', 'sign-out page'],
  ['authorization_endpoint', 'sign-in page'],
  ['device_authorization_endpoint', 'device code endpoint'],
  ['jwks_uri', 'signing keys'],
])(
  'a provider that moves its %s to another host after consent is asked about again, and gets nothing before',
  async (field, name) => {
    await signing.handlers.saveProfile(null, draftOf(EMPLOYER), null);
    const id = await importDocument(documentOf({ own: EMPLOYER }));
    metadata[EMPLOYER] = { [field]: 'https://collector.example/x' };
    ahead = 11 * 60_000; // metadata is cached for ten minutes
    agrees = ({ message }) => !message.includes('other hosts');
    expect((await refreshNow(id)).problem?.code).toBe('host_refused');
    expect(asked.at(-1)?.detail).toContain(`${name}: collector.example`);
    const wishes = { vault: true, revoke: true, endSession: true, places: [] };
    await expect(signing.handlers.signOut(null, [id], wishes)).resolves.toMatchObject({
      receipts: [{ remaining: 0 }],
      revoked: { count: 0, problem: { code: 'host_refused' } },
      session: { opened: false },
    });
    expect([sent, opened]).toEqual([[], []]);
  },
);

describe('a profile that is replaced while a question is open', () => {
  /** The first answer is given only after the profile was replaced by one of another issuer of the same host and app, which is allowed. */
  async function replacing(): Promise<{ account: string; isReplaced: () => boolean }> {
    const { id } = await signing.handlers.saveProfile(null, draftOf(EMPLOYER), null);
    const account = await importDocument(documentOf());
    let replaced = false;
    confirmFirst = async () => {
      confirmFirst = undefined;
      await signing.handlers.saveProfile(null, draftOf(PARTNER), id);
      replaced = true;
    };
    return { account, isReplaced: () => replaced };
  }

  it('changes nothing of where a guessed token goes: to the issuer that the question named', async () => {
    const { account, isReplaced } = await replacing();
    [asked, status] = [[], 200];
    expect((await refreshNow(account)).refreshed).toBe(1);
    expect(isReplaced()).toBe(true);
    expect(asked[0]?.detail).toContain(EMPLOYER);
    expect(hosts()).toEqual([`${EMPLOYER}/token`]);
    // What is remembered is what was agreed to.
    sent = [];
    expect((await refreshNow(account)).refreshed).toBe(1);
    expect(hosts()).toEqual([`${EMPLOYER}/token`]);
  });

  it('sends nothing if the answer is No', async () => {
    const { account, isReplaced } = await replacing();
    agrees = ({ message }) => !message.startsWith('Refresh');
    expect((await refreshNow(account)).problem?.code).toBe('refresh_declined');
    expect(isReplaced()).toBe(true);
    expect(sent).toEqual([]);
  });

  it('signs in at the issuer that was agreed to, and not at the new one', async () => {
    const { id } = await signing.handlers.saveProfile(null, draftOf(EMPLOYER), null);
    await signing.handlers.saveProfile(null, draftOf(PARTNER, 'other'), null);
    metadata[EMPLOYER] = { token_endpoint: 'https://collector.example/token' };
    // What is known of the provider is kept for ten minutes.
    ahead = 11 * 60_000;
    confirmFirst = async () => {
      confirmFirst = undefined;
      await signing.handlers.saveProfile(null, draftOf(PARTNER), id);
    };
    asked = [];
    await signing.handlers.signIn(null, id, 'browser', null);
    await expect.poll(() => opened).toHaveLength(1);
    expect(asked[0]?.detail).toContain(`The provider ${EMPLOYER} names`);
    expect(new URL(opened[0]!).href).toMatch(`${EMPLOYER}/authorize?`);
    expect(confirmFirst).toBeUndefined();
    await signing.handlers.cancelSignIn(null);
    await signing.idle();
  });

  it('leaves a revocation with the issuer that the question named', async () => {
    const { id } = await signing.handlers.saveProfile(null, draftOf(PARTNER), null);
    await importDocument(documentOf({ iss: EMPLOYER }));
    const accounts = await vault.read((cache) => [...cachedAccounts(cache).byId.keys()]);
    confirmFirst = async () => {
      confirmFirst = undefined;
      await signing.handlers.saveProfile(null, draftOf('https://sso.example/third'), id);
    };
    asked = [];
    status = 200;
    await signing.handlers.signOut(null, accounts, {
      vault: true,
      revoke: true,
      endSession: true,
      places: [],
    });
    expect(asked[0]?.message).toContain(EMPLOYER);
    expect(confirmFirst).toBeUndefined();
    expect(hosts()).toEqual([`${EMPLOYER}/revoke`]);
    expect(opened).toEqual([expect.stringMatching(`^${EMPLOYER}/logout`)]);
  });
});

describe('the offers before a sign-out', () => {
  it('name no revocation at Microsoft while it does not answer, though it needs no permission', async () => {
    const issuer = 'https://login.microsoftonline.com/72f94c1e-8d05-4a37-b1c6-93e0a5f2db47/v2.0';
    const id = await importDocument(documentOf({ iss: issuer, environment: 'login.microsoftonline.com' }));
    silent = 'login.microsoftonline.com';
    expect(await signing.handlers.signOutOffers(null, [id])).toEqual({
      revoke: 'unknown',
      endSession: 'unknown',
      provider: 'login.microsoftonline.com',
    });
  });
});

describe('an imported account', () => {
  it('asks once before its refresh token is used, names the file, and is not refreshed by itself', async () => {
    await signing.handlers.saveProfile(null, draftOf(EMPLOYER), null);
    const id = await importDocument(documentOf({ iss: EMPLOYER }));
    expect(await signing.handlers.refreshStatus(null, id)).toMatchObject({
      shared: true,
      autoRefresh: false,
    });
    asked = [];
    agrees = () => false;
    expect(await signing.handlers.setAutoRefresh(null, id, true)).toMatchObject({ autoRefresh: false });
    expect((await refreshNow(id)).problem?.code).toBe('refresh_declined');
    expect(asked.every(({ detail }) => detail.includes('/home/ada/other/cache.json'))).toBe(true);
    expect(sent).toEqual([]);
    agrees = () => true;
    asked = [];
    // With several accounts nobody is asked, and nothing is sent.
    expect((await signing.handlers.refreshUnasked(null, id)).problem?.code).toBe('refresh_declined');
    expect([asked, sent]).toEqual([[], []]);
    status = 200;
    expect((await refreshNow(id)).refreshed).toBe(1);
    expect((await refreshNow(id)).refreshed).toBe(1);
    expect(asked).toHaveLength(1);
    expect(await signing.handlers.refreshStatus(null, id)).toMatchObject({ shared: false });
  });

  it('needs a sign-in if the provider refused its refresh, and says why', async () => {
    await signing.handlers.saveProfile(null, draftOf(EMPLOYER), null);
    const id = await importDocument(documentOf({ iss: EMPLOYER }));
    expect((await refreshNow(id)).problem?.code).toBe('sign_in_again');
    const { accountList } = await import('../../../src-main/ipc/account-views.ts');
    const list = await accountList(await vault.read((cache) => cache), Math.floor(Date.now() / 1000));
    expect(list.accounts[0]?.status).toMatchObject({
      state: 'needs-sign-in',
      reason: 'refused',
      code: 'invalid_grant',
    });
  });
});
