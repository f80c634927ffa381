/** What the campaign counts: attacks by kind, and those that got through. */

export interface Row {
  name: string;
  tried: number;
  /** Attacks that got through, each with what happened. */
  through: string[];
}

export class Score {
  readonly rows: Row[] = [];

  /** @param filter tries only attacks whose description contains it */
  constructor(private readonly filter = '') {}

  row(name: string): Row {
    const known = this.rows.find((row) => row.name === name);
    if (known !== undefined) return known;
    const row: Row = { name, tried: 0, through: [] };
    this.rows.push(row);
    return row;
  }

  /** Tries one attack. It got through if `attempt` throws; the error says how. */
  async try(name: string, attack: string, attempt: () => unknown): Promise<void> {
    if (!`${name}: ${attack}`.includes(this.filter)) return;
    const row = this.row(name);
    row.tried += 1;
    try {
      await attempt();
    } catch (error) {
      row.through.push(`${attack}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  get through(): number {
    return this.rows.reduce((sum, { through }) => sum + through.length, 0);
  }

  table(): string {
    const count = ({ name, tried, through }: Row): string[] => [
      name,
      String(tried),
      String(tried - through.length),
      String(through.length),
    ];
    const all = { name: 'all', tried: this.rows.reduce((sum, { tried }) => sum + tried, 0) };
    const cells = [
      ['attacks', 'tried', 'refused', 'got through'],
      ...this.rows.map(count),
      count({ ...all, through: Array.from({ length: this.through }, () => '') }),
    ];
    const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
    return cells
      .map((row) =>
        row
          .map((cell, column) => {
            const width = widths[column] ?? 0;
            return column === 0 ? cell.padEnd(width) : cell.padStart(width);
          })
          .join('  '),
      )
      .join('\n');
  }
}

/** @throws Error that says how the attack got through */
export function must(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(otherwise);
}
