// FORMAT.md, "The history": which states a file descends from, however much was written since.
import { describe, expect, test } from 'vitest';
import {
  descendsFrom,
  type History,
  joinedHistory,
  MAX_WRITERS,
  NO_HISTORY,
  type Point,
  unknownUpTo,
  withStates,
  Writer,
} from '../../src-main/vault/format/history.ts';
import fc from '../support/fast-check.ts';

/** A state of a file, with the states that it was made from. */
interface State extends Point {
  writer: string;
  history: History;
  /** This state and all states that it descends from. */
  past: ReadonlySet<State>;
}

/** @param fails whether the write is reported as failed: others may have seen the state nevertheless, or parts of it */
function stateAfter(
  history: History,
  past: Iterable<State>,
  writer: Writer,
  point: Point,
  { fails = false } = {},
): State {
  const id = writer.next(history);
  if (!fails) writer.wrote(point);
  const all = new Set(past);
  const state = { ...point, writer: id, history: withStates(history, [[id, point]]), past: all };
  all.add(state);
  return state;
}

type Act = ['append' | 'rewrite' | 'take' | 'keep' | 'fail' | 'start', program: number, other: number];

/** What programs do with the files of several machines that have one key, in any order. */
function statesAfter(acts: readonly Act[]): State[] {
  const first = stateAfter(NO_HISTORY, [], new Writer(), { generation: 1n, end: 5_000 });
  const states = [first];
  const programs = Array.from({ length: 4 }, () => ({ writer: new Writer(), at: first }));
  for (const [act, program, other] of acts) {
    const own = programs[program % programs.length]!;
    const there = states[other % states.length]!;
    const { at, writer } = own;
    const next = { generation: at.generation + 1n, end: 4_800 + (other % 400) };
    if (act === 'append')
      own.at = stateAfter(at.history, at.past, writer, { ...at, end: at.end + 100 + other });
    else if (act === 'rewrite') own.at = stateAfter(at.history, at.past, writer, next);
    else if (act === 'take') own.at = there;
    else if (act === 'fail')
      states.push(
        stateAfter(at.history, at.past, writer, { ...at, end: at.end + 100 + other }, { fails: true }),
      );
    else if (act === 'start') programs[program % programs.length] = { writer: new Writer(), at: there };
    else {
      const furthest = at.generation > there.generation ? at.generation : there.generation;
      const joined = joinedHistory([at.history, there.history], []);
      const kept = { ...next, generation: furthest + 1n };
      own.at = stateAfter(joined, [...at.past, ...there.past], writer, kept);
    }
    const last = programs[program % programs.length]!.at;
    if (!states.includes(last)) states.push(last);
  }
  return states;
}

describe('a history', () => {
  test('has exactly the states that the file descends from, in all orders of forks, rewrites and choices', () => {
    const act = fc.tuple(
      fc.constantFrom<Act[0]>('append', 'append', 'rewrite', 'take', 'keep', 'fail', 'start'),
      fc.nat(3),
      fc.nat(300),
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const states = statesAfter(acts);
        for (const later of states)
          for (const one of states) expect(descendsFrom(later.history, one)).toBe(later.past.has(one));
      }),
    );
  });

  test('does not grow with the updates and rewrites of one program', () => {
    let history: History = NO_HISTORY;
    let point: Point = { generation: 1n, end: 5_000 };
    const writer = new Writer();
    for (let n = 0; n < 100; n += 1) {
      point =
        n % 3 === 0 ? { generation: point.generation + 1n, end: 5_000 } : { ...point, end: point.end + 100 };
      history = withStates(history, [[writer.next(history), point]]);
      writer.wrote(point);
    }
    expect(history.last.size).toBe(1);
  });

  test('forgets the earliest writers, and takes their states for its own from then on', () => {
    const all = Array.from({ length: MAX_WRITERS + 2 }, (_, n): [string, Point] => [
      `writer-${n}`,
      { generation: BigInt(n + 1), end: 5_000 },
    ]);
    const history = withStates(NO_HISTORY, all);
    expect(history.last.size).toBe(MAX_WRITERS);
    for (const [writer, point] of all) expect(descendsFrom(history, { ...point, writer })).toBe(true);
    expect(descendsFrom(history, { generation: 2n, end: 5_000, writer: 'another' })).toBe(true);
    expect(descendsFrom(history, { generation: 2n, end: 5_001, writer: 'another' })).toBe(false);
    expect(descendsFrom(history, { generation: 3n, end: 5_000, writer: 'another' })).toBe(false);
    const joined = joinedHistory(
      [history, withStates(NO_HISTORY, [['here', { generation: 9n, end: 1 }]])],
      [],
    );
    for (const [writer, point] of all) expect(descendsFrom(joined, { ...point, writer })).toBe(true);
  });

  test('that is unknown up to a state takes all earlier ones for its own', () => {
    const history = unknownUpTo({ generation: 4n, end: 0 });
    expect(descendsFrom(history, { generation: 3n, end: 9_000, writer: 'any' })).toBe(true);
    expect(descendsFrom(history, { generation: 4n, end: 5_000, writer: 'any' })).toBe(false);
  });
});
