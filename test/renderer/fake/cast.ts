import type { AccountItem, AccountStatus, DecodedToken, TokenItem } from '../../../src-main/ipc/contract.ts';

/** A made-up account with its tokens, as main sends them. Times are relative to `now`, in seconds. */
export interface Member {
  account: AccountItem;
  tokens: TokenItem[];
}

const CONTOSO = '72f988bf-0000-4000-8000-2d7cd011db47';
const FABRIKAM = 'b1a2c3d4-0000-4000-8000-00fab41ca000';
export const MAIL = '9f0c1b2a-3344-4556-8778-99aabbccc11e';
export const DESK = '51aa77d0-1122-4333-8444-5566778802d4';
const GRAPH = '00000003-0000-0000-c000-000000000000';
const HOUR = 3600;

export function token(changes: Partial<TokenItem> & Pick<TokenItem, 'id' | 'type'>): TokenItem {
  return {
    place: 'vault',
    environment: 'login.microsoftonline.com',
    realm: CONTOSO,
    client_id: MAIL,
    client_name: 'Mail Assistant',
    scopes: [],
    audience: null,
    token_type: changes.type === 'AccessToken' ? 'Bearer' : null,
    key_id: null,
    family_id: null,
    format: changes.type === 'RefreshToken' ? 'opaque' : 'jwt',
    cached_at: null,
    expires_on: null,
    extended_expires_on: null,
    refresh_on: null,
    last_modification_time: null,
    signature: null,
    ...changes,
  };
}

export function account(changes: Partial<AccountItem> & Pick<AccountItem, 'id'>): AccountItem {
  return {
    kind: 'user',
    home_account_id: `6b1f0000-0000-4000-8000-0000000${changes.id}.${CONTOSO}`,
    environment: 'login.microsoftonline.com',
    username: '',
    name: null,
    authority_type: 'MSSTS',
    tenants: [{ realm: CONTOSO, local_account_id: `6b1f0000-0000-4000-8000-0000000${changes.id}` }],
    clients: [MAIL],
    tokens: { AccessToken: 0, RefreshToken: 0, IdToken: 0 },
    nextExpiry: null,
    lastExpiry: null,
    since: null,
    issuer: null,
    source: null,
    places: ['vault'],
    status: { state: 'renews', activeUntil: null },
    ...changes,
  };
}

/** Adds the fields that main derives from the tokens. */
function member(base: AccountItem, tokens: TokenItem[], now: number): Member {
  const access = tokens.filter((item) => item.type === 'AccessToken').map((item) => item.expires_on ?? 0);
  const next = access.filter((at) => at > now);
  const times = tokens.flatMap((item) => item.cached_at ?? item.last_modification_time ?? []);
  return {
    account: {
      ...base,
      clients: [...new Set(tokens.map((item) => item.client_id))],
      tokens: {
        AccessToken: access.length,
        RefreshToken: tokens.filter((item) => item.type === 'RefreshToken').length,
        IdToken: tokens.filter((item) => item.type === 'IdToken').length,
      },
      nextExpiry: next.length > 0 ? Math.min(...next) : null,
      lastExpiry: access.length > 0 ? Math.max(...access) : null,
      status: statusOf(tokens, base.status, now),
      since: times.length > 0 ? Math.min(...times) : null,
    },
    tokens,
  };
}

/** The status that main derives from the tokens, unless the account has a refusal. */
function statusOf(tokens: readonly TokenItem[], own: AccountStatus, now: number): AccountStatus {
  if (own.state === 'needs-sign-in') return own;
  const expiries = tokens.flatMap(({ type, expires_on }) =>
    type === 'AccessToken' ? (expires_on ?? []) : [],
  );
  const last = expiries.length > 0 ? Math.max(...expiries) : null;
  const until = last !== null && last > now ? last : null;
  if (tokens.some(({ type }) => type === 'RefreshToken')) return { state: 'renews', activeUntil: until };
  if (until !== null) return { state: 'active', until };
  if (last === null) return { state: 'unknown' };
  return { state: 'needs-sign-in', reason: 'expired', at: last, code: null, activeUntil: null };
}

export function cast(now: number): Member[] {
  const desk = { client_id: DESK, client_name: 'Order Desk' };
  return [
    member(
      account({
        id: 'a001',
        username: 'ada@contoso.example',
        name: 'Ada Marsh',
        tenants: [
          { realm: CONTOSO, local_account_id: '6b1f9a0e-0000-4000-8000-00000000a001', name: 'Ada Marsh' },
          {
            realm: FABRIKAM,
            local_account_id: '7c2f9a0e-0000-4000-8000-00000000b001',
            username: 'ada_contoso.example#EXT#@fabrikam.example',
          },
        ],
      }),
      [
        token({
          id: 'ada-graph',
          type: 'AccessToken',
          audience: GRAPH,
          scopes: ['User.Read', 'Mail.Read', 'Calendars.Read', 'openid'],
          cached_at: now - 48 * 60,
          expires_on: now + 12 * 60 + 30,
          refresh_on: now - 18 * 60,
          extended_expires_on: now + 2 * HOUR,
        }),
        token({
          id: 'ada-orders',
          type: 'AccessToken',
          ...desk,
          audience: 'https://api.contoso.example',
          scopes: ['https://api.contoso.example/Orders.Read', 'https://api.contoso.example/Orders.Write'],
          cached_at: now - 8 * 60,
          expires_on: now + 52 * 60 + 10,
        }),
        token({
          id: 'ada-guest',
          type: 'AccessToken',
          realm: FABRIKAM,
          audience: 'https://graph.microsoft.com',
          scopes: ['User.Read'],
          cached_at: now - 19 * 60,
          expires_on: now + 41 * 60 + 10,
        }),
        token({
          id: 'ada-vault',
          type: 'AccessToken',
          ...desk,
          audience: 'https://vault.contoso.example',
          scopes: ['user_impersonation'],
          format: 'jwe',
          cached_at: now - 3 * HOUR,
          expires_on: now - 2 * HOUR,
        }),
        token({
          id: 'ada-refresh',
          type: 'RefreshToken',
          family_id: '1',
          last_modification_time: now - 3 * 86_400,
        }),
        token({ id: 'ada-id', type: 'IdToken', audience: MAIL, cached_at: null, expires_on: now + 52 * 60 }),
      ],
      now,
    ),
    member(
      account({ id: 'a002', username: 'tomas@contoso.example', name: 'Tomas Okafor' }),
      [
        token({
          id: 'tomas-graph',
          type: 'AccessToken',
          audience: GRAPH,
          scopes: ['User.Read'],
          cached_at: now - 57 * 60,
          expires_on: now + 6 * 60,
        }),
        token({
          id: 'tomas-arm',
          type: 'AccessToken',
          client_id: '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
          client_name: null,
          audience: '797f4846-ba00-4fd7-ba43-dac1f8f63013',
          scopes: ['https://management.azure.com/user_impersonation'],
          cached_at: now - 100,
          expires_on: now + 80 * 60,
        }),
        token({ id: 'tomas-refresh', type: 'RefreshToken', last_modification_time: now - 9 * 86_400 }),
        token({ id: 'tomas-id', type: 'IdToken', expires_on: now - 40 }),
      ],
      now,
    ),
    member(
      account({
        id: 'a003',
        username: 'lin@fabrikam.example',
        name: 'Lin Nakamura',
        tenants: [{ realm: FABRIKAM, local_account_id: 'lin' }],
      }),
      [
        token({
          id: 'lin-opaque',
          type: 'AccessToken',
          realm: FABRIKAM,
          audience: 'https://outlook.office.com',
          scopes: ['Mail.Read'],
          format: 'opaque',
          cached_at: now - 600,
          expires_on: now + 50 * 60,
        }),
        token({
          id: 'lin-future',
          type: 'AccessToken',
          realm: FABRIKAM,
          audience: GRAPH,
          scopes: ['User.Read'],
          cached_at: now + 3 * HOUR,
          expires_on: now + 4 * HOUR,
        }),
        token({
          id: 'lin-refresh',
          type: 'RefreshToken',
          realm: FABRIKAM,
          last_modification_time: now - 86_400,
        }),
      ],
      now,
    ),
    member(
      account({
        id: 'a004',
        home_account_id: 'rosa-7781',
        environment: 'id.example.org',
        username: 'rosa@example.org',
        name: 'Rosa Stein',
        authority_type: 'Generic',
        tenants: [{ realm: '', local_account_id: 'rosa-7781' }],
      }),
      [
        token({
          id: 'rosa-api',
          type: 'AccessToken',
          environment: 'id.example.org',
          realm: '',
          audience: 'https://shop.example.org',
          scopes: ['orders'],
          cached_at: now - 30 * 86_400,
          expires_on: now - 30 * 86_400 + 600,
        }),
      ],
      now,
    ),
    member(
      account({
        id: 'a005',
        kind: 'app',
        home_account_id: null,
        name: 'nightly-report',
        authority_type: null,
      }),
      [
        token({
          id: 'nightly',
          type: 'AccessToken',
          client_id: '3f6e1d2c-aaaa-4bbb-8ccc-0123456789ab',
          client_name: 'nightly-report',
          audience: GRAPH,
          scopes: ['https://graph.microsoft.com/.default'],
          cached_at: now - 60,
          expires_on: now + 59 * 60,
        }),
      ],
      now,
    ),
    member(
      account({
        id: 'a006',
        kind: 'orphan',
        home_account_id: '11110000-0000-4000-8000-000000000006.72f988bf',
        authority_type: null,
        tenants: [],
      }),
      [token({ id: 'orphan-refresh', type: 'RefreshToken', last_modification_time: now - 200 * 86_400 })],
      now,
    ),
  ];
}

/** Names that pretend to be something else. */
export function hostile(now: number): Member[] {
  const names = [
    ['<img src=x onerror=alert(1)>', '<script>alert(1)</script>@evil.example'],
    ['Ada Marsh\u202egnp.exe', 'spoof\u200b@contoso.example'],
    ['Line\nbreak\tand\u0000nul', '"; DROP TABLE accounts; --'],
    ['فاطمة الزهراء', 'fatima@contoso.example'],
    [
      `A name that does not end ${'and goes on '.repeat(20)}`,
      `${'very.long.name.'.repeat(12)}@contoso.example`,
    ],
    ['👩‍💻 Zoë Ødegård', 'zoe@contoso.example'],
  ] as const;
  return names.map(([name, username], index) =>
    member(
      account({ id: `e00${index}`, name, username }),
      [
        token({
          id: `hostile-${index}`,
          type: 'AccessToken',
          client_name: name,
          audience: `javascript:alert(${index})`,
          scopes: [name, '<b>scope</b>'],
          cached_at: now - 60,
          expires_on: index === 2 ? 1e300 : now + 3000,
        }),
        token({ id: `hostile-id-${index}`, type: 'IdToken', client_name: name, expires_on: now - 1e9 }),
      ],
      now,
    ),
  );
}

/** Returns the given number of accounts with four tokens each, in about one tenant per hundred accounts. */
export function crowd(size: number, now: number): Member[] {
  const first = ['Ada', 'Tomas', 'Lin', 'Rosa', 'Noor', 'Emil', 'Ines', 'Kofi', 'Maja', 'Yuki'];
  const last = [
    'Marsh',
    'Okafor',
    'Nakamura',
    'Stein',
    'Haddad',
    'Lund',
    'Costa',
    'Mensah',
    'Novak',
    'Sato',
    'Berg',
  ];
  return Array.from({ length: size }, (_, index) => {
    const tenant = `${String(index % Math.max(1, Math.ceil(size / 100))).padStart(8, '0')}-1111-4000-8000-000000000000`;
    const domain = `tenant${index % Math.max(1, Math.ceil(size / 100))}.example`;
    const name = `${first[index % first.length]} ${last[(index * 7) % last.length]} ${index}`;
    const id = `c${index}`;
    return member(
      account({
        id,
        name,
        username: `user${index}@${domain}`,
        tenants: [{ realm: tenant, local_account_id: id }],
      }),
      [
        token({
          id: `${id}-1`,
          type: 'AccessToken',
          realm: tenant,
          audience: GRAPH,
          scopes: ['User.Read'],
          cached_at: now - 600,
          expires_on: now + ((index * 37) % 5000) - 600,
        }),
        token({
          id: `${id}-2`,
          type: 'AccessToken',
          realm: tenant,
          audience: 'https://api.contoso.example',
          scopes: ['Orders.Read'],
          cached_at: now - 600,
          expires_on: now + 3000,
        }),
        token({
          id: `${id}-3`,
          type: 'RefreshToken',
          realm: tenant,
          last_modification_time: now - 86_400 * (index % 90),
        }),
        token({ id: `${id}-4`, type: 'IdToken', realm: tenant, expires_on: now + 3000 }),
      ],
      now,
    );
  });
}

/** Returns claims that fit the token's format. */
export function decoded(item: TokenItem, now: number): DecodedToken {
  const claim = (name: string, value: unknown) => ({ name, json: JSON.stringify(value) });
  const mark = `mark-of-${item.id}-${String(item.cached_at)}`;
  if (item.format === 'opaque') return { mark, format: 'opaque', length: 1432 };
  if (item.format === 'jwe') {
    return {
      mark,
      format: 'jwe',
      header: [
        claim('alg', 'RSA-OAEP-256'),
        claim('enc', 'A256GCM'),
        claim('kid', 'vault-2026'),
        claim('typ', 'JWT'),
        claim('cty', 'JWT'),
      ],
    };
  }
  const exp = item.expires_on ?? now;
  return {
    mark,
    format: 'jwt',
    header: [
      claim('typ', 'JWT'),
      claim('alg', 'RS256'),
      claim('kid', 'b3Y2xQk-Rz0'),
      claim('x5t', 'b3Y2xQk-Rz0'),
    ],
    payload: [
      claim('aud', item.audience ?? item.client_id),
      claim('iss', `https://sts.windows.net/${CONTOSO}/`),
      claim('iat', exp - 3600),
      claim('nbf', exp - 3600),
      claim('exp', exp),
      claim('scp', item.scopes.join(' ')),
      claim('app_displayname', item.client_name),
      claim('appid', item.client_id),
      claim('amr', ['pwd', 'mfa']),
      claim('name', 'Ada Marsh'),
      claim('oid', '6b1f9a0e-0000-4000-8000-00000000a001'),
      claim('tid', CONTOSO),
      claim('xms_st', { sub: 'hQ0x-_8Zq2Jm5b1rG7c', nested: { roles: ['reader', 'writer'], level: 3 } }),
      claim('contoso_department', 'Logistics'),
      claim('email_verified', true),
      claim(
        'aio',
        'AVQAq/8TAAAAo2Kq0m1v3R9m0Jp7w9l1hQb3n6VxqfT0cCq9tLw5sT3aG8mJ2pU7yN4kD1fR6eB0hX5vZ3iO8uM=',
      ),
    ],
  };
}
