import type { AppInfo } from '../../../app/contract.ts';
import type { HealthReport, ImportPlan, VaultReport, VaultStatus } from '../../../src-main/ipc/contract.ts';
import type { World } from './bridge.ts';
import { cast, crowd, hostile, MAIL } from './cast.ts';
import { type SignInWorld, signInWorld } from './sign-in.ts';

const READ: ReadonlySet<string> = new Set(['ready', 'read-only', 'damaged']);

export function readyStatus(now: number, changes: Partial<VaultStatus> = {}): VaultStatus {
  return {
    state: 'ready',
    held: 'disk',
    unsaved: 0,
    waiting: false,
    file: '/home/ada/.config/Tokenkeep/accounts.vault',
    bytes: 61_204,
    savedAt: now - 12,
    keychain: 'GNOME Keyring',
    // Known once the file has been read.
    ...(READ.has(changes.state ?? 'ready') && changes.bytes !== null
      ? { key: { slot: 'a', madeAt: now - 3 * 86_400 }, live: 0.94 }
      : {}),
    ...changes,
  };
}

const INFO: AppInfo = {
  version: '0.1.0',
  electron: '45.4.1',
  build: 'commit 3f2a91c04b7e, linux x64',
  homepage: 'https://tokenkeep.example/',
  platform: 'linux',
  demo: false,
  keychainCrashed: false,
  startedWithoutLock: false,
  locked: false,
};

export const PLAN: ImportPlan = {
  id: 'plan-1',
  fileName: 'msal_token_cache.json',
  bytes: 48_213,
  writtenBy: 'MSAL Python',
  accounts: { added: 2, known: 1, names: ['Ada Marsh', 'noor@contoso.example', 'Emil Lund'] },
  tokens: { added: 8, replaced: 1, unchanged: 3, expired: 2 },
  notUnderstood: 2,
};

export const REPORT: VaultReport = {
  sound: true,
  state: 'ready',
  bytes: 61_204,
  accounts: 8,
  entries: 41,
  secrets: 24,
  live: 0.94,
  keySlot: 'a',
  keyMadeAt: 1,
  generation: 3,
  regions: { headers: 2, base: { intact: 9, of: 9 }, appended: 4, after: 0 },
};

/** A superseded refresh token, and an entry that can't be repaired. */
export const HEALTH: HealthReport = {
  findings: [
    {
      id: 'finding-1',
      kind: 'unreadable',
      says: 'An access token has no scopes.',
      causes: [{ library: 'MSAL Node', says: 'fails whenever it reads the file' }],
      entities: [{ type: 'AccessToken', key: 'k1', home_account_id: 'ada.contoso' }],
      repair: null,
    },
    {
      id: 'finding-2',
      kind: 'shadowed-refresh-token',
      says: 'A refresh token is superseded by a newer one of the same app.',
      causes: [
        { library: 'MSAL Node', says: 'goes on using the older one, and asks to sign in when it ends' },
      ],
      entities: [
        { type: 'RefreshToken', key: 'new', username: 'ada@contoso.example', client_id: 'app' },
        { type: 'RefreshToken', key: 'old', username: 'ada@contoso.example', client_id: 'app' },
      ],
      repair: {
        removed: [{ type: 'RefreshToken', key: 'old', username: 'ada@contoso.example', client_id: 'app' }],
        added: [],
        changed: [],
      },
    },
  ],
  total: 2,
  repairable: 1,
  last: null,
};

/** One event of each kind, newest first. */
function activity(now: number): World['activity'] {
  const ada = { id: 'a001', name: 'Ada Marsh' };
  const tomas = { id: 'a002', name: 'Tomas Okafor' };
  const gone = { id: 'a099', name: 'Teo Varga' };
  const graph = 'https://graph.microsoft.com';
  const about = { token: 'AccessToken', api: graph, client_id: MAIL } as const;
  const refresh = { kind: 'refresh', client_ids: [MAIL], apis: [graph], tokens: 1, automatic: true } as const;
  const code = 'invalid_grant, AADSTS50173';
  const events = [
    {
      at: now - 300,
      accounts: [tomas],
      kind: 'refused',
      client_id: MAIL,
      provider: 'login.microsoftonline.com',
      reason: 'revoked',
      code,
    },
    { at: now - 480, accounts: [ada], ...refresh, until: now + 3120 },
    { at: now - 900, accounts: [ada], kind: 'copy', ...about, form: 'header' },
    { at: now - 1000, accounts: [ada], kind: 'reveal', ...about },
    {
      at: now - 4000,
      accounts: [ada],
      ...refresh,
      tokens: 2,
      apis: [graph, 'api://api.contoso.example'],
      until: now - 400,
      automatic: false,
    },
    { at: now - 7600, accounts: [ada], ...refresh, until: now - 4000 },
    {
      at: now - 86_400,
      accounts: [ada, tomas, gone],
      others: 1997,
      kind: 'import',
      file: '/home/ada/msal_token_cache.json',
      accountsAdded: 3,
      tokensAdded: 11,
    },
    {
      at: now - 90_000,
      accounts: [gone],
      kind: 'sign-in',
      client_id: MAIL,
      way: 'browser',
      provider: 'login.microsoftonline.com',
    },
    {
      at: now - 190_000,
      accounts: [],
      kind: 'export',
      file: '/home/ada/Documents/laptop-backup.age',
      accountsExported: 5,
    },
    { at: now - 200_000, accounts: [], kind: 'rotation' },
    { at: now - 300_000, accounts: [], kind: 'repair', entries: 3, undo: false },
    { at: now - 900_000, accounts: [], kind: 'cleared' },
  ] as const;
  return events.map((event, index) => ({ id: `1-${index}`, ...event }));
}

/** Two sign-outs: one that is complete, and one whose provider has not been reached. */
function receipts(now: number): SignInWorld['receipts'] {
  const removed = { Account: 1, AccessToken: 3, RefreshToken: 1, IdToken: 1, AppMetadata: 0 };
  const receipt = { removed, remaining: 0, oldKey: 'destroyed' } as const;
  const problem = { code: 'provider_unreachable', message: 'id.example.org could not be reached.' };
  return [
    {
      id: 'out-2',
      at: now - 60,
      names: ['teo@contoso.example'],
      places: [],
      keptInVault: false,
      receipts: [{ ...receipt, at: now - 60, account: 'teo@contoso.example' }],
      revoked: { count: 0, pending: 1, problem },
      session: { opened: true, problem: null },
    },
    {
      id: 'out-1',
      at: now - 95_000,
      names: ['kai@contoso.example', 'mia@contoso.example'],
      places: [],
      keptInVault: false,
      receipts: [
        { ...receipt, at: now - 95_000, account: 'kai@contoso.example' },
        { ...receipt, at: now - 95_000, account: 'mia@contoso.example' },
      ],
      revoked: { count: 2, pending: 0, problem: null },
      session: null,
    },
  ];
}

/** A cache in each state. */
function sourceItems(now: number): NonNullable<World['sources']> {
  const base = {
    sharedBy: [],
    sealing: 'none' as const,
    asksFirst: false,
    state: 'accounts' as const,
    problem: null,
    viewOnly: false,
    leave: '',
    opens: null,
    command: null,
    accounts: 3,
    tokens: 9,
    names: [],
    writtenAt: now - 700,
    changedAt: null,
    changedHere: false,
    lastChange: null,
    importable: true,
  };
  const off = { accounts: 0, tokens: 0, importable: false };
  return [
    {
      ...base,
      id: 'az',
      program: 'azure-cli',
      name: 'Azure CLI',
      file: '~/.azure/msal_token_cache.json',
      changedAt: now - 4,
      lastChange: 'Mara Lindqvist, 1 token refreshed.',
      writtenAt: now - 4,
    },
    {
      ...base,
      id: 'ps',
      program: 'shared',
      name: 'Azure PowerShell',
      file: '~/.local/share/.IdentityService/msal.cache',
      sealing: 'secret-service',
      asksFirst: true,
      importable: false,
    },
    {
      ...base,
      ...off,
      id: 'azd',
      program: 'azd',
      name: 'Azure Developer CLI',
      file: '~/.azd/auth/msal/cache.json',
      state: 'found',
    },
    {
      ...base,
      ...off,
      id: 'graph',
      program: 'graph',
      name: 'Graph PowerShell',
      file: '~/.graph/cache',
      sealing: 'secret-service',
      asksFirst: true,
      state: 'locked',
      problem: 'The system keyring is locked. Unlock it, then open this again.',
    },
    {
      ...base,
      ...off,
      id: 'gh',
      program: 'gh',
      name: 'GitHub CLI',
      file: '~/.config/gh/hosts.yml',
      viewOnly: true,
      leave: 'To sign out, run: gh auth logout',
      accounts: 1,
      names: [
        {
          name: 'ada@contoso.example',
          at: 'github.com',
          command: 'gh auth logout -h github.com -u ada@contoso.example',
        },
      ],
    },
    {
      ...base,
      ...off,
      id: 'pac',
      program: 'pac',
      name: 'Power Platform CLI',
      file: '~/.pac/cache',
      sealing: 'program',
      state: 'sealed',
      viewOnly: true,
      problem: 'Only Power Platform CLI can open this. To sign out, run: pac auth clear',
    },
    {
      ...base,
      ...off,
      id: 'm365',
      program: 'm365',
      name: 'CLI for Microsoft 365',
      file: '~/.cli-m365-msal.json',
      state: 'gone',
      problem: '~/.cli-m365-msal.json is not there any more.',
    },
  ];
}

function placeOffers(): SignInWorld['places'] {
  return [
    {
      id: 'az',
      name: 'Azure CLI',
      file: '~/.azure/msal_token_cache.json',
      tokens: 3,
      accounts: 1,
      others: 2,
      tokensOf: { a001: 1, a003: 2 },
      staying: ['Mara Lindqvist', 'Dana Whitfield'],
      viewOnly: false,
      leave: '',
      opens: null,
      command: null,
      page: null,
    },
    {
      id: 'code',
      name: 'VS Code',
      file: '~/.config/Code',
      tokens: 2,
      accounts: 1,
      others: 0,
      tokensOf: { a001: 2 },
      staying: [],
      viewOnly: true,
      leave: 'In VS Code, open Accounts and choose Sign Out.',
      opens: 'VS Code',
      command: null,
      page: null,
    },
    {
      id: 'page-myaccount-microsoft-com',
      name: 'Microsoft, on all devices',
      file: '',
      tokens: 0,
      accounts: 1,
      others: 0,
      tokensOf: { a001: 0 },
      staying: [],
      viewOnly: false,
      leave:
        'Microsoft has no endpoint that revokes tokens. Tokenkeep opens My Account, where you choose Sign out everywhere.',
      opens: null,
      command: null,
      page: 'myaccount.microsoft.com',
    },
  ];
}

const away: Partial<VaultStatus> = { held: 'memory', savedAt: null };

/** A world for each screen and state of the window. */
export const WORLDS: Readonly<Record<string, (now: number) => Partial<World>>> = {
  main: () => ({}),
  'first-run': (now) => ({ members: [], status: readyStatus(now, { bytes: null, savedAt: null }) }),
  opening: () => ({
    delay: (name) => (name === 'status' || name === 'accounts' ? new Promise(() => {}) : undefined),
  }),
  away: () => ({ info: { ...INFO, locked: true } }),
  waiting: (now) => ({ members: [], status: readyStatus(now, { state: 'locked', waiting: true, ...away }) }),
  activity: (now) => ({ activity: activity(now), signIn: signInWorld({ receipts: receipts(now) }) }),
  sources: (now) => ({
    members: [...cast(now), ...crowd(7, now)].map((member, index) => ({
      ...member,
      account: {
        ...member.account,
        places: [['vault'], ['vault', 'az'], ['az'], ['ps', 'az']][index % 4] ?? [],
      },
    })),
    sources: sourceItems(now),
    signIn: signInWorld({ places: placeOffers() }),
  }),
  'sources-few': (now) => ({
    members: cast(now).map((member, index) => ({
      ...member,
      account: { ...member.account, places: index % 2 === 0 ? ['vault', 'az'] : ['vault'] },
    })),
    sources: sourceItems(now),
    signIn: signInWorld({ places: placeOffers() }),
  }),
  'vault-only': () => ({
    signIn: signInWorld({
      places: placeOffers().filter(({ page }) => page !== null),
      offers: { revoke: 'none', endSession: 'none', provider: 'login.microsoftonline.com' },
    }),
  }),
  found: (now) => ({
    members: [],
    status: readyStatus(now, { bytes: null, savedAt: null }),
    sources: sourceItems(now).map((item) => ({
      ...item,
      state: 'found' as const,
      accounts: 0,
      names: [],
      problem: null,
      changedAt: null,
      lastChange: null,
    })),
  }),
  demo: () => ({ info: { ...INFO, demo: true } }),
  hostile: (now) => ({ members: hostile(now) }),
  overview: (now) => ({ members: [...cast(now), ...crowd(14, now)] }),
  crowd: (now) => ({ members: crowd(10_000, now), status: readyStatus(now, { bytes: 96_400_000 }) }),
  locked: (now) => ({ members: [], status: readyStatus(now, { state: 'locked', ...away }) }),
  'locked-memory': (now) => ({ status: readyStatus(now, { state: 'locked', ...away, unsaved: 1 }) }),
  'no-keychain': (now) => ({
    members: [],
    status: readyStatus(now, { state: 'no-keychain', ...away, keychain: 'Secret Service' }),
  }),
  'key-missing': (now) => ({ members: [], status: readyStatus(now, { state: 'key-missing', ...away }) }),
  'wrong-key': (now) => ({ members: [], status: readyStatus(now, { state: 'wrong-key', ...away }) }),
  damaged: (now) => ({
    status: readyStatus(now, {
      state: 'damaged',
      recovered: { accounts: 6, of: 9, lost: ['Noor Haddad', 'emil@contoso.example', 'Kofi Mensah'] },
    }),
  }),
  'damaged-all': (now) => ({
    members: [],
    status: readyStatus(now, { state: 'damaged', ...away, recovered: { accounts: 0, of: null, lost: [] } }),
  }),
  newer: (now) => ({ members: [], status: readyStatus(now, { state: 'newer' }) }),
  'read-only': (now) => ({ status: readyStatus(now, { state: 'read-only' }) }),
  findings: () => ({ health: HEALTH }),
  pending: (now) => ({ status: readyStatus(now, { oldKey: 'pending' }) }),
  busy: (now) => ({ members: [], status: readyStatus(now, { state: 'busy', ...away }) }),
  crashed: (now) => ({
    members: [],
    status: readyStatus(now, { state: 'no-keychain', ...away }),
    info: { ...INFO, keychainCrashed: true },
  }),
  'not-saved': (now) => ({
    status: readyStatus(now, {
      held: 'memory',
      unsaved: 2,
      message: 'The disk is full. Tokenkeep tries again by itself.',
    }),
  }),
  'list-failed': () => ({
    failing: new Map([
      [
        'accounts',
        { code: 'unexpected', message: 'The main process could not answer. Nothing was changed; try again.' },
      ],
    ]),
  }),
};

export function world(name: string, now: () => number): World {
  const at = now();
  return {
    now,
    members: cast(at),
    tenantNames: {},
    status: readyStatus(at),
    info: INFO,
    signIn: signInWorld(),
    plan: PLAN,
    unlocked: PLAN,
    report: REPORT,
    rotation: 'destroyed',
    health: { findings: [], total: 0, repairable: 0, last: null },
    activity: [],
    consents: true,
    failing: new Map(),
    delay: () => undefined,
    ...WORLDS[name]?.(at),
  };
}
