// Not in npm run check: it derives keys from passphrases.
import { expect, test } from 'vitest';
import { scrypt } from '../../src-main/keychain/scrypt.ts';

test('four keys that are derived at the same time take the memory of one', async () => {
  const work = 17; // 128 MB
  const derive = (passphrase: string): Promise<Buffer> =>
    scrypt({ passphrase, salt: Buffer.alloc(16), work });
  const before = process.memoryUsage.rss();
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 5);
  const keys = await Promise.all(['a', 'b', 'c', 'a'].map(derive));
  clearInterval(watch);
  expect(most - before).toBeGreaterThan(100e6); // Memory was measured during a derivation.
  expect(most - before).toBeLessThan(2 * 134e6);
  expect(keys[0]).toEqual(keys[3]);
  expect(keys[0]).not.toEqual(keys[1]);
  expect(keys[0]).toHaveLength(32);
});

test('one that can’t be derived does not hold up the next', async () => {
  await expect(scrypt({ passphrase: 'a', salt: Buffer.alloc(16), work: 40 })).rejects.toThrow();
  expect(await scrypt({ passphrase: 'a', salt: Buffer.alloc(16), work: 10 })).toHaveLength(32);
});
