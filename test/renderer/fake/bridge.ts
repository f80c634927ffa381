import type {
  AppBridge,
  AppEvents,
  AppInfo,
  ContactedHost,
  Settings,
  SourceItem,
  SourceList,
  UpdateStatus,
} from '../../../app/contract.ts';
import type {
  AccountList,
  ActivityEvent,
  FirstAccounts,
  HealthReport,
  ImportLocked,
  ImportPlan,
  KeyReceipt,
  Outcome,
  PlainError,
  RemovalCount,
  SignOutReceipt,
  TokenCacheBridge,
  TokenCacheEvents,
  TokenItem,
  VaultReport,
  VaultStatus,
} from '../../../src-main/ipc/contract.ts';
import type { Ports } from '../../../src-renderer/state/ports.ts';
import { decoded, type Member } from './cast.ts';
import { type SignInWorld, signInHalf } from './sign-in.ts';

/** State behind a fake bridge. Tests change it and emit events as main would. */
export interface World {
  /** Seconds since the epoch. */
  now(): number;
  members: Member[];
  tenantNames: AccountList['tenantNames'];
  /** The answer to `firstAccounts`; default: the whole list. */
  first?: FirstAccounts;
  status: VaultStatus;
  info: AppInfo;
  signIn: SignInWorld;
  /** An available update; default: none. */
  update?: UpdateStatus;
  /** Result of the next import. */
  plan: ImportPlan | ImportLocked | PlainError;
  /** Plan after the correct passphrase was entered. */
  unlocked: ImportPlan;
  /** Result of a verification. */
  report: VaultReport;
  rotation: KeyReceipt['oldKey'];
  health: HealthReport;
  /** Caches of other programs; undefined: not searched for. */
  sources?: SourceItem[];
  /** Newest first. */
  activity: ActivityEvent[];
  /** The user's answer to main's dialogs. */
  consents: boolean;
  /** Errors by request name. */
  failing: Map<string, PlainError>;
  /** Awaited before each answer, so that tests can inspect the state meanwhile. */
  delay(name: string): Promise<void> | undefined;
}

export interface FakeBridge {
  firstAccounts: Ports['firstAccounts'];
  tokenCache: TokenCacheBridge;
  app: AppBridge;
  emit<Name extends keyof TokenCacheEvents>(name: Name, event: TokenCacheEvents[Name]): void;
  command(command: AppEvents['command']): void;
  /** Every request, in order: its name and arguments. */
  asked: [string, ...unknown[]][];
}

type Listeners = Map<string, Set<(event: never) => void>>;

function listen(listeners: Listeners, name: string, listener: (event: never) => void): () => void {
  const all = listeners.get(name) ?? new Set();
  listeners.set(name, all.add(listener));
  return () => {
    all.delete(listener);
  };
}

export function fakeBridge(world: World): FakeBridge {
  const asked: FakeBridge['asked'] = [];
  const listeners: Listeners = new Map();
  const tell = (name: string, event: unknown) => {
    for (const listener of listeners.get(name) ?? []) (listener as (event: unknown) => void)(event);
  };
  const answer = async <T>(name: string, args: unknown[], make: () => T): Promise<Outcome<T>> => {
    asked.push([name, ...args]);
    await world.delay(name);
    const error = world.failing.get(name);
    if (error !== undefined) return { ok: false, error };
    try {
      return { ok: true, value: make() };
    } catch (cause) {
      return { ok: false, error: { code: 'invalid_argument', message: String(cause) } };
    }
  };
  const all = () => world.members.flatMap((member) => member.tokens);
  const find = (id: string) => {
    const found = all().find((item) => item.id === id);
    if (found === undefined) throw new Error(`The fake has no token ${id}.`);
    return found;
  };
  const chosen = (ids: readonly string[] | null) =>
    world.members.filter((member) => ids === null || ids.includes(member.account.id));
  const planned = async (name: string, args: unknown[]): Promise<Outcome<ImportPlan | ImportLocked>> => {
    const { plan } = world;
    const outcome = await answer(name, args, () => plan);
    if (!outcome.ok) return outcome;
    return 'code' in plan ? { ok: false, error: plan } : { ok: true, value: plan };
  };
  const remove = (ids: readonly string[] | null): SignOutReceipt[] => {
    const gone = chosen(ids);
    if (ids !== null && gone.length === 0) throw new Error('The fake has no such account.');
    world.members = world.members.filter((member) => !gone.includes(member));
    tell('change', null);
    return gone.map((member) => ({
      home_account_id: member.account.home_account_id ?? '',
      at: world.now(),
      removed: counted([member]),
      remaining: 0,
      oldKey: world.status.state === 'ready' ? 'destroyed' : 'pending',
    }));
  };

  let preferred: Omit<Settings, 'hosts'> = {
    times: 'local',
    closeWhenAway: false,
    menuBar: false,
    notify: true,
    asksRarely: false,
    startAtLogin: false,
    updates: true,
    updateHost: 'updates.example',
  };
  const settings = (): Settings => ({ ...preferred, hosts: hosts(world.now()) });
  const prefer = (changes: Partial<Settings>): Settings => {
    preferred = { ...preferred, ...changes };
    return settings();
  };
  const sourceList = (): SourceList => ({
    searched: world.sources !== undefined,
    notFound: world.sources === undefined ? [] : ['Power Platform CLI', 'Docker'],
    items: world.sources ?? [],
  });
  const open = (wanted: (item: SourceItem) => boolean) => {
    world.sources = (world.sources ?? []).map((item) =>
      wanted(item) && item.state === 'found' ? { ...item, state: 'accounts', accounts: 2, tokens: 7 } : item,
    );
    tell('sources', null);
    return sourceList();
  };

  const accountList = (): AccountList => ({ ...listed(world.members), tenantNames: world.tenantNames });

  const firstAccounts = () => world.first ?? accountList();

  return {
    asked,
    firstAccounts: () => answer(world.first === undefined ? 'accounts' : 'firstAccounts', [], firstAccounts),
    emit: tell,
    command: (command) => tell('command', command),
    tokenCache: {
      status: () => answer('status', [], () => world.status),
      accounts: () => answer('accounts', [], accountList),
      accountsText: () => answer('accountsText', [], () => JSON.stringify(accountList())),
      firstAccountsText: () => answer('firstAccountsText', [], () => JSON.stringify(firstAccounts())),
      nameTenant: (realm, name) =>
        answer('nameTenant', [realm, name], () => {
          const { [realm.toLowerCase()]: _before, ...others } = world.tenantNames;
          world.tenantNames = name === '' ? others : { ...others, [realm.toLowerCase()]: name };
        }),
      tokens: (id) => answer('tokens', [id], () => chosen([id]).flatMap((member) => member.tokens)),
      claims: (id) => answer('claims', [id], () => decoded(find(id), world.now())),
      search: (text) => answer('search', [text], () => matching(world.members, text)),
      removalCount: (ids) => answer('removalCount', [ids], () => counted(chosen(ids))),
      signOut: (ids) => answer('signOut', [ids], () => remove(ids)),
      reveal: (id) =>
        answer('reveal', [id], () => (world.consents ? `secret-of-${find(id).id}-${'x'.repeat(240)}` : null)),
      copy: (id, form) =>
        answer('copy', form === undefined ? [id] : [id, form], () =>
          world.consents ? { clearsAt: world.now() * 1000 + 30_000 } : null,
        ),
      removeTokens: (ids) =>
        answer('removeTokens', [ids], () => {
          if (!world.consents) return null;
          for (const member of world.members)
            member.tokens = member.tokens.filter(({ id }) => !ids.includes(id));
          tell('change', null);
          return ids.length;
        }),
      chooseImport: () =>
        world.consents ? planned('chooseImport', []) : answer('chooseImport', [], () => null),
      planImport: (file) => planned('planImport', [file.name]),
      unlockImport: (id, passphrase) => answer('unlockImport', [id, passphrase], () => world.unlocked),
      confirmImport: (id) =>
        answer('confirmImport', [id], () => {
          tell('change', null);
          return { accountsAdded: 2, tokensAdded: 8, tokensReplaced: 1, notUnderstood: 0 };
        }),
      cancelImport: (id) => answer('cancelImport', [id], () => undefined),
      retry: () => answer('retry', [], () => world.status),
      recover: () => answer('recover', [], () => world.status),
      startFresh: () => answer('startFresh', [], () => world.status),
      keepMine: () => answer('keepMine', [], () => (world.consents ? world.status : null)),
      takeFile: () => answer('takeFile', [], () => (world.consents ? world.status : null)),
      makeOwn: () => answer('makeOwn', [], () => (world.consents ? world.status : null)),
      forget: () => answer('forget', [], () => (world.consents ? { key: 'destroyed' as const } : null)),
      verify: () => answer('verify', [], () => world.report),
      rotateKey: () =>
        answer('rotateKey', [], () => ({ at: world.now(), slot: 'b' as const, oldKey: world.rotation })),
      compact: () => answer('compact', [], () => ({ before: 61_204, after: 40_100 })),
      exportAll: (passphrase) =>
        answer('exportAll', [passphrase], () =>
          world.consents ? { fileName: 'tokenkeep-2026-11-22.age', accounts: 5, tokens: 23 } : null,
        ),
      activity: (id) =>
        answer('activity', [id], () => {
          const events = world.activity.filter(
            ({ accounts }) => id === null || accounts.some((account) => account.id === id),
          );
          return { events, total: events.length };
        }),
      clearActivity: () => answer('clearActivity', [], () => false),
      examine: () => answer('examine', [], () => world.health),
      repair: (ids) =>
        answer('repair', [ids], () => {
          const gone = world.health.findings.filter(
            ({ id, repair }) => repair !== null && (ids === null || ids.includes(id)),
          );
          const removed = gone.flatMap(({ repair }) => repair?.removed ?? []);
          const last = { at: world.now(), difference: { removed, added: [], changed: [] } };
          const findings = world.health.findings.filter((finding) => !gone.includes(finding));
          world.health = { findings, total: findings.length, repairable: 0, last };
          tell('change', null);
          return last;
        }),
      undoRepair: () =>
        answer('undoRepair', [], () => {
          const { last } = world.health;
          if (last === null) throw new Error('The fake has repaired nothing.');
          world.health = { ...world.health, last: null };
          tell('change', null);
          return last;
        }),
      on: (name, listener) => listen(listeners, name, listener),
    },
    app: {
      info: () => answer('info', [], () => world.info),
      openDemo: () => answer('openDemo', [], () => undefined),
      leaveDemo: () => answer('leaveDemo', [], () => undefined),
      showFile: () => answer('showFile', [], () => undefined),
      menuState: () => Promise.resolve({ ok: true, value: undefined }),
      update: () => answer('update', [], () => world.update ?? { state: 'none' }),
      downloadUpdate: () => answer('downloadUpdate', [], () => undefined),
      installUpdate: () => answer('installUpdate', [], () => undefined),
      ...signInHalf(world.signIn, answer, tell),
      clearActivity: () =>
        answer('clearActivity', [], () => {
          if (!world.consents) return false;
          world.activity = [{ id: 'cleared', at: world.now(), accounts: [], kind: 'cleared' }];
          world.signIn.receipts = [];
          tell('activity', null);
          return true;
        }),
      settings: () => answer('settings', [], settings),
      setMenuBar: (menuBar) => answer('setMenuBar', [menuBar], () => prefer({ menuBar })),
      setAsksRarely: (next) =>
        answer('setAsksRarely', [next], () => prefer({ asksRarely: next && world.consents })),
      saveList: (text) => answer('saveList', [text], () => (world.consents ? 'accounts.csv' : null)),
      openHomepage: () => answer('openHomepage', [], () => undefined),
      showLicenses: () => answer('showLicenses', [], () => undefined),
      setNotify: (notify) => answer('setNotify', [notify], () => prefer({ notify })),
      setStartAtLogin: (startAtLogin) =>
        answer('setStartAtLogin', [startAtLogin], () => prefer({ startAtLogin })),
      setUpdates: (updates) => answer('setUpdates', [updates], () => prefer({ updates })),
      setCloseWhenAway: (closeWhenAway) =>
        answer('setCloseWhenAway', [closeWhenAway], () => prefer({ closeWhenAway })),
      unlock: () => answer('unlock', [], () => true),
      setTimes: (times) => answer('setTimes', [times], () => prefer({ times })),
      sources: () => answer('sources', [], sourceList),
      findSources: () => answer('findSources', [], sourceList),
      openSource: (id) => answer('openSource', [id], () => open((item) => item.id === id)),
      openAllSources: () => answer('openAllSources', [], () => open(({ sealing }) => sealing === 'none')),
      closeSource: (id) =>
        answer('closeSource', [id], () => {
          world.sources =
            world.sources?.map((item) =>
              item.id === id ? { ...item, state: 'found', accounts: 0 } : item,
            ) ?? [];
          return sourceList();
        }),
      addSource: () => answer('addSource', [], () => (world.consents ? sourceList() : null)),
      importSource: (id) => answer('importSource', [id], () => undefined),
      showSource: (id) => answer('showSource', [id], () => undefined),
      openProgram: (id) => answer('openProgram', [id], () => undefined),
      saveReceipt: (text) => answer('saveReceipt', [text], () => (world.consents ? 'sign-out.txt' : null)),
      checkSignOut: (id) =>
        answer('checkSignOut', [id], () => ({
          ...(world.signIn.receipts[0] ?? fail('There is no receipt.')),
          id,
        })),
      undoSignOut: (id) =>
        answer('undoSignOut', [id], () => ({
          ...(world.signIn.receipts[0] ?? fail('There is no receipt.')),
          id,
        })),
      signOutDone: (id) => answer('signOutDone', [id], () => undefined),
      signOut: (ids, wishes) =>
        answer('signOut', [ids, wishes], () => ({
          names: chosen(ids).map(({ account }) => account.username),
          places: world.signIn.places.map(({ id, name, file, leave, page }) => ({
            id,
            name,
            file,
            ...(page !== null
              ? {
                  result: 'not-confirmed' as const,
                  says: 'My Account was opened: choose Sign out everywhere there. Tokenkeep can’t see what you chose.',
                }
              : wishes.places.includes(id)
                ? { result: 'signed-out' as const, says: '3 tokens removed. Left: none (checked again).' }
                : { result: 'still' as const, says: leave }),
          })),
          keptInVault: !wishes.vault,
          id: 'sign-out-1',
          at: world.now(),
          receipts: (wishes.vault ? remove(ids) : []).map(({ home_account_id, ...receipt }) => ({
            ...receipt,
            account: home_account_id,
          })),
          revoked: wishes.revoke ? world.signIn.report.revoked : null,
          session: wishes.endSession ? world.signIn.report.session : null,
        })),
      on: (name, listener) => listen(listeners, name, listener),
    },
  };
}

function hosts(now: number): ContactedHost[] {
  return [
    { host: 'login.microsoftonline.com', why: ['Provider metadata', 'Sign-in', 'Refresh'], at: now - 400 },
    { host: 'id.example.org', why: ['Sign-in'], at: now - 300_000 },
  ];
}

function fail(message: string): never {
  throw new Error(message);
}

function listed(members: readonly Member[]): Omit<AccountList, 'tenantNames'> {
  const accounts = members.map((member) => member.account);
  const users = accounts.filter((item) => item.kind !== 'app').length;
  return {
    accounts,
    totals: {
      accounts: users,
      apps: accounts.length - users,
      tokens: members.reduce((sum, member) => sum + member.tokens.length, 0),
      notUnderstood: 0,
    },
  };
}

function counted(members: readonly Member[]): RemovalCount {
  const sum = { Account: 0, AccessToken: 0, RefreshToken: 0, IdToken: 0, AppMetadata: 0 };
  for (const { account, tokens } of members) {
    sum.Account += account.kind === 'user' ? account.tenants.length : 0;
    for (const item of tokens) sum[item.type] += 1;
  }
  return sum;
}

function matching(members: readonly Member[], text: string): string[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const said = ({ account, tokens }: Member) =>
    [
      account.name,
      account.username,
      ...tokens.flatMap((item: TokenItem) => [item.audience, item.client_name, ...item.scopes]),
    ]
      .join(' ')
      .toLowerCase();
  return members
    .filter((member) => words.every((word) => said(member).includes(word)))
    .map(({ account }) => account.id);
}
