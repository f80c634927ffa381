/** A subscription that Redis refuses, such as to a user without the permission, leaves no connection. */
import { expect, it } from 'vitest';
import { redisInvalidation } from '../../src-main/partitions/stores/redis-store.ts';

const ignore = (): void => undefined;

it.each([
  ['of redis', 'destroy', ignore],
  [
    'of redis, which has ended by itself',
    'destroy',
    () => {
      throw new Error('closed');
    },
  ],
  ['of ioredis', 'disconnect', ignore],
] as const)('closes the connection %s', async (_name, close, closing) => {
  let closed = 0;
  const subscriber = {
    ...(close === 'destroy' ? { connect: () => Promise.resolve() } : {}),
    on: ignore,
    subscribe: () => Promise.reject(new Error('NOPERM')),
    [close]: () => {
      closed += 1;
      closing();
    },
  };
  const client = { publish: () => Promise.resolve(0), duplicate: () => subscriber };
  const invalidation = redisInvalidation({ client: client as never });
  await expect(invalidation.subscribe(ignore, ignore)).rejects.toThrow('NOPERM');
  expect(closed).toBe(1);
});
