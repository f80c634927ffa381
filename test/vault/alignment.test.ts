// Not in npm run check: it writes thousands of frames.
import { expect, test } from 'vitest';
import { openFile } from '../../src-main/vault/open.ts';
import { FakeDisk, placeOf } from './disk.ts';
import { FakeKeychain, Scene } from './fakes.ts';
import { signIn, usersIn } from './people.ts';

const SECTOR = 512;

/** The same keys, as before the frame was acknowledged. */
function unmarked(keychain: FakeKeychain): FakeKeychain {
  const other = new FakeKeychain();
  for (const [account, text] of keychain.items) {
    const { key }: { key: string } = JSON.parse(text);
    other.items.set(account, JSON.stringify({ key }));
  }
  return other;
}

test('a frame that lacks any one sector after a power cut, at any length, counts as not written (failure 10)', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => signIn(cache, 'ada'));
  let seen = 0;
  // Each as much longer than the last one as it takes to come by every place in a sector.
  for (let n = 0; n < 130; n += 1) {
    const before = scene.bytes.length;
    const users = await vault.read(usersIn);
    await vault.update((cache) => signIn(cache, 'ben', 'x'.repeat(n)));
    const after = Buffer.from(scene.bytes);
    if (after.length <= before) continue; // The file was compacted.
    for (let from = before; from < after.length; from = (Math.floor(from / SECTOR) + 1) * SECTOR) {
      const torn = Buffer.from(after).fill(
        0,
        from,
        Math.min((Math.floor(from / SECTOR) + 1) * SECTOR, after.length),
      );
      const disk = new FakeDisk();
      disk.put('/v', torn);
      const opening = await openFile(placeOf(disk, '/v', unmarked(scene.keychain)));
      expect(opening.state, `frame at ${before}, sector at ${from}`).toBe('ready');
      expect(usersIn(opening.contents!.cache)).toEqual(users);
      seen += 1;
    }
  }
  expect(seen).toBeGreaterThan(300);
});

test('every end is on the border of a sector or well away from it, and rewriting does not make a file grow', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  const lengths = new Set<number>();
  for (let n = 0; n < 40; n += 1) {
    await vault.update((cache) => signIn(cache, 'ada', 'x'.repeat(n % 20)));
    const over = scene.bytes.length % SECTOR;
    expect(over === 0 || (over >= 8 && over <= SECTOR - 8), `ends at ${scene.bytes.length}`).toBe(true);
  }
  for (let n = 0; n < 60; n += 1) {
    await vault.compact();
    // By then the generation has as many digits as the next ones.
    if (n >= 45) lengths.add(scene.bytes.length);
  }
  expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThan(8);
});
