/** Two minutes of the MCP SDK's client in five processes on one vault, with tokens that live five seconds. */
import { expect, it } from 'vitest';
import { runAgents } from '../mcp/processes.ts';

const LIFETIME = 5;

/** The SDK gives up a request that is refused twice: on a slow machine, a token may expire between two attempts. */
const TWICE = /Server returned 401 after successful authentication/;
const SECONDS = 120;

it('five processes for two minutes: no refresh token twice, nobody signed out', async () => {
  const { said, counts, killed, left, refused } = await runAgents({
    processes: 5,
    seconds: SECONDS,
    kills: 6,
    lifetime: LIFETIME,
  });
  console.log(JSON.stringify({ served: said.map(({ served }) => served), counts, killed, refused }));
  expect(said.flatMap(({ errors }) => errors).filter((error) => !TWICE.test(error))).toEqual([]);
  expect(said.map(({ opened }) => opened)).toEqual([0, 0, 0, 0, 0]);
  expect(counts).toMatchObject({ reused: 0, refused: 0, signedIn: 0 });
  // One for each time that the token expired, and not one for each process.
  expect(counts.refreshed).toBeLessThan((SECONDS / LIFETIME) * 2);
  expect(left).toBe(1);
}, 400_000);
