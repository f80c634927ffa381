import type { KeptReceipt, OwnCopy, PlaceOffer, SignOutReport, SignOutWishes } from '../../app/contract.ts';
import type { AccountItem, RemovalCount } from '../../src-main/ipc/contract.ts';
import { ownCopyText } from '../../src-main/sources/own-copy.ts';
import type { Accounts } from './accounts.ts';
import type { Dialog, DialogOf, Dialogs } from './dialogs.ts';
import { accountName, nameWithRealm } from './groups.ts';
import { appLabel } from './overview.ts';
import type { Ports } from './ports.ts';
import { shownAppName } from './search.ts';
import type { Selection } from './selection.ts';
import { isMatrix, leavingCount, wishesFor } from './signOutMatrix.ts';
import { visible } from './text.ts';
import type { Toasts } from './toasts.ts';
import type { Vault } from './vault.ts';
import { addCounts, count } from './words.ts';

/** Maximum accounts whose tokens are loaded to find the names of apps. */
const MOST_ASKED = 12;

export interface SignOut {
  /** Opens the dialog for one account; without an ID, for the selected one. */
  one: (accountId?: string) => Promise<void>;
  /** Opens the dialog for these accounts. */
  several: (accountIds: readonly string[]) => Promise<void>;
  all: () => Promise<void>;
  /** Sets where to sign out, and what to do at the provider. */
  wish: (wishes: SignOutWishes) => void;
  /** Carries out what the open dialog proposes. */
  confirm: () => Promise<void>;
  /** Puts back what the sign-out of the open receipt removed from other programs. */
  undo: () => Promise<void>;
  /** Checks again the places where the accounts of the open receipt were still signed in. */
  check: () => Promise<void>;
  /** Saves the text of a receipt as a file. */
  save: (text: string) => Promise<void>;
  /** Closes the receipt and forgets what could be undone. */
  done: () => void;
}

export function createSignOut(
  ports: Ports,
  vault: Vault,
  accounts: Accounts,
  selection: Selection,
  dialogs: Dialogs,
  toasts: Toasts,
): SignOut {
  const { tokenCache, app, time } = ports;

  const accountsOf = (ids: readonly string[] | null): AccountItem[] => {
    const { byId } = accounts.view.get();
    return ids === null ? [...byId.values()] : ids.flatMap((id) => byId.get(id) ?? []);
  };

  /** Asks in a task of its own: the bridge copies a list of accounts one by one, which takes a while for 10,000. */
  const inOwnTask = async <T>(request: () => Promise<T>): Promise<T> => {
    await time.turn();
    return request();
  };

  /** What the dialog shows of the list of accounts. */
  const about = (accountIds: readonly string[] | null) => {
    const chosen = accountsOf(accountIds);
    return {
      accountIds,
      names: chosen.map((account) => nameWithRealm(account)),
      accounts: chosen.map((account) => ({
        id: account.id,
        name: nameWithRealm(account),
        username: account.username === accountName(account) ? '' : account.username,
        inVault: account.places.includes('vault'),
        tokens: account.tokens.AccessToken + account.tokens.RefreshToken + account.tokens.IdToken,
      })),
      inVault: chosen.filter(({ places }) => places.includes('vault')).length,
    };
  };

  /** Asks the providers while main counts. The sign-out does not wait for the answer. */
  const ask = async (accountIds: readonly string[] | null) => {
    const answer = await inOwnTask(() => app.signOutOffers(accountIds));
    const dialog = dialogs.view.get();
    if (dialog?.kind !== 'sign-out' || dialog.accountIds !== accountIds || dialog.working) return;
    const unknown = { revoke: 'unknown', endSession: 'unknown', provider: null } as const;
    const offers = answer.ok ? answer.value : unknown;
    const wishes = { ...dialog.wishes, revoke: offers.revoke === 'offered' };
    dialogs.replace(dialog, { ...dialog, offers, wishes });
  };

  const open = async (accountIds: readonly string[] | null, who: string, clients: readonly string[]) => {
    const chosen = accountsOf(accountIds);
    const user = accountIds === null || chosen.some(({ kind }) => kind === 'user');
    // Sample data has no provider, and neither has an app without a user.
    const here = chosen.filter(({ places }) => places.includes('vault'));
    const asks = vault.view.get().info?.demo === false && user && (accountIds === null || here.length > 0);
    dialogs.open({
      kind: 'sign-out',
      ...about(accountIds),
      copies: [],
      user,
      who,
      apps: namesOf(clients),
      places: [],
      counts: null,
      working: false,
      offers: asks ? null : undefined,
      wishes: { vault: true, revoke: false, endSession: false, places: [] },
    });
    hasPlaces = false;
    if (asks) void ask(accountIds);
    await Promise.all([countFor(accountIds), name(clients)]);
  };

  /** Whether places were chosen in the open dialog. From then on, only the user chooses. */
  let hasPlaces = false;

  /** Counts what the open dialog would remove. The first answer also chooses where. */
  const countFor = async (accountIds: readonly string[] | null) => {
    const chosen = accountsOf(accountIds);
    const here = chosen.filter(({ places }) => places.includes('vault'));
    const ids = accountIds === null ? null : here.map(({ id }) => id);
    const [counts, places, copies] = await Promise.all([
      ids?.length === 0
        ? ({ ok: true, value: addCounts([]) } as const)
        : inOwnTask(() => tokenCache.removalCount(ids)),
      // Programs whose tokens are not read may name an account that is in the vault alone.
      accountIds !== null
        ? inOwnTask(() => app.signOutPlaces(accountIds))
        : ({ ok: true, value: [] as readonly PlaceOffer[] } as const),
      ids?.length === 0
        ? ({ ok: true, value: [] as readonly OwnCopy[] } as const) // none of them is in the vault
        : inOwnTask(() => app.signOutCopies(ids)),
    ]);
    const dialog = dialogs.view.get();
    if (dialog?.kind !== 'sign-out' || dialog.accountIds !== accountIds) return; // closed or replaced meanwhile
    if (!counts.ok) dialogs.fail('The tokens could not be counted', counts.error, dialog);
    else if (!places.ok) dialogs.fail('The tokens could not be counted', places.error, dialog);
    else if (!copies.ok) dialogs.fail('The tokens could not be counted', copies.error, dialog);
    else {
      const wishes = {
        ...dialog.wishes,
        vault: here.length > 0,
        places: places.value
          .filter(
            ({ viewOnly, page }) => !viewOnly && (page === null || isPageChosen(chosen.length, places.value)),
          )
          .map(({ id }) => id),
      };
      dialogs.replace(dialog, {
        ...dialog,
        counts: counts.value,
        places: places.value,
        copies: copies.value,
        ...(!hasPlaces && { wishes }),
      });
      hasPlaces = true;
    }
  };

  /** Another program may remove accounts while the dialog asks about them, or change their tokens. */
  const follow = () => {
    const dialog = dialogs.view.get();
    if (dialog?.kind !== 'sign-out' || dialog.working) return;
    const { byId } = accounts.view.get();
    const isSame = dialog.accountIds?.every((id) => byId.has(id)) ?? true;
    const accountIds = isSame ? dialog.accountIds : (dialog.accountIds?.filter((id) => byId.has(id)) ?? null);
    const now = about(accountIds);
    if (JSON.stringify(now.accounts) === JSON.stringify(dialog.accounts)) return;
    if (now.accounts.length === 0) {
      const { user, who, names } = dialog;
      const removed =
        accountIds === null ? 'All accounts were' : `${who} ${names.length > 1 ? 'were' : 'was'}`;
      const message = `${removed} removed meanwhile, for example by another program. Nothing is left to remove.`;
      dialogs.fail(
        user ? 'Already signed out' : 'Already removed',
        { code: 'invalid_argument', message },
        dialog,
      );
      return;
    }
    const who = isSame ? dialog.who : count(now.accounts.length, 'account');
    const wishes = wishesFor(now.accounts, dialog.wishes);
    dialogs.replace(dialog, { ...dialog, ...now, who, wishes, counts: null });
    if (dialog.offers === null && !isSame) void ask(accountIds);
    void countFor(accountIds);
  };
  let known = accounts.view.get().byId;
  accounts.view.subscribe(() => {
    const { byId } = accounts.view.get();
    if (byId === known) return;
    known = byId;
    follow();
  });

  const several = async (ids: readonly string[] | null) => {
    const chosen = accountsOf(ids);
    if (chosen.length === 0) return;
    // An app without a user asks nobody to sign in again.
    const users = chosen.filter(({ kind }) => kind === 'user');
    const clients = [...new Set((users.length > 0 ? users : chosen).flatMap((account) => account.clients))];
    const who = ids === null ? 'everyone' : count(chosen.length, 'account');
    const leaving = ids === null ? null : chosen.map(({ id }) => id);
    await open(leaving, who, clients);
  };

  /** Names the apps in the dialog that has just been opened, as soon as their names are known. */
  const name = async (clients: readonly string[]) => {
    const key = dialogs.key();
    await learnNames(clients);
    const dialog = dialogs.view.get();
    if (dialog?.kind !== 'sign-out' || dialogs.key() !== key || dialog.working) return;
    dialogs.replace(dialog, { ...dialog, apps: namesOf(clients) });
  };

  const namesOf = (clients: readonly string[]) => {
    const { appNames } = accounts.view.get();
    return clients.map((id) => appLabel(id, appNames));
  };

  /** Loads tokens of the apps whose names are not known: of one account for each app, at most MOST_ASKED accounts. */
  const learnNames = async (clients: readonly string[]) => {
    const { byId, appNames } = accounts.view.get();
    const all = [...byId.values()];
    const holders = clients
      .filter((client) => shownAppName(client, appNames) === null)
      .flatMap((client) => all.find((account) => account.clients.includes(client)) ?? []);
    const asked = [...new Set(holders)].slice(0, MOST_ASKED);
    const answers = await Promise.all(asked.map(({ id }) => tokenCache.tokens(id)));
    accounts.learn(answers.flatMap((answer) => (answer.ok ? answer.value : [])));
  };

  /** The open receipt, unless something is in progress there. */
  const idleReceipt = (): DialogOf<'receipt'> | null => {
    const dialog = dialogs.view.get();
    return dialog?.kind === 'receipt' && dialog.working === null ? dialog : null;
  };

  const signOut: SignOut = {
    async one(accountId) {
      const id = accountId ?? selection.view.get().accountId;
      const account = id === null ? undefined : accounts.view.get().byId.get(id);
      if (account === undefined) return;
      const { accountId: shown, tokens } = selection.view.get();
      if (shown === account.id && tokens !== null) accounts.learn(tokens);
      await open([account.id], nameWithRealm(account), account.clients);
    },
    several: (ids) => (ids.length === 1 ? signOut.one(ids[0]) : several(ids)),
    all() {
      const { byId } = accounts.view.get();
      const elsewhere = [...byId.values()].some(({ places }) => places.some((place) => place !== 'vault'));
      return several(elsewhere ? [...byId.keys()] : null);
    },
    wish(wishes) {
      const dialog = dialogs.view.get();
      if (dialog?.kind === 'sign-out') dialogs.replace(dialog, { ...dialog, wishes });
    },
    async confirm() {
      const dialog = dialogs.view.get();
      if (dialog?.kind !== 'sign-out' || dialog.working || dialog.counts === null) return;
      const working: Dialog = { ...dialog, working: true };
      dialogs.replace(dialog, working);
      const { accountIds, names, user, wishes } = dialog;
      const leaving = isMatrix(dialog) ? leavingCount(dialog) : names.length;
      const who = leaving === names.length ? dialog.who : count(leaving, 'account');
      const answer = await app.signOut(accountIds, wishes);
      if (answer.ok) {
        dialogs.answer(working, {
          kind: 'receipt',
          user,
          who,
          isEveryone: accountIds === null,
          accounts: leaving,
          report: answer.value,
          working: null,
        });
      } else dialogs.fail(user ? 'Nothing was signed out' : 'Nothing was removed', answer.error, working);
    },
    async undo() {
      const dialog = idleReceipt();
      if (dialog === null) return;
      const working: Dialog = { ...dialog, working: 'undo' };
      dialogs.replace(dialog, working);
      const answer = await app.undoSignOut(dialog.report.id);
      if (answer.ok) dialogs.replace(working, { ...dialog, report: answer.value });
      else {
        dialogs.fail('The sign-out could not be undone', answer.error, working);
        // A part may be back. The rest can be undone until the user presses Done.
        const kept = await app.signOuts();
        const report = kept.ok ? kept.value.find(({ id }) => id === dialog.report.id) : undefined;
        dialogs.later(() => (report === undefined ? dialog : { ...dialog, report }));
      }
    },
    async check() {
      const dialog = idleReceipt();
      if (dialog === null) return;
      const working: Dialog = { ...dialog, working: 'check' };
      dialogs.replace(dialog, working);
      const answer = await app.checkSignOut(dialog.report.id);
      dialogs.replace(working, answer.ok ? { ...dialog, report: answer.value } : dialog);
      if (!answer.ok) toasts.show(answer.error.message);
    },
    async save(text) {
      const answer = await app.saveReceipt(text);
      if (!answer.ok) toasts.show(answer.error.message);
      else if (answer.value !== null) toasts.show(`Saved as ${visible(answer.value)}.`);
    },
    done() {
      const dialog = idleReceipt();
      if (dialog === null) return;
      if (dialog.report.places.length > 0) void app.signOutDone(dialog.report.id);
      dialogs.close();
    },
  };
  return signOut;
}

/** Returns the copies in files that are not among the places. */
export function otherCopies({
  copies = [],
  places,
}: {
  copies?: readonly OwnCopy[] | undefined;
  places: readonly { file: string }[];
}): OwnCopy[] {
  const told = new Set(places.map(({ file }) => file));
  return copies.filter(({ file }) => !told.has(file));
}

/** Returns a line about the files that accounts were imported from; none if there are no files. */
export function ownCopyLines(
  report: Pick<SignOutReport, 'copies' | 'places' | 'revoked'>,
): { says: string; value: string; tone: 'plain' }[] {
  const copies = otherCopies(report);
  if (copies.length === 0) return [];
  const says = copies.length === 1 ? 'Other copy' : 'Other copies';
  const isRevoked = (report.revoked?.count ?? 0) > 0;
  return [{ says, value: ownCopiesText(copies, isRevoked), tone: 'plain' }];
}

/** @param isRevoked whether refresh tokens are revoked, of which the other copies may be */
export function ownCopiesText(copies: readonly OwnCopy[], isRevoked: boolean): string {
  const text = ownCopyText(copies, visible);
  return isRevoked
    ? `${text} A refresh token that the provider has revoked no longer works there either.`
    : text;
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

/** "Ada is signed out", "3 accounts are signed out". */
export function receiptTitle({
  user,
  who,
  isEveryone,
  accounts,
}: Omit<DialogOf<'receipt'>, 'kind' | 'report' | 'working'>): string {
  if (!user) return `The tokens of ${who} are removed`;
  if (isEveryone) return 'Everyone is signed out';
  return `${who} ${accounts > 1 ? 'are' : 'is'} signed out`;
}

export interface ReceiptSums {
  removed: RemovalCount;
  remaining: number;
  /** null without a key: the cache is in memory. */
  oldKey: OldKeyLine | null;
}

/** Adds up what the vault removed for each account. */
export function receiptSums(receipts: readonly KeptReceipt[]): ReceiptSums {
  return {
    removed: addCounts(receipts.map(({ removed }) => removed)),
    remaining: receipts.reduce((sum, { remaining }) => sum + remaining, 0),
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
          'Pending: destroyed as soon as the keychain is available and the new file can be read. Until then it opens older copies of the file.',
        tone: 'plain',
      };
}

function keyWords(receipts: readonly KeptReceipt[]): OldKeyLine | null {
  // Each sign-out rotates the key, so the last receipt is about the current one.
  const told = receipts.filter(({ oldKey }) => oldKey !== undefined).at(-1)?.oldKey;
  return told === undefined ? null : oldKeyLine(told);
}

/** Returns the places that are caches of programs. The others are pages. */
export function cachesAmong(places: readonly PlaceOffer[]): PlaceOffer[] {
  return places.filter(({ page }) => page === null);
}

/**
 * Whether a page on which the user signs out on all devices is chosen from the start: for one account that is in several places. Several
 * accounts would need as many sign-ins there.
 */
function isPageChosen(accounts: number, places: readonly PlaceOffer[]): boolean {
  return accounts === 1 && cachesAmong(places).length > 0;
}

/** Returns the number of places that a sign-out would change. A chosen place may have lost the accounts meanwhile. */
export function chosenPlaces({ wishes, places }: Pick<DialogOf<'sign-out'>, 'wishes' | 'places'>): number {
  return (wishes.vault ? 1 : 0) + places.filter(({ id }) => wishes.places.includes(id)).length;
}

/** "Removes 5 tokens of 2 accounts from its cache. The other 3 accounts stay. You can undo this until you press Done." */
export function placeOfferText({ tokens, accounts, others, viewOnly, leave, page }: PlaceOffer): string {
  if (viewOnly || page !== null) return leave;
  const whose = accounts > 1 ? ` of ${count(accounts, 'account')}` : '';
  const stay =
    others === 0
      ? ''
      : others === 1
        ? ' The other account stays.'
        : ` The other ${String(others)} accounts stay.`;
  return `Removes ${count(tokens, 'token')}${whose} from its cache.${stay} You can undo this until you press Done.`;
}

const VAULT_NAME = 'This vault';

/** The places where the accounts are still signed in. */
export function stillSignedIn({ places, keptInVault }: SignOutReport): { name: string; says: string }[] {
  return [
    ...places.filter(({ result }) => result === 'still').map(({ name, says }) => ({ name, says })),
    ...(keptInVault ? [{ name: VAULT_NAME, says: 'Not chosen.' }] : []),
  ];
}

/** "signed out of 2 of 3 places", "signed out of Azure CLI"; null if only the vault was concerned. */
export function placesText(report: SignOutReport): string | null {
  if (report.places.length === 0) return null;
  // Main lists the vault as a place where some of the accounts stay in it.
  const isListed = report.places.some(({ id }) => id === 'vault');
  const vault = !isListed && (report.receipts.length > 0 || report.keptInVault) ? 1 : 0;
  const all = report.places.length + vault;
  const unknown = report.places.filter(({ result }) => result === 'not-confirmed').length;
  const left = stillSignedIn(report).length + unknown;
  return left === 0
    ? `signed out of ${all === 1 ? visible(report.places[0]?.name ?? '') : `all ${String(all)} places`}`
    : `signed out of ${String(all - left)} of ${count(all, 'place')}`;
}
