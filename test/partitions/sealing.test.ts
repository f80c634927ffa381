import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../src-main/errors.ts';
import { memoryStore, parseSealingKeys, type SealingKeys } from '../../src-main/partitions/index.ts';
import { caches, namesIn, observed, signIn } from './people.ts';

const key = (id: string) => ({ id, key: randomBytes(32) });

async function stored(sealingKeys: SealingKeys | 'plain-text' = [key('k1')]) {
  const { store, inner, counts } = observed();
  const partition = caches({ store, sealingKeys }).partition('a');
  await partition.update((cache) => signIn(cache, 'noor'));
  const entry = (await inner.read(partition.key))!;
  const put = async (bytes: Uint8Array, at = partition.key): Promise<void> => {
    await inner.remove(at);
    await inner.write(at, { bytes, version: 'another-version!' }, { expected: null, ttl: null });
  };
  return { store, inner, counts, partition, bytes: Buffer.from(entry.bytes), put };
}

it('keys are read from a setting, and anything else is refused', () => {
  const [first, second] = [randomBytes(32), randomBytes(32)];
  const text = `new:${first.toString('base64')}, old:${second.toString('base64url')}`;
  expect(parseSealingKeys(text)).toEqual([
    { id: 'new', key: new Uint8Array(first) },
    { id: 'old', key: new Uint8Array(second) },
  ]);
  const secret = first.toString('base64');
  for (const wrong of [
    '',
    'x',
    secret,
    `a:${secret.slice(4)}`,
    `a:${secret},a:${secret}`,
    `a b:${secret}`,
    `a:${'A'.repeat(43)}=`,
  ]) {
    expect(() => parseSealingKeys(wrong)).toThrow(InvalidArgumentError);
    expect(() => parseSealingKeys(wrong)).not.toThrow(secret.slice(0, 12));
  }
});

describe('an entry that cannot be opened is reported, and not changed', () => {
  const cases: [string, string, (bytes: Buffer) => Buffer][] = [
    ['something else', 'partition_foreign', () => Buffer.from('{"a session":1}')],
    ['nothing at all', 'partition_foreign', () => Buffer.alloc(0)],
    [
      'of a newer version',
      'partition_newer',
      (bytes) => Buffer.concat([bytes.subarray(0, 3), Buffer.from([3]), bytes.subarray(4)]),
    ],
    ['cut off at the end', 'partition_damaged', (bytes) => bytes.subarray(0, -1)],
    ['cut off in the middle', 'partition_damaged', (bytes) => bytes.subarray(0, 30)],
    ['cut off in its head', 'partition_damaged', (bytes) => bytes.subarray(0, 4)],
    ['with a bit flipped', 'partition_damaged', (bytes) => flipped(bytes, bytes.length - 40)],
    ['with its tag changed', 'partition_damaged', (bytes) => flipped(bytes, bytes.length - 1)],
    ['with its nonce changed', 'partition_damaged', (bytes) => flipped(bytes, 9)],
    ['sealed with an unknown key', 'partition_unknown_key', (bytes) => flipped(bytes, 7)],
    ['not sealed', 'partition_plain_text', () => Buffer.from('TKP\u0001\u0000{}\n{"AccessToken":{}}')],
  ];

  it.each(cases)('%s: %s', async (_name, code, change) => {
    const { inner, counts, partition, bytes, put } = await stored();
    const changed = Buffer.from(change(bytes));
    await put(changed);
    counts.write = 0;
    await expect(partition.read(namesIn)).rejects.toMatchObject({ code, partition: partition.key });
    await expect(partition.update((cache) => signIn(cache, 'noor'))).rejects.toMatchObject({ code });
    await expect(partition.signOut('noor.utid')).rejects.toMatchObject({ code });
    expect(counts).toMatchObject({ write: 0, remove: 0 });
    expect(Buffer.from((await inner.read(partition.key))!.bytes).equals(changed)).toBe(true);
  });

  it('every single byte counts', async () => {
    const { partition, bytes, put } = await stored();
    for (let at = 0; at < bytes.length; at += at < 60 ? 1 : 97) {
      await put(flipped(bytes, at));
      await expect(partition.read(namesIn), `byte ${at}`).rejects.toMatchObject({ name: 'PartitionError' });
    }
  });

  it("another partition's entry", async () => {
    const keys: SealingKeys = [key('k1')];
    const { inner, bytes, put } = await stored(keys);
    const other = caches({ store: inner, sealingKeys: keys }).partition('b');
    await put(bytes, other.key);
    await expect(other.read(namesIn)).rejects.toMatchObject({ code: 'partition_damaged' });
  });

  it('plain text that is no document', async () => {
    const store = memoryStore();
    const partition = caches({ store, sealingKeys: 'plain-text' }).partition('a');
    for (const text of ['{}\n{"AccessToken":{', '{}', 'null\n{}', '{}\n[]']) {
      await store.remove(partition.key);
      const bytes = Buffer.concat([Buffer.from('TKP'), Buffer.from([1, 0]), Buffer.from(text)]);
      await store.write(partition.key, { bytes, version: 'v'.repeat(16) }, { expected: null, ttl: null });
      await expect(partition.read(namesIn)).rejects.toMatchObject({ code: 'partition_damaged' });
    }
  });
});

it('plain text is read and written where it is asked for, and a sealed entry is not overwritten by it', async () => {
  const plain = await stored('plain-text');
  expect(plain.bytes.toString()).toContain('refresh token of noor');
  expect(await plain.partition.read(namesIn)).toEqual(['noor@contoso.example']);
  const sealed = await stored();
  expect(sealed.bytes.toString('latin1')).not.toContain('noor');
  await plain.put(sealed.bytes);
  await expect(plain.partition.update((cache) => signIn(cache, 'noor'))).rejects.toMatchObject({
    code: 'partition_plain_text',
  });
});

it('two entries of one document have nothing in common', async () => {
  const keys: SealingKeys = [key('k1')];
  const [one, other] = [await stored(keys), await stored(keys)];
  const head = 5 + 1 + 2;
  expect(one.bytes.subarray(0, head).equals(other.bytes.subarray(0, head))).toBe(true);
  expect(one.bytes.subarray(head, head + 12).equals(other.bytes.subarray(head, head + 12))).toBe(false);
  expect(one.bytes.subarray(head + 12).equals(other.bytes.subarray(head + 12))).toBe(false);
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
