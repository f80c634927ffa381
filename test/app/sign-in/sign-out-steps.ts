/** The steps of a sign-out at which a test ends the app: writes to the vault, and removals from other programs' caches. */
import type { SourceSignOuts } from '../../../app/sources/source-sign-out.ts';
import type { Vault } from '../../../src-main/index.ts';

export interface Steps {
  /** Does the work between two steps, one before it and one after it. */
  around<T>(name: string, work: () => T | Promise<T>): Promise<T>;
}

export const CACHES: readonly string[] = ['first', 'second'];

/** Two caches of other programs that have the account. */
export function otherPrograms(
  left: Iterable<string> & { delete(id: string): boolean },
  steps: Steps,
): SourceSignOuts {
  const rowOf = (id: string) => ({ id, name: id, file: `/${id}.json` });
  return {
    names: (ids) => new Map(ids.map((id) => [id, 'noor'])),
    offers: () =>
      [...left].map((id) => ({
        ...rowOf(id),
        ...{ tokens: 1, accounts: 1, others: 0, tokensOf: {}, staying: [], viewOnly: false, leave: '' },
        ...{ opens: null, command: null, page: null },
      })),
    async signOut(_ids, places) {
      const rows = [];
      for (const id of places) {
        await steps.around(`the removal from the ${id} cache`, () => left.delete(id));
        rows.push({ ...rowOf(id), result: 'signed-out' as const, says: 'Left: none.' });
      }
      return rows;
    },
    accounts: () => [],
    check: () => Promise.resolve([]),
    undo: () => Promise.resolve([]),
    undone: () => [],
    done: () => undefined,
  };
}

/** A vault whose writes are steps. */
export function stepping(vault: Vault, steps: Steps): Vault {
  return new Proxy(vault, {
    get(target, name) {
      const found: unknown = Reflect.get(target, name);
      if (typeof found !== 'function') return found;
      const call = (...args: unknown[]): unknown => Reflect.apply(found, target, args);
      if (name !== 'update' && name !== 'erase') return call;
      return (...args: unknown[]) => steps.around(`the write of the vault (${name})`, () => call(...args));
    },
  });
}
