/**
 * A provider that changes one field of one response: metadata, keys, tokens, ID token claims and headers, device codes, user info,
 * errors, and the browser's redirect. The user allowed this provider and agrees to nothing else.
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import type { SignInProgress } from '../../app/contract.ts';
import { SignInError } from '../../app/sign-in/failures.ts';
import { type SignIn, signIn } from '../../app/sign-in/sign-in.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import type { Vault } from '../../src-main/index.ts';
import { accountList } from '../../src-main/ipc/account-views.ts';
import { cachedAccounts } from '../../src-main/accounts/cached-accounts.ts';
import { plainError } from '../../src-main/ipc/requests.ts';
import { tokenList } from '../../src-main/ipc/signatures.ts';
import { fakeVault } from '../ipc/fake-vault.ts';
import { isPolluted, JSON_VALUES, MARK, nameOf } from './hostile-values.ts';
import { must } from './score.ts';
import { chosen, inParallel, inTime, type Scene } from './scene.ts';

const HOST = 'idp.example';
const ISSUER = `https://${HOST}/tenant`;
const CLIENT = 'app';
/** Milliseconds until an attack counts as a hang; long, because the machine may be busy. */
const LONGEST = 60_000;
/** Also an ID of Microsoft's form: `uid.utid`. */
const SUB = 'the.user';

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const foreignKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = { ...keys.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' };

/** What the hostile provider changes. `value`: undefined leaves the field out. */
interface Change {
  response: Response;
  field: string;
  value: unknown;
}
type Response =
  | 'metadata'
  | 'key'
  | 'token'
  | 'claims'
  | 'header'
  | 'device'
  | 'redirect'
  | 'user info'
  | 'error'
  | 'http of metadata'
  | 'http';
type Flow = 'browser' | 'device' | 'refresh' | 'sign-out' | 'user info';

const FIELDS: Readonly<Record<Exclude<Response, 'http' | 'http of metadata'>, readonly string[]>> = {
  metadata: [
    'issuer',
    'authorization_endpoint',
    'token_endpoint',
    'device_authorization_endpoint',
    'revocation_endpoint',
    'end_session_endpoint',
    'userinfo_endpoint',
    'jwks_uri',
    'response_types_supported',
    'id_token_signing_alg_values_supported',
    'authorization_response_iss_parameter_supported',
    'code_challenge_methods_supported',
    'prompt_values_supported',
    'mtls_endpoint_aliases',
    '__proto__',
  ],
  key: ['kty', 'crv', 'x', 'y', 'kid', 'alg', 'use', 'k', 'n', '__proto__'],
  token: [
    'access_token',
    'token_type',
    'expires_in',
    'refresh_token',
    'id_token',
    'scope',
    'client_info',
    'id_token_claims',
    'foci',
    'issuer',
    'home_account_id',
    'refresh_in',
    'ext_expires_in',
    'refresh_token_expires_in',
    'error',
    '__proto__',
  ],
  claims: [
    'iss',
    'sub',
    'aud',
    'azp',
    'exp',
    'iat',
    'nbf',
    'nonce',
    'tid',
    'oid',
    'name',
    'preferred_username',
    'auth_time',
    'at_hash',
    'c_hash',
    '__proto__',
  ],
  header: ['alg', 'kid', 'typ', 'crit', 'b64', 'jwk', 'jku', 'x5u', 'enc', '__proto__'],
  device: [
    'device_code',
    'user_code',
    'verification_uri',
    'verification_uri_complete',
    'expires_in',
    'interval',
    '__proto__',
  ],
  redirect: ['code', 'state', 'iss', 'error', 'error_description', 'response', 'id_token', 'access_token'],
  'user info': ['sub', 'iss', 'aud', 'name', 'email', 'picture', '__proto__'],
  error: ['error', 'error_description', 'error_uri', '__proto__'],
};

const HTTP: readonly [string, () => globalThis.Response][] = [
  ...[201, 204, 301, 302, 303, 307, 308, 400, 401, 403, 404, 418, 429, 500, 503].map(
    (status): [string, () => globalThis.Response] => [
      `status ${status}`,
      () =>
        new Response(status === 204 ? null : MARK, {
          status,
          headers: { location: `https://evil.example/${MARK}`, 'retry-after': '1e9' },
        }),
    ],
  ),
  ['HTML', () => new Response(`<script>${MARK}</script>`, { headers: { 'content-type': 'text/html' } })],
  ['no JSON', () => answer(`{"access_token": ${MARK}`)],
  ['nothing', () => answer('')],
  ['a list', () => answer('[]')],
  ['null', () => answer('null')],
  ['fields that come twice', () => answer(`{"issuer":"${ISSUER}","issuer":"https://evil.example"}`)],
  ['very deep JSON', () => answer('['.repeat(200_000))],
  ['two megabytes', () => answer(JSON.stringify({ access_token: 'x'.repeat(2_000_000) }))],
  [
    'no end',
    () => {
      const block = new Uint8Array(65_536).fill(0x20);
      const body = new ReadableStream<Uint8Array>({ pull: (stream) => stream.enqueue(block) });
      return new Response(body, { headers: { 'content-type': 'application/json' } });
    },
  ],
  [
    'a broken connection',
    () =>
      new Response(
        new ReadableStream({ start: (stream) => stream.error(new TypeError(`terminated ${MARK}`)) }),
        {
          headers: { 'content-type': 'application/json' },
        },
      ),
  ],
  [
    'a challenge',
    () => new Response('{}', { status: 401, headers: { 'www-authenticate': `Bearer error="${MARK}"` } }),
  ],
  [
    'a compressed body that is none',
    () => new Response(MARK, { headers: { 'content-type': 'application/json', 'content-encoding': 'br' } }),
  ],
];

function answer(body: string, status = 200): globalThis.Response {
  return new Response(body, { status, headers: { 'content-type': 'application/json' } });
}

const FLOWS: Readonly<Record<Response, readonly Flow[]>> = {
  metadata: ['browser', 'device', 'refresh', 'sign-out', 'user info'],
  key: ['browser', 'device', 'refresh'],
  token: ['browser', 'device', 'refresh'],
  claims: ['browser', 'device', 'refresh'],
  header: ['browser', 'device', 'refresh'],
  device: ['device'],
  redirect: ['browser'],
  'user info': ['user info'],
  error: ['browser', 'device', 'refresh', 'sign-out', 'user info'],
  'http of metadata': ['browser', 'device', 'refresh', 'sign-out', 'user info'],
  http: ['browser', 'device', 'refresh', 'sign-out', 'user info'],
};

/** Claims that a hostile provider signs correctly, for other users, apps and issuers. */
const FORGED: readonly (readonly [string, unknown])[] = [
  ['iss', ISSUER.toUpperCase()],
  ['iss', `${ISSUER}/`],
  ['iss', `${ISSUER}%2f..`],
  ['iss', 'https://login.microsoftonline.com/common/v2.0'],
  ['aud', [CLIENT, 'another-app']],
  ['aud', ['another-app']],
  ['azp', 'another-app'],
  ['sub', 'another-user'],
  ['sub', SUB.toUpperCase()],
  ['tid', 'a'.repeat(300)],
  ['exp', 1],
  ['iat', 4e9],
  ['nbf', 4e9],
];

/** What names a victim, which the hostile provider may sign correctly: subjects are unique only within an issuer. */
const NAMES_VICTIM: readonly Change[] = [
  {
    response: 'token',
    field: 'client_info',
    value: Buffer.from('{"uid":"the","utid":"user"}').toString('base64url'),
  },
  {
    response: 'token',
    field: 'id_token_claims',
    value: { iss: `https://${HOST}/other`, sub: SUB, preferred_username: MARK },
  },
  { response: 'claims', field: 'tid', value: 'adfs' },
  { response: 'claims', field: 'acr', value: 'adfs' },
];

const UNSIGNED: readonly (readonly [string, unknown])[] = [
  ['alg', 'none'],
  ['alg', 'HS256'],
  ['alg', 'RS256'],
  ['alg', 'ES384'],
  ['kid', 'k2'],
  ['jwk', foreignKeys.publicKey.export({ format: 'jwk' })],
  ['jku', 'https://evil.example/jwks'],
  ['foreign key', true],
  ['no signature', true],
  ['changed payload', true],
];

export async function hostileProvider(scene: Scene): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-provider-'));
  writeFileSync(join(folder, 'sign-in-profiles.json'), JSON.stringify(PROFILES));
  writeFileSync(join(folder, 'allowed-issuers.json'), JSON.stringify(ALLOWED));
  const changes: Change[] = [
    ...(Object.entries(FIELDS) as [Response, readonly string[]][]).flatMap(([response, fields]) =>
      fields.flatMap((field) => [undefined, ...JSON_VALUES].map((value) => ({ response, field, value }))),
    ),
    ...FORGED.map(([field, value]): Change => ({ response: 'claims', field, value })),
    ...UNSIGNED.map(([field, value]): Change => ({ response: 'header', field, value })),
    ...HTTP.flatMap(([field], index): Change[] => [
      { response: 'http', field, value: index },
      { response: 'http of metadata', field, value: index },
    ]),
  ];
  try {
    for (const [response, flows] of Object.entries(FLOWS) as [Response, readonly Flow[]][]) {
      const its = changes.filter((change) => change.response === response);
      const attacksOf = (some: readonly Change[]) =>
        flows.flatMap((flow) => some.map((change) => ({ flow, change })));
      const naming = attacksOf(NAMES_VICTIM.filter((change) => change.response === response));
      await inParallel([...naming, ...chosen(scene, attacksOf(its), 30)], 16, async ({ flow, change }) => {
        const what = `${flow}: ${change.field} = ${nameOf(change.value)}`;
        await scene.score.try(`provider: ${response}`, what, () => attackWith(folder, flow, change));
      });
    }
    for (const flow of ['browser', 'device', 'refresh', 'sign-out', 'user info'] as const)
      await scene.score.try('provider: an honest one is accepted', flow, () =>
        attackWith(folder, flow, undefined),
      );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const PROFILES = {
  version: 1,
  profiles: [
    {
      id: 'p',
      kind: 'oidc',
      name: 'x',
      authority: ISSUER,
      client_id: CLIENT,
      scopes: ['openid', 'offline_access'],
      redirect_uri: 'http://127.0.0.1/',
    },
  ],
};
const ALLOWED = { version: 1, allowed: [{ issuer: ISSUER, hosts: [] }] };

/** Others' accounts in the same cache: on another host, and on the same host at another issuer with the same subject and app. */
const VICTIMS = ['https://sso.example/employer', `https://${HOST}/other`];

async function attackWith(folder: string, flow: Flow, change: Change | undefined): Promise<void> {
  const secrets = {
    code: `code-${MARK.length}-of-this-sign-in`,
    refresh: 'refresh-token-of-this-issuer',
    device: 'device-code-of-this-sign-in',
  };
  const cache = new SerializableTokenCache();
  for (const issuer of VICTIMS) cache.add(responseAt(issuer, SUB, `victim at ${issuer}`, undefined));
  const isOfVictim = (entity: object): boolean => VICTIMS.includes(String(Reflect.get(entity, 'issuer')));
  const victims = (): string =>
    JSON.stringify(
      (['Account', 'AccessToken', 'RefreshToken', 'IdToken'] as const).flatMap((type) =>
        cache
          .find(type)
          .filter(isOfVictim)
          .map((entity) => [entity, (entity as { secret?: string }).secret]),
      ),
    );
  const before = victims();
  const vault = Object.assign(fakeVault(cache), { epoch: 0, on: () => () => undefined }) as unknown as Vault;
  let nonce: string | undefined;
  const told: SignInProgress[] = [];
  const problems: string[] = [];
  const faults: unknown[] = [];
  let waiting: (() => void) | undefined;

  /** The changed copy of a response. */
  const changed = (response: Response, value: Record<string, unknown>): Record<string, unknown> => {
    if (change?.response !== response) return value;
    const rest = Object.entries(value).filter(([name]) => name !== change.field);
    if (change.value === undefined) return Object.fromEntries(rest);
    // As JSON, so that `__proto__` is a field.
    const text = JSON.stringify(change.value);
    const others = JSON.stringify(Object.fromEntries(rest)).slice(1);
    return JSON.parse(
      `{${JSON.stringify(change.field)}:${text}${others === '}' ? '' : ','}${others}`,
    ) as Record<string, unknown>;
  };
  const jwks = (): { keys: unknown[] } => ({ keys: [changed('key', jwk)] });
  const idToken = (): string => {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: ISSUER,
      sub: SUB,
      aud: CLIENT,
      iat: now,
      exp: now + 600,
      ...(nonce === undefined ? {} : { nonce }),
    };
    return signed(changed('header', { alg: 'ES256', kid: 'k1' }), changed('claims', claims), change);
  };
  const tokens = (): Record<string, unknown> =>
    changed('token', {
      access_token: 'access-token-of-this-issuer',
      token_type: 'Bearer',
      expires_in: 600,
      refresh_token: secrets.refresh,
      id_token: idToken(),
    });
  const metadata = {
    issuer: ISSUER,
    authorization_endpoint: `${ISSUER}/authorize`,
    token_endpoint: `${ISSUER}/token`,
    device_authorization_endpoint: `${ISSUER}/device`,
    revocation_endpoint: `${ISSUER}/revoke`,
    end_session_endpoint: `${ISSUER}/logout`,
    userinfo_endpoint: `${ISSUER}/userinfo`,
    jwks_uri: `${ISSUER}/keys`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    authorization_response_iss_parameter_supported: true,
  };
  const respond = (path: string, body: string): globalThis.Response => {
    const isMetadata = path.includes('/.well-known/');
    if (change?.response === (isMetadata ? 'http of metadata' : 'http'))
      return HTTP[change.value as number]![1]();
    if (isMetadata) return answer(JSON.stringify(changed('metadata', metadata)));
    if (path.endsWith('/keys')) return answer(JSON.stringify(jwks()));
    if (change?.response === 'error')
      return answer(
        JSON.stringify(changed('error', { error: 'invalid_grant', error_description: MARK })),
        400,
      );
    if (path.endsWith('/device')) {
      const device = {
        device_code: secrets.device,
        user_code: 'ABCD',
        verification_uri: `${ISSUER}/code`,
        expires_in: 60,
        interval: 0.01,
      };
      return answer(JSON.stringify(changed('device', device)));
    }
    if (path.endsWith('/revoke')) return answer('');
    if (path.endsWith('/userinfo'))
      return answer(JSON.stringify(changed('user info', { sub: SUB, name: 'Ada' })));
    // The app asks whether its client is known, with a code that nobody issued.
    if (body.includes('not-a-code')) return answer('{"error":"invalid_grant"}', 400);
    return answer(JSON.stringify(tokens()));
  };

  const mayGet = (url: URL): boolean => url.protocol === 'https:' && url.host === HOST;
  const signing = signIn<null>({
    folder,
    vault: () => Promise.resolve(vault),
    ownVault: () => Promise.resolve(vault),
    isDemo: () => false,
    tokenText: () => Promise.reject(new Error('This test has no tokens to check.')),
    useGesture: () => undefined,
    confirm: (_caller, { message }) => Promise.resolve(message === 'Request user info?'),
    copyText: () => undefined,
    now: () => Date.now(),
    after(milliseconds, work) {
      const timer = setTimeout(work, milliseconds);
      return () => clearTimeout(timer);
    },
    fetch: (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input);
      const body = init?.body instanceof URLSearchParams ? init.body.toString() : '';
      const bearer = String(new Headers(init?.headers).get('authorization'));
      const carried = [...Object.values(secrets), 'access of', 'victim'].some((secret) =>
        `${url.href} ${decodeURIComponent(body)} ${bearer}`.includes(secret),
      );
      if (carried && !mayGet(url)) problems.push(`A secret was sent to ${url.origin}.`);
      if (carried && `${body} ${bearer}`.includes('victim')) problems.push('A victim’s token was sent.');
      if (!mayGet(url)) problems.push(`A request was sent to ${url.origin}, which the user did not allow.`);
      if (init?.redirect !== 'manual') problems.push('A redirect would be followed.');
      return Promise.resolve(respond(url.pathname, body));
    },
    openBrowser(address) {
      const url = new URL(address);
      if (!mayGet(url)) problems.push(`The browser was sent to ${url.protocol}//${url.host}.`);
      const { searchParams } = url;
      if (searchParams.getAll('redirect_uri').length > 1) problems.push('There are two redirect URIs.');
      nonce = searchParams.get('nonce') ?? undefined;
      const redirect = searchParams.get('redirect_uri');
      if (redirect !== null) {
        const back = changed('redirect', {
          code: secrets.code,
          state: searchParams.get('state') ?? '',
          iss: ISSUER,
        });
        const query = new URLSearchParams(
          Object.entries(back).map(([name, value]) => [name, String(value).slice(0, 4_000)]),
        );
        get(`${redirect}?${query.toString()}`, (response) => {
          let page = '';
          response.setEncoding('utf8').on('data', (text: string) => (page += text));
          response.on(
            'end',
            () => page.includes(MARK) && problems.push('The page in the browser repeats the provider.'),
          );
        }).on('error', () => undefined);
      }
      return Promise.resolve();
    },
    emit: {
      signIn(progress) {
        told.push(progress);
        waiting?.();
      },
      refreshStatus() {},
      profiles() {},
      signOuts() {},
    },
    onUnexpected: (error) => faults.push(error),
  });

  let said: unknown;
  let seeded = '';
  if (flow === 'browser' || flow === 'device') {
    const ended = new Promise<void>((resolve) => {
      waiting = () => /done|failed|none/.test(told.at(-1)?.step ?? '') && resolve();
    });
    await signing.handlers.signIn(null, 'p', flow, null);
    // Where the browser shows an error page, or a code is never confirmed, the user cancels.
    await inTime(change === undefined || change.response === 'claims' ? LONGEST : 1_000, ended).catch(
      async () => {
        await signing.handlers.cancelSignIn(null);
        await inTime(LONGEST, ended);
      },
    );
    said = told.map((progress) =>
      progress.step === 'device' ? { ...progress, link: '', direct: '', userCode: '' } : progress,
    );
    for (const progress of told) {
      if (progress.step !== 'device') continue;
      for (const link of [progress.link, progress.direct])
        must(link.startsWith('https:'), `The window shows ${link}.`);
      must(
        /^[\x20-\x7e]{1,64}$/.test(progress.userCode),
        `The window shows the code ${nameOf(progress.userCode)}.`,
      );
      must(Number.isFinite(progress.expiresAt), 'The window shows no time of expiry.');
    }
    if (change === undefined)
      must(told.at(-1)?.step === 'done', `It was refused: ${JSON.stringify(told.at(-1))}`);
  } else {
    const claims = { iss: ISSUER, sub: SUB, aud: CLIENT, exp: 4e9, iat: 1 };
    seeded = signed({ alg: 'ES256', kid: 'k1' }, claims, undefined);
    cache.add(responseAt(ISSUER, SUB, 'own', seeded, secrets.refresh));
    const ids = (): string => [...cachedAccounts(cache).byId.keys()].join(' ');
    const before = ids();
    const id = [...cachedAccounts(cache).byId.values()].find(({ issuer }) => issuer === ISSUER)?.id ?? '';
    if (flow === 'user info') said = await inTime(LONGEST, userInfoOf(signing, id));
    else if (flow === 'refresh') said = await inTime(LONGEST, refreshOf(signing, id));
    else {
      const wishes = { vault: true, revoke: true, endSession: true, places: [] };
      said = await inTime(LONGEST, Promise.resolve(signing.handlers.signOut(null, [id], wishes)));
    }
    if (flow !== 'sign-out') must(ids() === before, 'Another user is there.');
    if (change === undefined)
      must(!JSON.stringify(said).includes('"code"'), `It was refused: ${JSON.stringify(said)}`);
    if (flow === 'sign-out')
      must(
        !cache.serialize().includes(secrets.refresh) || /sign-outs/.test(cache.serialize()),
        'The account is still there.',
      );
  }
  signing.stop();

  must(problems.length === 0, problems.join(' '));
  must(faults.length === 0, `An unexpected error: ${String(faults[0])}`);
  must(!isPolluted(), 'Object.prototype was changed.');
  const shown = JSON.stringify(said);
  must(!shown.includes(MARK), `The window is told the provider’s words: ${nameOf(shown)}`);
  must(!Object.values(secrets).some((secret) => shown.includes(secret)), 'The window is told a secret.');
  must(victims() === before, 'Another issuer’s account was changed.');
  await verifyStored(
    cache,
    { keys: jwks().keys } as JSONWebKeySet,
    flow === 'browser' ? nonce : undefined,
    seeded,
  );
  // What was stored can be listed, written and read again.
  await accountList(cache, 1);
  for (const { id } of cachedAccounts(cache).byId.values()) {
    for (const { type, signature } of tokenList(cache, id)) {
      must(signature === null || type === 'IdToken', 'A signature is shown for something else.');
      if (
        change === undefined &&
        flow !== 'sign-out' &&
        flow !== 'user info' &&
        type === 'IdToken' &&
        isOwn(cache, id)
      )
        must(signature?.key_id === 'k1', 'The signature is not shown.');
    }
  }
  const copy = new SerializableTokenCache();
  copy.deserialize(cache.serialize());
  must(copy.serialize() === cache.serialize(), 'What was stored reads back differently.');
}

const refreshOf = async (signing: SignIn<null>, id: string): Promise<unknown> =>
  signing.handlers.refreshNow(null, id, null);

/** What the window is told, but for the provider's claims, which are what the user wants to see. */
async function userInfoOf(signing: SignIn<null>, id: string): Promise<unknown> {
  try {
    const answer = await signing.handlers.userInfo(null, id);
    if (answer === null) return null; // the user did not agree to another host
    const sub = answer.claims.find(({ name }) => name === 'sub')?.json;
    must(sub === JSON.stringify(SUB), `The window is told of the user ${nameOf(sub)}.`);
    return { ...answer, claims: [] };
  } catch (error) {
    if (!(error instanceof SignInError)) throw error;
    return plainError(error);
  }
}

/** An independent check of everything that the provider got into the cache. */
async function verifyStored(
  cache: SerializableTokenCache,
  served: JSONWebKeySet,
  nonce: string | undefined,
  seeded: string,
): Promise<void> {
  for (const token of cache.find('IdToken')) {
    const { secret } = token;
    if (secret === seeded || /^[^.]+\.[^.]+\.victim$/.test(secret)) continue;
    const { payload } = await jwtVerify(secret, createLocalJWKSet(served), {
      issuer: ISSUER,
      audience: CLIENT,
    }).catch((error: unknown) => {
      throw new Error(`An ID token was stored that can’t be verified: ${String(error)}`);
    });
    const { azp, sub, nonce: own } = payload;
    must(azp === undefined || azp === CLIENT, `An ID token for ${String(azp)} was stored.`);
    must(nonce === undefined || own === nonce, 'An ID token of another sign-in was stored.');
    must(
      token.home_account_id === sub || token.home_account_id.includes(String(sub)),
      `The ID token of ${String(sub)} was stored for ${token.home_account_id}.`,
    );
  }
  for (const type of ['AccessToken', 'RefreshToken', 'Account'] as const) {
    for (const entity of cache.find(type)) {
      const issuer: unknown = Reflect.get(entity, 'issuer');
      must(
        issuer === ISSUER || VICTIMS.includes(String(issuer)),
        `An entity of ${nameOf(issuer)} was stored.`,
      );
      must(
        entity.environment === HOST || entity.environment === 'sso.example',
        `An entity at ${entity.environment} was stored.`,
      );
    }
  }
}

const isOwn = (cache: SerializableTokenCache, id: string): boolean =>
  cachedAccounts(cache).byId.get(id)?.issuer === ISSUER;

function responseAt(
  issuer: string,
  sub: string,
  label: string,
  idToken: string | undefined,
  refresh = `refresh of ${label}`,
) {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return {
    client_id: CLIENT,
    scope: ['openid'],
    token_endpoint: `${issuer}/token`,
    issuer,
    realm: '',
    authority_type: 'Generic' as const,
    response: {
      token_type: 'Bearer',
      expires_in: 3600,
      access_token: `access of ${label}`,
      refresh_token: refresh,
      id_token: idToken ?? `${part({ alg: 'none' })}.${part({ sub, iss: issuer, aud: CLIENT })}.victim`,
    },
  };
}

function signed(header: object, claims: object, change: Change | undefined): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const trick = change?.response === 'header' ? change.field : '';
  const data = `${part(header)}.${part(claims)}`;
  const key: KeyObject =
    trick === 'foreign key' || trick === 'jwk' ? foreignKeys.privateKey : keys.privateKey;
  const signature = sign('sha256', Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' }).toString(
    'base64url',
  );
  if (trick === 'no signature' || Reflect.get(header, 'alg') === 'none') return `${data}.`;
  if (trick === 'changed payload')
    return `${part(header)}.${part({ ...claims, sub: 'another-user' })}.${signature}`;
  return `${data}.${signature}`;
}
