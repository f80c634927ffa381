import type { RedisCommands } from './redis.ts';
import { milliseconds, Script } from './redis-script.ts';
import type { PartitionLeases, StoreCall } from './store.ts';

/** A lease is a key of its own with the owner as its value: each call is one script on that key alone, in a cluster as well. */
export function redisLeases(
  commands: (call: StoreCall | undefined) => RedisCommands,
  prefix: string,
): PartitionLeases {
  const at = (key: string, name: string): string => `${prefix}${key}:lease:${name}`;
  return {
    take: async (key, { name, owner, ttl }, call) =>
      (await TAKE.run(commands(call), at(key, name), [owner, String(milliseconds(ttl))])) === 1,
    give: async (key, { name, owner }, call) => {
      await GIVE.run(commands(call), at(key, name), [owner]);
    },
  };
}

/** SET … NX, for an owner that has it already too: an answer that was lost is asked for again, and a lease is prolonged. */
const TAKE = new Script(`local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`);

const GIVE = new Script(`if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`);
