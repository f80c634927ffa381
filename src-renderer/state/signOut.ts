import type { KeptReceipt, SignOutReport, SignOutWishes } from '../../app/contract.ts';
import type { AccountItem, RemovalCount } from '../../src-main/ipc/contract.ts';
import type { Accounts } from './accounts.ts';
import type { Dialogs } from './dialogs.ts';
import { accountName } from './groups.ts';
import type { Ports } from './ports.ts';
import type { Selection } from './selection.ts';
import { localTime } from './time.ts';
import { appLabels } from './tokens.ts';
import type { Vault } from './vault.ts';
import { addCounts, count } from './words.ts';

/** Maximum accounts whose tokens are loaded to find the names of apps. */
const MOST_ASKED = 12;

export interface SignOut {
  /** Opens the dialog for one account; without an ID, for the selected one. */
  one: (accountId?: string) => Promise<void>;
  all: () => Promise<void>;
  /** Sets what to do at the provider. */
  wish: (wishes: SignOutWishes) => void;
  /** Carries out what the open dialog proposes. */
  confirm: () => Promise<void>;
}

export function createSignOut(
  ports: Ports,
  vault: Vault,
  accounts: Accounts,
  selection: Selection,
  dialogs: Dialogs,
): SignOut {
  const { tokenCache, app } = ports;

  /** What main is asked about: one account, or null for all. */
  const idsOf = (accountId: string | null) => (accountId === null ? null : [accountId]);

  /** Whether a provider can be told: sample data has none, and neither has an app without a user. */
  const asksProvider = (accountId: string | null): boolean =>
    vault.view.get().info?.demo === false &&
    (accountId === null || accounts.view.get().byId.get(accountId)?.kind === 'user');

  /** Asks the provider while main counts. The sign-out does not wait for the answer. */
  const ask = async (accountId: string | null) => {
    const answer = await app.signOutOffers(idsOf(accountId));
    const dialog = dialogs.view.get();
    if (dialog?.kind !== 'sign-out' || dialog.accountId !== accountId || dialog.working) return;
    const unknown = { revoke: 'unknown', endSession: 'unknown', provider: null } as const;
    const offers = answer.ok ? answer.value : unknown;
    dialogs.open({ ...dialog, offers, wishes: { revoke: offers.revoke === 'offered', endSession: false } });
  };

  const open = async (accountId: string | null, user: boolean, who: string, apps: readonly string[]) => {
    const asks = asksProvider(accountId);
    dialogs.open({
      kind: 'sign-out',
      accountId,
      user,
      who,
      apps,
      counts: null,
      working: false,
      offers: asks ? null : undefined,
      wishes: { revoke: false, endSession: false },
    });
    if (asks) void ask(accountId);
    const answer = await tokenCache.removalCount(idsOf(accountId));
    const dialog = dialogs.view.get();
    if (dialog?.kind !== 'sign-out' || dialog.accountId !== accountId) return; // closed or replaced meanwhile
    if (answer.ok) dialogs.open({ ...dialog, counts: answer.value });
    else dialogs.fail('The tokens could not be counted', answer.error);
  };

  /** Loads tokens that name these apps: one account for each app, at most MOST_ASKED accounts. */
  const tokensNaming = async (clients: readonly string[], byId: ReadonlyMap<string, AccountItem>) => {
    const all = [...byId.values()];
    const holders = clients.flatMap(
      (client) => all.find((account) => account.clients.includes(client)) ?? [],
    );
    const asked = [...new Set(holders)].slice(0, MOST_ASKED);
    const answers = await Promise.all(asked.map(({ id }) => tokenCache.tokens(id)));
    return answers.flatMap((answer) => (answer.ok ? answer.value : []));
  };

  return {
    async one(accountId) {
      const id = accountId ?? selection.view.get().accountId;
      const account = id === null ? undefined : accounts.view.get().byId.get(id);
      if (account === undefined) return;
      const { accountId: shown, tokens } = selection.view.get();
      const names = appLabels(account.clients, shown === account.id && tokens !== null ? tokens : []);
      await open(account.id, account.kind === 'user', accountName(account), names);
    },
    async all() {
      const { byId } = accounts.view.get();
      if (byId.size === 0) return;
      const clients = new Set([...byId.values()].flatMap((account) => account.clients));
      await open(null, true, 'everyone', appLabels([...clients], await tokensNaming([...clients], byId)));
    },
    wish(wishes) {
      const dialog = dialogs.view.get();
      if (dialog?.kind === 'sign-out') dialogs.open({ ...dialog, wishes });
    },
    async confirm() {
      const dialog = dialogs.view.get();
      if (dialog?.kind !== 'sign-out' || dialog.working || dialog.counts === null) return;
      dialogs.open({ ...dialog, working: true });
      const { accountId, user, who, wishes } = dialog;
      const answer = await app.signOut(idsOf(accountId), wishes);
      if (answer.ok) {
        dialogs.open({ kind: 'receipt', user, who, report: answer.value });
      } else dialogs.fail(user ? 'Nothing was signed out' : 'Nothing was removed', answer.error);
    },
  };
}

export interface ProviderResultLine {
  says: string;
  value: string;
  tone: 'ok' | 'bad' | 'plain';
}

/** Returns one line for each requested action. */
export function providerResultLines({
  revoked,
  session,
}: Pick<SignOutReport, 'revoked' | 'session'>): ProviderResultLine[] {
  const lines: ProviderResultLine[] = [];
  if (revoked !== null) {
    const done = revoked.count === 0 ? '' : `${count(revoked.count, 'refresh token')} revoked. `;
    lines.push(
      revoked.problem === null
        ? {
            says: 'Revoked',
            value: revoked.count === 0 ? 'No refresh token to revoke' : done.trim(),
            tone: 'ok',
          }
        : {
            says: 'Not revoked',
            value: `${done}${revoked.problem.message} The token is removed from this computer.`,
            tone: 'bad',
          },
    );
  }
  if (session !== null) {
    lines.push(
      session.problem === null
        ? {
            says: 'Session',
            value: 'The provider’s sign-out page is open in your browser. Finish there.',
            tone: 'plain',
          }
        : { says: 'Session', value: `Not ended. ${session.problem.message}`, tone: 'bad' },
    );
  }
  return lines;
}

export interface ReceiptWords {
  title: string;
  removed: RemovalCount;
  remaining: number;
  when: string;
  /** null without a key: the cache is in memory. */
  oldKey: OldKeyLine | null;
}

/** Summarizes one receipt, or those of all accounts. */
export function receiptWords(
  user: boolean,
  who: string,
  receipts: readonly KeptReceipt[],
  now: number,
  timeZone?: string,
): ReceiptWords {
  const last = receipts.reduce((at, receipt) => Math.max(at, receipt.at), 0);
  return {
    title: user
      ? `${who === 'everyone' ? 'Everyone' : who} is signed out`
      : `The tokens of ${who} are removed`,
    removed: addCounts(receipts.map(({ removed }) => removed)),
    remaining: receipts.reduce((sum, { remaining }) => sum + remaining, 0),
    when: receipts.length === 0 ? 'never' : localTime(last, now, timeZone),
    oldKey: keyWords(receipts),
  };
}

export interface OldKeyLine {
  says: 'Old key';
  value: string;
  tone: 'ok' | 'plain';
}

/** Returns the line about the old key after a sign-out or a rotation. */
export function oldKeyLine(oldKey: 'destroyed' | 'pending'): OldKeyLine {
  return oldKey === 'destroyed'
    ? {
        says: 'Old key',
        value: 'Destroyed. Older copies of the file can no longer be opened.',
        tone: 'ok',
      }
    : {
        says: 'Old key',
        value:
          'Pending: destroyed as soon as the keychain is available. Until then it opens older copies of the file.',
        tone: 'plain',
      };
}

function keyWords(receipts: readonly KeptReceipt[]): OldKeyLine | null {
  // Each sign-out rotates the key, so the last receipt is about the current one.
  const told = receipts.filter(({ oldKey }) => oldKey !== undefined).at(-1)?.oldKey;
  return told === undefined ? null : oldKeyLine(told);
}
