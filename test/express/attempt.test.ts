/** Cookies of sign-ins in progress: together they fit into the headers that servers and proxies accept. */
import { expect, it } from 'vitest';
import { InvalidArgumentError } from '../../src-main/errors.ts';
import { attemptFor, newAttempt, supersededAttempts } from '../../src-main/express/attempt.ts';

const PREFIX = 'tokenkeep-attempt-';

it('ten sign-ins with long paths need no more than 8 kB of cookies, and the latest are kept', () => {
  const cookies = new Map<string, string>([['other', 'x'.repeat(9000)]]);
  const states: string[] = [];
  for (let at = 0; at < 10; at += 1) {
    const { attempt, value } = newAttempt({ returnTo: `/${'p'.repeat(1000)}`, scopes: 'openid', at });
    for (const name of supersededAttempts(cookies, PREFIX, value.length)) cookies.delete(name);
    cookies.set(`${PREFIX}${attempt.state}`, value);
    states.push(attempt.state);
  }
  cookies.delete('other');
  const header = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  expect(header.length).toBeLessThan(6500);
  expect([...cookies.keys()]).toEqual(states.slice(-cookies.size).map((state) => PREFIX + state));
  expect(cookies.size).toBeGreaterThan(2);
});

it('a path that does not fit is left out, and scopes that do not fit are named', () => {
  const long = newAttempt({ returnTo: `/${'p'.repeat(1000)}`, scopes: 's'.repeat(1200), at: 1 });
  expect(attemptFor(long.attempt.state, long.value, 1)?.returnTo).toBe('/');
  for (const returnTo of ['/', '/a']) {
    const start = () => newAttempt({ returnTo, scopes: 's'.repeat(1600), at: 1 });
    expect(start).toThrow(InvalidArgumentError);
    expect(start).toThrow(expect.objectContaining({ field: 'scopes' }));
  }
});
