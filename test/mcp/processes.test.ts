import { expect, it } from 'vitest';
import { runAgents } from './processes.ts';

it('three processes and one that is killed while it refreshes: everyone is served, nobody is signed out', async () => {
  const { said, counts, left } = await runAgents({ processes: 3, seconds: 4, kills: 1, lifetime: 2 });
  expect(said.flatMap(({ errors }) => errors)).toEqual([]);
  expect(said.map(({ authorized, opened }) => [authorized, opened])).toEqual(Array(3).fill([1, 0]));
  for (const { served } of said) expect(served).toBeGreaterThan(0);
  expect(counts).toMatchObject({ reused: 0, refused: 0, signedIn: 0 });
  expect(counts.refreshed).toBeGreaterThan(0);
  expect(left).toBe(1);
  // Four programs that compete for the processor: 6 s alone, 20 s on two busy cores.
}, 240_000);
