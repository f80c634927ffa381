import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Arguments } from './arguments.ts';
import type { Random } from './random.ts';
import type { Tally } from './tally.ts';

/** The environment of a section of the campaign. */
export interface Scene extends Arguments {
  random: Random;
  tally: Tally;
  /** The bundled `program.ts`, which children run. */
  program: string;
  /** An empty folder of its own, on a real disk. */
  folder(): string;
}

export type Section = (scene: Scene) => Promise<void>;

export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'tokenkeep-torture-'));
}

/** Runs all tasks, `atOnce` at a time. */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, lane: number) => Promise<void>,
): Promise<void> {
  const rest = [...items];
  const lane = async (_: unknown, number: number): Promise<void> => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item, number);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}
