import { expect, it, vi } from 'vitest';
import { kept } from '../../src-renderer/state/kept.ts';

it('computes once for each list, and again after another argument has changed', () => {
  const compute = vi.fn((list: readonly number[], by: number) => list.map((value) => value * by));
  const times = kept(compute);
  const [one, other] = [[1, 2], [3]];
  const first = times(one, 2);
  expect(first).toEqual([2, 4]);
  expect(times(other, 2)).toEqual([6]);
  expect(times(one, 2)).toBe(first);
  expect(compute).toHaveBeenCalledTimes(2);
  expect(times(one, 3)).toEqual([3, 6]);
  expect(times([1, 2], 3)).toEqual([3, 6]);
  expect(compute).toHaveBeenCalledTimes(4);
});
