import type {
  Difference,
  EntityReference,
  Finding,
  FindingKind,
  HealthReport,
  PlainError,
  RepairReport,
} from '../../src-main/ipc/contract.ts';
import type { Accounts } from './accounts.ts';
import type { Dialog, Dialogs } from './dialogs.ts';
import type { Pages } from './pages.ts';
import type { Ports } from './ports.ts';
import { createStore, type Store } from './store.ts';
import { shortId, visible } from './text.ts';
import type { Toasts } from './toasts.ts';
import { appName } from './wellKnown.ts';
import { count, listing, number } from './words.ts';

export interface HealthView {
  /** null until main has answered. */
  report: HealthReport | null;
  undoing: boolean;
  error: PlainError | null;
}

export interface Health {
  view: Store<HealthView>;
  examine: () => Promise<void>;
  /** Opens the repair dialog for these findings, or for all repairable ones. */
  propose: (findings?: readonly Finding[]) => void;
  /** Carries out what the open dialog proposes. */
  repair: () => Promise<void>;
  undo: () => Promise<void>;
}

/** Examines the cache only while the Health page is shown: when it opens, and on every change. Main then opens every account. */
export function createHealth(
  { tokenCache }: Ports,
  pages: Pages,
  accounts: Accounts,
  dialogs: Dialogs,
  toasts: Toasts,
): Health {
  const view = createStore<HealthView>({ report: null, undoing: false, error: null });
  const patch = (changes: Partial<HealthView>) => view.set({ ...view.get(), ...changes });
  let question = 0;

  const examine = async () => {
    question += 1;
    const mine = question;
    const answer = await tokenCache.examine();
    if (mine !== question) return; // superseded by a newer request
    patch(answer.ok ? { report: answer.value, error: null } : { error: answer.error });
  };
  const done = async (title: string, { difference }: RepairReport) => {
    toasts.show(`${title}: ${differenceWords(difference)}.`);
    await examine();
  };

  let shown = pages.view.get();
  pages.view.subscribe(() => {
    const before = shown;
    shown = pages.view.get();
    if (shown === 'health' && before !== 'health') void examine();
  });
  // A reloaded account list means that the cache changed.
  let known = accounts.view.get().byId;
  accounts.view.subscribe(() => {
    const { byId } = accounts.view.get();
    if (byId === known) return;
    known = byId;
    if (shown === 'health') void examine();
  });

  return {
    view,
    examine,
    propose(findings) {
      const { report } = view.get();
      if (report === null) return;
      const meant = (findings ?? report.findings).filter(({ repair }) => repair !== null);
      if (meant.length === 0) return;
      dialogs.open({
        kind: 'repair',
        ids: findings === undefined ? null : meant.map(({ id }) => id),
        count: findings === undefined ? report.repairable : meant.length,
        difference: differenceOf(meant),
        working: false,
      });
    },
    async repair() {
      const dialog = dialogs.view.get();
      if (dialog?.kind !== 'repair' || dialog.working) return;
      const working: Dialog = { ...dialog, working: true };
      dialogs.replace(dialog, working);
      const answer = await tokenCache.repair(dialog.ids);
      if (!answer.ok) {
        dialogs.fail('Nothing was repaired', answer.error, working);
        return;
      }
      dialogs.replace(working, null);
      await done('Repaired', answer.value);
    },
    async undo() {
      if (view.get().undoing) return;
      patch({ undoing: true });
      const answer = await tokenCache.undoRepair();
      patch({ undoing: false });
      if (answer.ok) await done('Undone', answer.value);
      else dialogs.fail('The repair could not be undone', answer.error);
    },
  };
}

export interface FindingGroup {
  kind: FindingKind;
  title: string;
  findings: readonly Finding[];
}

const TITLES: Readonly<Record<FindingKind, string>> = {
  unreadable: 'Entries a library can’t read',
  'duplicate-app': 'Duplicate apps',
  'duplicate-account': 'Duplicate accounts',
  'duplicate-token': 'Duplicate tokens',
  'shadowed-refresh-token': 'Superseded refresh tokens',
  'token-without-account': 'Tokens without an account',
  'account-without-tokens': 'Accounts without tokens',
  'issuer-collision': 'Two providers on one host',
  'dead-weight': 'Expired over a month ago',
};

/** Groups findings by kind and keeps their order, most severe first. */
export function groupFindings(findings: readonly Finding[]): FindingGroup[] {
  const groups = new Map<FindingKind, Finding[]>();
  for (const finding of findings) {
    const group = groups.get(finding.kind);
    if (group === undefined) groups.set(finding.kind, [finding]);
    else group.push(finding);
  }
  return [...groups].map(([kind, all]) => ({ kind, title: TITLES[kind], findings: all }));
}

/** Returns the combined changes of these findings. An entity in two of them is listed once. */
export function differenceOf(findings: readonly Finding[]): Difference {
  const once = <T>(all: readonly T[], entityOf: (item: T) => EntityReference): T[] => {
    const byPlace = new Map<string, T>();
    for (const item of all) {
      const { type, key } = entityOf(item);
      byPlace.set(JSON.stringify([type, key]), item);
    }
    return [...byPlace.values()];
  };
  const all = findings.flatMap(({ repair }) => repair ?? []);
  const self = (entity: EntityReference): EntityReference => entity;
  return {
    removed: once(
      all.flatMap(({ removed }) => removed),
      self,
    ),
    added: once(
      all.flatMap(({ added }) => added),
      self,
    ),
    changed: once(
      all.flatMap(({ changed }) => changed),
      ({ entity }) => entity,
    ),
  };
}

/** "3 entries removed and 1 changed". */
export function differenceWords({ removed, added, changed }: Difference): string {
  const parts: string[] = [];
  const add = (n: number, did: string) => {
    if (n > 0) parts.push(`${parts.length === 0 ? count(n, 'entry', 'entries') : String(n)} ${did}`);
  };
  add(removed.length, 'removed');
  add(changed.length, 'changed');
  add(added.length, 'added');
  return parts.length === 0 ? 'nothing left to repair' : listing(parts);
}

const ENTITY_NAMES: Readonly<Record<EntityReference['type'], string>> = {
  AccessToken: 'Access token',
  RefreshToken: 'Refresh token',
  IdToken: 'ID token',
  Account: 'Account',
  AppMetadata: 'App metadata',
};

/** Returns the type of an entity, and its account, app, scopes, tenant and host in one line. */
export function entityWords(entity: EntityReference): { what: string; details: string } {
  const { type, username, home_account_id, client_id, realm, environment, target } = entity;
  const details = [
    username || (home_account_id ? shortId(home_account_id) : ''),
    client_id ? (appName(client_id) ?? `app ${shortId(client_id)}`) : '',
    target ?? '',
    realm ? `tenant ${shortId(realm)}` : '',
    environment ?? '',
  ];
  return {
    what: ENTITY_NAMES[type],
    details: details
      .filter((text) => text !== '')
      .map(visible)
      .join(' · '),
  };
}

/** Says below the number of findings how many can be repaired. */
export function repairText({ total, repairable }: { total: number; repairable: number }): string {
  if (repairable === 0)
    return `${total === 1 ? 'It can’t' : 'None can'} be repaired without removing something useful. The entries are listed below.`;
  const which = total === 1 ? 'It' : repairable === total ? 'All' : number(repairable);
  return `${which} can be repaired without removing anything useful. You see the changes first.`;
}
