/** One line of the report: faults of one kind. */
export interface Row {
  name: string;
  tried: number;
  /** Faults that the vault did not survive, each with the observation. */
  lost: string[];
  /** Printed beside the counts: the longest wait, or what was covered. */
  notes: string[];
}

/** The results of the faults, by kind. */
export class Tally {
  readonly rows: Row[] = [];

  row(name: string): Row {
    const known = this.rows.find((row) => row.name === name);
    if (known !== undefined) return known;
    const row: Row = { name, tried: 0, lost: [], notes: [] };
    this.rows.push(row);
    return row;
  }

  /** Tries one fault. If `trial` throws, the error says what was lost. */
  async try(row: string, fault: string, trial: () => unknown): Promise<void> {
    const { lost } = this.row(row);
    this.row(row).tried += 1;
    try {
      await trial();
    } catch (error) {
      lost.push(`${fault}: ${told(error)}`);
    }
  }

  note(row: string, note: string): void {
    this.row(row).notes.push(note);
  }

  get lost(): number {
    return this.rows.reduce((sum, { lost }) => sum + lost.length, 0);
  }

  table(): string {
    const cells = [
      ['faults', 'tried', 'survived', 'lost', ''],
      ...this.rows.map(({ name, tried, lost, notes }) => [
        name,
        String(tried),
        String(tried - lost.length),
        String(lost.length),
        notes.join('; '),
      ]),
    ];
    const total = this.rows.reduce((sum, { tried }) => sum + tried, 0);
    cells.push(['all', String(total), String(total - this.lost), String(this.lost), '']);
    const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
    return cells
      .map((row) =>
        row
          .map((cell, column) =>
            column === 0
              ? cell.padEnd(widths[0] ?? 0)
              : column < 4
                ? cell.padStart(widths[column] ?? 0)
                : cell,
          )
          .join('  ')
          .trimEnd(),
      )
      .join('\n');
  }
}

/** Throws an error that says what is wrong, and where. */
export function must(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(otherwise);
}

/** Returns the message of an error, and those of its causes. */
export function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${told(error.cause)})`;
}
