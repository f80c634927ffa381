/** Signs accounts out of opened caches of other programs: what would be removed, the removal, and its undo. */
import { basename } from 'node:path';
import { TokenkeepError } from 'tokenkeep';
import { type CachedAccount, cachedAccounts, nameOf, nameWithRealm, usernameOf } from 'tokenkeep/ipc';
import {
  commandToLeave,
  displayPath,
  howToLeave,
  type ReadOptions,
  signOutAtSource,
  type SourceReceipt,
} from 'tokenkeep/sources';
import type { SignOutExcept } from '../sign-in/contract.ts';
import type { PlaceOffer, PlaceReceipt } from './contract.ts';
import { isViewOnly, type OpenSource, type OpenSources, opensOf } from './open-sources.ts';

/** A place, as its receipts name it. */
export type SourcePlace = Pick<PlaceReceipt, 'id' | 'name' | 'file'>;

export interface SourceSignOuts {
  /** Names of those of the accounts that are in opened places, by id. With `isChosen`, only of those that are chosen at one of them. */
  names(
    accountIds: readonly string[],
    isChosen?: (place: string, accountId: string) => boolean,
  ): ReadonlyMap<string, string>;
  /** Those of the accounts that are in opened places, once for each place. */
  accounts(accountIds: readonly string[]): readonly CachedAccount[];
  /**
   * The opened places that have some of these accounts.
   *
   * @param usernames of the accounts that are in the vault: programs whose tokens are not read name accounts by them
   */
  offers(accountIds: readonly string[], usernames?: readonly string[]): PlaceOffer[];
  /**
   * Signs the accounts out of the chosen places. The receipts also list places that have them and were not chosen, and places that were
   * offered and have been closed or have disappeared since.
   *
   * @param except accounts that are left alone at a chosen place
   * @param reportId under which `undo` finds what was removed
   */
  signOut(
    accountIds: readonly string[],
    places: readonly string[],
    reportId: string,
    except?: readonly SignOutExcept[],
    usernames?: readonly string[],
  ): Promise<PlaceReceipt[]>;
  /** Puts back what was removed; returns the places, as their receipts name them. */
  undo(reportId: string): Promise<SourcePlace[]>;
  /** The places where a failed `undo` has put something back, and whether that is everything. */
  undone(reportId: string): (SourcePlace & { readonly isWhole: boolean })[];
  /** Rereads the places where an account was still signed in, and returns their current rows. */
  check(reportId: string): Promise<PlaceReceipt[]>;
  /** Discards the undo data. */
  done(reportId: string): void;
}

/** Stands for no opened caches. */
export const NO_SOURCES: SourceSignOuts = {
  names: () => new Map(),
  accounts: () => [],
  offers: () => [],
  signOut: () => Promise.resolve([]),
  undo: () => Promise.resolve([]),
  undone: () => [],
  check: () => Promise.resolve([]),
  done: () => undefined,
};

function isLocked(error: unknown): boolean {
  return error instanceof TokenkeepError && (error.code === 'source_busy' || error.code === 'vault_busy');
}

export function sourceSignOuts(
  sources: Pick<OpenSources<unknown>, 'opened' | 'readAgain' | 'changeHere'>,
  options: ReadOptions = {},
): SourceSignOuts {
  /** What can be undone, by report. It holds tokens, encrypted, and is lost when this process ends. */
  const undoable = new Map<string, { place: OpenSource; receipt: SourceReceipt }[]>();

  /** What `check` looks for, by report. */
  const asked = new Map<
    string,
    { ids: readonly string[]; usernames: readonly string[]; still: SourcePlace[] }
  >();

  /** Places that were shown in a question. They may be closed, or disappear, while it is open. */
  const offered = new Map<string, SourcePlace>();

  /** Several caches of one program, or files of one name, are told apart by their files. */
  const placeOf = ({ id, name, source }: OpenSource): SourcePlace => {
    const file = displayPath(source.file);
    const others = sources.opened().filter((one) => one.id !== id && one.name === name);
    if (others.length === 0) return { id, name, file };
    const own = basename(source.file);
    const isAlone = others.every((other) => basename(other.source.file) !== own);
    return { id, name: `${name}, ${isAlone ? own : file}`, file };
  };

  /** The outcome at a place that was offered and does not have the accounts any more. */
  const missing = (id: string): Pick<PlaceReceipt, 'result' | 'says'> => {
    const place = sources.opened().find((one) => one.id === id);
    if (place === undefined)
      return {
        result: 'still',
        says: 'It was closed while the question was open. Nothing was changed there.',
      };
    const { state, problem } = place.reading;
    // With a problem, a part of it could not be read.
    if ((state === 'accounts' || state === 'empty') && problem === undefined)
      return { result: 'signed-out', says: 'The program signed out by itself. Nothing was left to remove.' };
    if (state === 'gone')
      return {
        result: 'still',
        says: 'The cache disappeared while the question was open. A program that still runs may write it again: sign out there, too.',
      };
    return { result: 'still', says: problem ?? 'It can’t be read any more. Nothing was changed there.' };
  };

  const holding = (ids: readonly string[]) => {
    const wanted = new Set(ids);
    return sources.opened().flatMap((place) => {
      const { cache } = place.reading;
      if (cache === null) return [];
      const all = [...cachedAccounts(cache).byId.values()];
      const isWanted = ({ id, kind }: CachedAccount) => wanted.has(id) && kind !== 'app';
      const theirs = all.filter(isWanted);
      const others = all.filter((one) => !isWanted(one));
      return theirs.length === 0 ? [] : [{ place, theirs, others }];
    });
  };

  /** Opened programs that name some of these accounts, and whose tokens are not read. Tokenkeep changes none of them. */
  const naming = (ids: readonly string[], usernames: readonly string[]) => {
    const own = holding(ids).flatMap(({ theirs }) => theirs.map(usernameOf));
    // Only names in the form of an e-mail address mean one user everywhere.
    const wanted = new Set(
      [...usernames, ...own].map((name) => name.toLowerCase()).filter((name) => name.includes('@')),
    );
    return sources.opened().flatMap((place) => {
      const { source, reading } = place;
      const [signIn, ...more] = reading.names.filter((one) => wanted.has(one.name.toLowerCase()));
      if (signIn === undefined) return [];
      const others = reading.names.length - 1 - more.length;
      const only = more.length === 0 ? signIn : undefined;
      return [
        {
          ...placeOf(place),
          ...{ accounts: 1 + more.length, others },
          leave: howToLeave(source, only),
          opens: opensOf(source)?.name ?? null,
          command: commandToLeave(source, only),
        },
      ];
    });
  };

  async function leave(
    place: OpenSource,
    theirs: readonly CachedAccount[],
    notChosen: readonly CachedAccount[],
    reportId: string,
  ): Promise<PlaceReceipt> {
    const { source } = place;
    const row = placeOf(place);
    let removed = 0;
    let remaining = 0;
    let left = '';
    const problems = new Set<string>();
    await sources.changeHere(place.id, async () => {
      let isChanged = false;
      for (const account of theirs) {
        try {
          const receipt = await signOutAtSource(source, summaryOf(account), options);
          undoable.set(reportId, [...(undoable.get(reportId) ?? []), { place, receipt }]);
          isChanged ||= Object.values<number>({ ...receipt.removed }).some((count) => count > 0);
          const { AccessToken, RefreshToken, IdToken, grants = 0 } = receipt.removed;
          removed += AccessToken + RefreshToken + IdToken + grants;
          remaining += receipt.remaining ?? 0;
          if (receipt.problem !== undefined) problems.add(receipt.problem);
          left = receipt.left === undefined ? left : ` ${receipt.left}`;
        } catch (error) {
          if (!(error instanceof TokenkeepError)) throw error;
          const whose = theirs.length > 1 ? `${accountName(account)}: ` : '';
          problems.add(`${whose}${error.message}`);
          // The same lock would block the other accounts too, and each would wait for it.
          if (isLocked(error)) break;
        }
      }
      return isChanged;
    });
    const done = removed === 0 && (problems.size > 0 || remaining > 0) ? '' : `${tokens(removed)} removed. `;
    const rest = [
      ...(remaining === 0 ? [] : [`${remaining} ${remaining === 1 ? 'entry is' : 'entries are'} left.`]),
      ...problems,
      ...(notChosen.length === 0 ? [] : [`Not chosen: ${listed(notChosen.map(accountName))}.`]),
    ];
    return rest.length === 0
      ? { ...row, result: 'signed-out', says: `${done}Left: none (checked again).${left}` }
      : { ...row, result: 'still', says: `${done}${rest.join(' ')}` };
  }

  /** Undos that are in progress, by report: what is asked for twice is put back once. */
  const undoing = new Map<string, Promise<SourcePlace[]>>();

  /** What an undo has put back before one of its places failed, by report. */
  const halfDone = new Map<string, Map<string, SourcePlace>>();

  async function putBack(reportId: string): Promise<SourcePlace[]> {
    const undone = halfDone.get(reportId) ?? new Map<string, SourcePlace>();
    halfDone.set(reportId, undone);
    const failures: unknown[] = [];
    /** Places that another program has locked: each account would wait for it. */
    const locked = new Set<string>();
    // The last one first, so that each finds what it left.
    for (const one of undoable.get(reportId)?.toReversed() ?? []) {
      const { id } = one.place;
      if (locked.has(id)) continue;
      await sources.changeHere(id, async () => {
        try {
          await one.receipt.undo();
          const left = undoable.get(reportId)?.filter((other) => other !== one) ?? [];
          if (left.length > 0) undoable.set(reportId, left);
          else undoable.delete(reportId);
        } catch (error) {
          // Other places don't depend on it. Another try begins with it.
          failures.push(error);
          if (isLocked(error)) {
            locked.add(id);
            return false;
          }
        }
        // If it failed, a part of it may be back.
        undone.set(id, placeOf(one.place));
        return true;
      });
    }
    if (failures.length > 0) throw failures[0];
    halfDone.delete(reportId);
    return [...undone.values()];
  }

  return {
    accounts: (ids) => holding(ids).flatMap(({ theirs }) => theirs),
    names: (ids, isChosen = () => true) =>
      new Map(
        holding(ids).flatMap(({ place, theirs }) =>
          theirs.flatMap((one) => (isChosen(place.id, one.id) ? [[one.id, accountName(one)] as const] : [])),
        ),
      ),
    offers: (ids, usernames = []) => [
      ...holding(ids).map(({ place, theirs, others }) => {
        const { source } = place;
        offered.set(place.id, placeOf(place));
        const counted = theirs.map((one) => [one.id, tokensOf(one)] as const);
        return {
          ...placeOf(place),
          tokens: counted.reduce((sum, [, count]) => sum + count, 0),
          accounts: theirs.length,
          others: others.length,
          tokensOf: Object.fromEntries(counted),
          staying: others.slice(0, MOST_STAYING).map(accountName),
          viewOnly: isViewOnly(source),
          leave: howToLeave(source),
          opens: opensOf(source)?.name ?? null,
          command: commandToLeave(source),
          page: null,
        };
      }),
      ...naming(ids, usernames).map((named) => ({
        ...named,
        tokens: 0,
        tokensOf: {},
        staying: [],
        viewOnly: true,
        page: null,
      })),
    ],
    async signOut(ids, places, reportId, except = [], usernames = []) {
      const receipts: PlaceReceipt[] = [];
      const still: SourcePlace[] = [];
      const left = new Set(except.map(({ accountId, place }) => `${accountId} ${place}`));
      const held = holding(ids);
      const named = naming(ids, usernames);
      for (const { place, theirs } of held) {
        const { source, id } = place;
        const isChosen = (one: CachedAccount) => !left.has(`${one.id} ${id}`);
        const chosen = theirs.filter(isChosen);
        if (places.includes(id) && chosen.length > 0 && !isViewOnly(source)) {
          const notChosen = theirs.filter((one) => !isChosen(one));
          receipts.push(await leave(place, chosen, notChosen, reportId));
        } else {
          const says = isViewOnly(source) ? howToLeave(source) : 'Not chosen.';
          receipts.push({ ...placeOf(place), result: 'still', says });
        }
        still.push(placeOf(place));
      }
      for (const id of places) {
        const known = offered.get(id);
        if (known !== undefined && !held.some(({ place }) => place.id === id))
          receipts.push({ ...known, ...missing(id) });
      }
      for (const { id, name, file, leave: says } of named) {
        receipts.push({ id, name, file, result: 'still', says });
        still.push({ id, name, file });
      }
      asked.set(reportId, { ids, usernames, still });
      // What is still signed in comes first.
      return receipts.sort((a, b) => Number(a.result === 'signed-out') - Number(b.result === 'signed-out'));
    },
    undo(reportId) {
      const running = undoing.get(reportId) ?? putBack(reportId).finally(() => undoing.delete(reportId));
      undoing.set(reportId, running);
      return running;
    },
    undone(reportId) {
      const left = new Set(undoable.get(reportId)?.map(({ place }) => place.id));
      return [...(halfDone.get(reportId) ?? [])].map(([id, row]) => ({ ...row, isWhole: !left.has(id) }));
    },
    async check(reportId) {
      await undoing.get(reportId)?.catch(() => undefined);
      const { ids, usernames, still } = asked.get(reportId) ?? { ids: [], usernames: [], still: [] };
      const rows: PlaceReceipt[] = [];
      for (const place of still) {
        const { id } = place;
        await sources.readAgain(id);
        const theirs = holding(ids).find((held) => held.place.id === id)?.theirs;
        const named = naming(ids, usernames).find((one) => one.id === id);
        if (theirs !== undefined)
          rows.push({
            ...place,
            result: 'still',
            says: `Checked again: ${listed(theirs.map(accountName))}.`,
          });
        else if (named !== undefined)
          rows.push({ ...place, result: 'still', says: `Checked again. ${named.leave}` });
        else {
          const { result, says } = missing(id);
          rows.push({ ...place, result, says: result === 'still' ? says : 'Left: none (checked again).' });
        }
      }
      return rows;
    },
    done(reportId) {
      const discard = (): void => {
        asked.delete(reportId);
        halfDone.delete(reportId);
        for (const { receipt } of undoable.get(reportId) ?? []) receipt.done();
        undoable.delete(reportId);
      };
      const running = undoing.get(reportId);
      if (running === undefined) discard();
      else void running.then(discard, discard);
    },
  };
}

function summaryOf({
  summary,
  home_account_id,
  environment,
  issuer,
}: CachedAccount): Parameters<typeof signOutAtSource>[1] {
  return (
    summary ?? {
      home_account_id: home_account_id ?? '',
      environment,
      ...(issuer === '' ? {} : { issuer }),
      username: '',
      local_account_id: '',
      authority_type: '',
      tenants: [],
    }
  );
}

/** Maximum names of accounts that stay. */
const MOST_STAYING = 3;

const accountName = (one: CachedAccount): string =>
  nameWithRealm(usernameOf(one) || nameOf(one) || (one.home_account_id ?? ''), one);

const tokensOf = ({ accessTokens, refreshTokens, idTokens, grants }: CachedAccount): number =>
  [{ accessTokens, refreshTokens, idTokens }, ...grants].reduce(
    (sum, one) => sum + one.accessTokens.length + one.refreshTokens.length + one.idTokens.length,
    0,
  );

/** "Ada, Ben and 3 others". */
export function listed(names: readonly string[]): string {
  const [first = '', ...rest] = names;
  if (rest.length === 0) return first;
  if (names.length > 4) return `${names.slice(0, 3).join(', ')} and ${names.length - 3} others`;
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

const tokens = (count: number): string => `${count} ${count === 1 ? 'token' : 'tokens'}`;
