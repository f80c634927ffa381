/** Formats the results as a text table. */
import { duration, median, times } from './statistics.ts';

export interface Cell {
  /** The median of each repetition, in milliseconds. */
  medians: number[];
  /** The limit in milliseconds if it was reached; otherwise null. */
  over: number | null;
}

export function shown({ medians, over }: Cell): string {
  if (over !== null) return `> ${duration(over)}`;
  const range = `${duration(Math.min(...medians))} – ${duration(Math.max(...medians))}`;
  return medians.length > 1 ? `${duration(median(medians))} (${range})` : duration(median(medians));
}

/** Returns how many times longer the peer takes. */
export function ratio(ours: Cell, theirs: Cell): string {
  if (ours.over !== null) return '';
  const mine = median(ours.medians);
  return theirs.over === null ? times(median(theirs.medians) / mine) : `> ${times(theirs.over / mine)}`;
}

/** Returns how much longer a call takes in the largest cache than in the smallest. */
export function flatness(small: Cell, large: Cell): string {
  if (small.over !== null) return 'not known';
  const base = median(small.medians);
  return large.over === null ? times(median(large.medians) / base) : `> ${times(large.over / base)}`;
}

/** Formats one row per operation: Tokenkeep, MSAL Node, and how many times longer MSAL Node takes. */
export function table(operations: readonly string[], cells: (operation: string) => Cell[]): string {
  const rows = operations.map((operation) => {
    const [ours, theirs] = cells(operation);
    return [operation, shown(ours!), shown(theirs!), ratio(ours!, theirs!)];
  });
  return aligned([['', 'Tokenkeep', 'MSAL Node', 'ratio'], ...rows]);
}

/** Aligns rows that have the same number of cells. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column]!))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}
