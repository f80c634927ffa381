import type { Random } from '../torture/random.ts';
import type { Score } from './score.ts';

/** The environment of a section of the campaign. */
export interface Scene {
  random: Random;
  score: Score;
  /** The form that is part of `npm test`: a sample of each kind, a few seconds. */
  short: boolean;
}

export type Section = (scene: Scene) => Promise<void>;

/** All of them, or a sample in the short form. */
export function chosen<T>({ short, random }: Scene, all: readonly T[], most: number): readonly T[] {
  return short ? random.sample(all, most) : all;
}

/** Runs all tasks, `atOnce` at a time. */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = [...items];
  const lane = async (): Promise<void> => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/** Resolves with the result of the work, or rejects after `milliseconds`. */
export async function inTime<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`It did not end within ${milliseconds} ms.`)), milliseconds);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
