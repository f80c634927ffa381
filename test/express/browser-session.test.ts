import { afterEach, expect, it, vi } from 'vitest';
import {
  destroyed,
  type ExpressSession,
  lifetimeOf,
  regenerated,
  saved,
} from '../../src-main/express/browser-session.ts';
import { lifetimeOf as partitionLifetime } from '../../src-main/partitions/lifetime.ts';

afterEach(() => vi.useRealTimers());

it.each([
  ['save', 'Nobody was signed in', (session: ExpressSession) => saved(session)],
  ['regenerate', 'Nobody was signed in', (session: ExpressSession) => regenerated({ session } as never)],
  ['destroy', 'tokens were removed', (session: ExpressSession) => destroyed(session)],
] as const)(
  'a session store that never answers ends the wait for %s after five seconds',
  async (method, told, call) => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const never = (): void => undefined;
    const session = { cookie: {}, regenerate: never, destroy: never, save: never };
    const waiting = call(session);
    const outcome = expect(waiting).rejects.toMatchObject({
      code: 'store_timeout',
      message: expect.stringMatching(new RegExp(`5 seconds \\(${method}\\).*${told}`)),
    });
    vi.advanceTimersByTime(5000);
    await outcome;
  },
);

it.each([
  [10 * 365 * 86_400_000, 315_360_000],
  [Infinity, 315_360_000],
  [NaN, 103_680],
  [1, 60],
])('a cookie with the maxAge %s gives a lifetime that a partition takes', (originalMaxAge, expected) => {
  const lifetime = lifetimeOf({ cookie: { originalMaxAge } } as ExpressSession);
  expect(lifetime).toBe(expected);
  expect(() => partitionLifetime({ sliding: lifetime })).not.toThrow();
});
