// FORMAT.md, "The history".
import { randomBytes } from 'node:crypto';

/** The offset at which a frame of a generation ends. */
export interface Point {
  generation: bigint;
  end: number;
}

/** A state that a vault's file had: the end of its last frame, and what was last written. */
export interface FileState extends Point {
  /** Tag of the frame that ends there. */
  tag: Buffer;
  /** The id of the writer of that frame. */
  writer: string;
}

/**
 * [Note: writers] The states that a file descends from. All states with one writer id form one line, so the last of them stands for those
 * before it: a state is part of the history if its writer's last one is not before it.
 */
export interface History {
  /** The last state of each writer, the earliest first. */
  readonly last: ReadonlyMap<string, Point>;
  /** Writers may be missing whose last state is this one or an earlier one. */
  readonly forgotten: Point;
  /** The highest generation of a damaged file of which only a part was recovered; 0: none. Programs may have read more of it. */
  readonly lostTo: bigint;
}

/** Before all states. */
export const NOWHERE: Point = { generation: 0n, end: 0 };

/** The history of a new file. */
export const NO_HISTORY: History = { last: new Map(), forgotten: NOWHERE, lostTo: 0n };

/** The largest number of writers in a history: 32 kB in a manifest. */
export const MAX_WRITERS = 1_000;

/** Returns the history of a file of which nothing is known up to this state. */
export function unknownUpTo({ generation, end }: Point): History {
  return { ...NO_HISTORY, forgotten: { generation, end } };
}

/** Returns false if the file of this history does not descend from this state. */
export function descendsFrom({ last, forgotten }: History, state: Point & { writer: string }): boolean {
  return !isFurther(state, last.get(state.writer) ?? forgotten);
}

/** Returns the history with states that were written later, in their order. */
export function withStates(history: History, states: Iterable<readonly [string, Point]>): History {
  const last = new Map(history.last);
  for (const [writer, { generation, end }] of states) {
    last.delete(writer); // The latest is at the end.
    last.set(writer, { generation, end });
  }
  let { forgotten } = history;
  for (const [writer, point] of last) {
    if (last.size <= MAX_WRITERS) break;
    last.delete(writer);
    if (isFurther(point, forgotten)) forgotten = point;
  }
  return { last, forgotten, lostTo: history.lostTo };
}

/**
 * Returns the history of a file that replaces others by the user's choice: it descends from the states of all of them, and from no others.
 * A program that has seen another state is told that the file is not a later one.
 *
 * @param histories of the replaced files; the first one is that of the contents that are kept
 * @param states further states that count as earlier ones
 */
export function joinedHistory(
  histories: readonly History[],
  states: readonly (Point & { writer: string })[],
): History {
  const own = states.map((state): [string, Point] => [state.writer, state]);
  const all = [...histories.flatMap(({ last }) => [...last]), ...own];
  all.sort(([, a], [, b]) => (isFurther(a, b) ? 1 : isFurther(b, a) ? -1 : 0));
  const forgotten = histories.reduce((most, one) => furthest(most, one.forgotten), NOWHERE);
  const lostTo = histories[0]?.lostTo ?? 0n;
  return withStates({ last: new Map(), forgotten, lostTo }, all);
}

function furthest(a: Point, b: Point): Point {
  return isFurther(a, b) ? a : b;
}

/** Returns whether `a` is further than `b`. */
export function isFurther(a: Point, b: Point): boolean {
  return a.generation === b.generation ? a.end > b.end : a.generation > b.generation;
}

/** The id under which one opening of a vault writes. [Note: writers] */
export class Writer {
  #id = newId();
  /** `null`: nothing was written under this id. */
  #last: Point | null = null;

  /**
   * Returns the id for the state that is written after this history. It is a new one unless the history ends this writer's line: the user
   * has taken another file, or the last write failed, and parts of it may have been seen.
   */
  next({ last }: History): string {
    const own = last.get(this.#id) ?? null;
    if (own?.generation !== this.#last?.generation || own?.end !== this.#last?.end) this.#id = newId();
    this.#last = UNFINISHED;
    return this.#id;
  }

  /** Call it after a state was written. */
  wrote({ generation, end }: Point): void {
    this.#last = { generation, end };
  }
}

const UNFINISHED: Point = { generation: 0n, end: -1 };

function newId(): string {
  return randomBytes(6).toString('base64');
}
