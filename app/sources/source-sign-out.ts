/** Signs accounts out of opened caches of other programs: what would be removed, the removal, and its undo. */
import { TokenkeepError } from 'tokenkeep';
import { type CachedAccount, cachedAccounts, nameOf, usernameOf } from 'tokenkeep/ipc';
import {
  displayPath,
  howToLeave,
  type ReadOptions,
  signOutAtSource,
  type SourceReceipt,
} from 'tokenkeep/sources';
import type { PlaceOffer, PlaceReceipt } from './contract.ts';
import { isViewOnly, type OpenSource, type OpenSources } from './open-sources.ts';

export interface SourceSignOuts {
  /** Names of those of the accounts that are in opened places, by id. */
  names(accountIds: readonly string[]): ReadonlyMap<string, string>;
  /** The opened places that have some of these accounts. */
  offers(accountIds: readonly string[]): PlaceOffer[];
  /**
   * Signs the accounts out of the chosen places. Places that have them and are not chosen are in the receipts as well.
   *
   * @param reportId under which `undo` finds what was removed
   */
  signOut(
    accountIds: readonly string[],
    places: readonly string[],
    reportId: string,
  ): Promise<PlaceReceipt[]>;
  /** Puts back what was removed; returns the names of the places. */
  undo(reportId: string): Promise<string[]>;
  /** Forgets what was removed. */
  done(reportId: string): void;
}

export function sourceSignOuts(
  sources: Pick<OpenSources<unknown>, 'opened' | 'readAgain'>,
  options: ReadOptions = {},
): SourceSignOuts {
  /** What can be undone, by report. It holds tokens, encrypted, and ends with this process. */
  const undoable = new Map<string, { place: OpenSource; receipt: SourceReceipt }[]>();

  const holding = (ids: readonly string[]) => {
    const wanted = new Set(ids);
    return sources.opened().flatMap((place) => {
      const { cache } = place.reading;
      if (cache === null) return [];
      const all = [...cachedAccounts(cache).byId.values()];
      const theirs = all.filter(({ id, kind }) => wanted.has(id) && kind !== 'app');
      return theirs.length === 0 ? [] : [{ place, theirs, others: all.length - theirs.length }];
    });
  };

  async function leave(
    place: OpenSource,
    theirs: readonly CachedAccount[],
    reportId: string,
  ): Promise<PlaceReceipt> {
    const { name, source } = place;
    const says = { name, file: displayPath(source.file) };
    let removed = 0;
    let remaining = 0;
    let left = '';
    let unchecked: string | undefined;
    try {
      for (const account of theirs) {
        const receipt = await signOutAtSource(source, summaryOf(account), options);
        undoable.set(reportId, [...(undoable.get(reportId) ?? []), { place, receipt }]);
        const { AccessToken, RefreshToken, IdToken } = receipt.removed;
        removed += AccessToken + RefreshToken + IdToken;
        remaining += receipt.remaining ?? 0;
        unchecked = receipt.problem ?? unchecked;
        left = receipt.left === undefined ? '' : ` ${receipt.left}`;
      }
    } catch (error) {
      if (!(error instanceof TokenkeepError)) throw error;
      return { ...says, result: 'still', says: error.message };
    } finally {
      await sources.readAgain(place.id);
    }
    if (unchecked !== undefined) return { ...says, result: 'still', says: unchecked };
    return remaining === 0
      ? {
          ...says,
          result: 'signed-out',
          says: `${tokens(removed)} removed. Left: none (checked again).${left}`,
        }
      : { ...says, result: 'still', says: `${tokens(removed)} removed, but ${remaining} entries are left.` };
  }

  return {
    names: (ids) =>
      new Map(
        holding(ids).flatMap(({ theirs }) =>
          theirs.map(
            (one) => [one.id, usernameOf(one) || nameOf(one) || (one.home_account_id ?? '')] as const,
          ),
        ),
      ),
    offers: (ids) =>
      holding(ids).map(({ place: { id, name, source }, theirs, others }) => ({
        id,
        name,
        file: displayPath(source.file),
        tokens: theirs.reduce(
          (sum, one) => sum + one.accessTokens.length + one.refreshTokens.length + one.idTokens.length,
          0,
        ),
        accounts: theirs.length,
        others,
        viewOnly: isViewOnly(source),
        leave: howToLeave(source),
      })),
    async signOut(ids, places, reportId) {
      const receipts: PlaceReceipt[] = [];
      for (const { place, theirs } of holding(ids)) {
        const { name, source, id } = place;
        if (places.includes(id) && !isViewOnly(source)) receipts.push(await leave(place, theirs, reportId));
        else {
          const says = isViewOnly(source) ? howToLeave(source) : 'Not chosen.';
          receipts.push({ name, file: displayPath(source.file), result: 'still', says });
        }
      }
      // What is still signed in comes first.
      return receipts.sort((a, b) => Number(a.result === 'signed-out') - Number(b.result === 'signed-out'));
    },
    async undo(reportId) {
      const left = undoable.get(reportId) ?? [];
      const names = new Set<string>();
      // Each is taken off the list when it is done: if one fails, the next try begins with that one.
      for (let next = left[0]; next !== undefined; next = left[0]) {
        await next.receipt.undo();
        left.shift();
        names.add(next.place.name);
        await sources.readAgain(next.place.id);
      }
      undoable.delete(reportId);
      return [...names];
    },
    done(reportId) {
      for (const { receipt } of undoable.get(reportId) ?? []) receipt.done();
      undoable.delete(reportId);
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

const tokens = (count: number): string => `${count} ${count === 1 ? 'token' : 'tokens'}`;
