import type { AppInfo } from '../../../app/contract.ts';
import type { HealthReport, ImportPlan, VaultReport, VaultStatus } from '../../../src-main/ipc/contract.ts';
import type { World } from './bridge.ts';
import { cast, crowd, hostile } from './cast.ts';
import { signInWorld } from './sign-in.ts';

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
  platform: 'linux',
  demo: false,
  keychainCrashed: false,
  startedWithoutLock: false,
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

const away: Partial<VaultStatus> = { held: 'memory', savedAt: null };

/** A world for each screen and state of the window. */
export const WORLDS: Readonly<Record<string, (now: number) => Partial<World>>> = {
  main: () => ({}),
  'first-run': (now) => ({ members: [], status: readyStatus(now, { bytes: null, savedAt: null }) }),
  opening: () => ({ delay: (name) => (name === 'status' ? new Promise(() => {}) : undefined) }),
  waiting: (now) => ({ members: [], status: readyStatus(now, { state: 'locked', waiting: true, ...away }) }),
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
    status: readyStatus(at),
    info: INFO,
    signIn: signInWorld(),
    plan: PLAN,
    unlocked: PLAN,
    report: REPORT,
    rotation: 'destroyed',
    health: { findings: [], total: 0, repairable: 0, last: null },
    consents: true,
    failing: new Map(),
    delay: () => undefined,
    ...WORLDS[name]?.(at),
  };
}
