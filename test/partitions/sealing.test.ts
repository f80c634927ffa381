import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../src-main/errors.ts';
import { memoryStore, parseSealingKeys, type SealingKeys } from '../../src-main/partitions/index.ts';
import { KeyRing } from '../../src-main/partitions/sealing-keys.ts';
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

it('an error about a sealing key says what is wrong with which key, and what to do', () => {
  const secret = randomBytes(32).toString('base64');
  const cases: [() => unknown, RegExp][] = [
    [() => parseSealingKeys(undefined as never), /parseSealingKeys got no text.*openssl rand -base64 32/],
    [() => parseSealingKeys('  \n'), /parseSealingKeys got no text.*openssl rand -base64 32/],
    [() => parseSealingKeys(secret), /Sealing key 1 is not written as `id:base64`.*openssl/],
    [() => parseSealingKeys(`a:${secret},b:${secret}!`), /Sealing key 2 is not written as `id:base64`/],
    [() => parseSealingKeys(`a:${secret},`), /Sealing key 2 is not written as `id:base64`/],
    [() => parseSealingKeys(`a b:${secret}`), /id has 1 to 32 of/],
    [() => parseSealingKeys(`a:${secret.slice(4)}`), /key a has 29 bytes instead of 32.*openssl/],
    // The output of `openssl rand -base64 32`, read from its file as bytes.
    [
      () => new KeyRing([{ id: 'a', key: Buffer.from(`${secret}\n`) }]),
      /key a has 45 bytes.*parseSealingKeys/,
    ],
    [() => new KeyRing([{ id: 'a', key: secret as never }]), /key a is string, and not 32 bytes.*openssl/],
    [() => new KeyRing([{ id: 'a', key: new Uint8Array(32) }]), /key a is not random.*openssl/],
    [() => new KeyRing([key('a'), key('a')]), /Two sealing keys are called a\. Give each its own id/],
    [() => new KeyRing([] as never), /There is no sealing key.*openssl/],
    [() => new KeyRing([key('a'), key('b')], 'c'), /sealWith names "c".*Name one of a, b/],
  ];
  for (const [wrong, message] of cases) {
    expect(wrong).toThrow(message);
    expect(wrong).toThrow(/Nothing was read or written\.$/);
    expect(wrong).not.toThrow(secret.slice(0, 12));
  }
});

it('the error about an entry says which key or setting would open it', async () => {
  const { store, partition, put, bytes } = await stored([key('2026-10')]);
  const messageWith = (sealingKeys: SealingKeys | 'plain-text') =>
    caches({ store, sealingKeys })
      .partition('a')
      .read(namesIn)
      .then(String, (error: unknown) => String(error));
  expect(await messageWith([key('2026-11')])).toMatch(
    /with the key 2026-10, which is not among the sealing keys/,
  );
  // Someone has replaced the key and kept its id.
  expect(await messageWith([key('2026-10')])).toMatch(/sealed with another key that was called 2026-10 too/);
  expect(await messageWith('plain-text')).toMatch(/is sealed.*pass the keys/);
  const unprintable = Buffer.from(bytes);
  unprintable.write('\u001b[2J', 6); // Nothing of an entry that someone has changed gets into a log.
  await put(unprintable);
  await expect(partition.read(namesIn)).rejects.toThrow(/with the key, which is not among/);
  const plain = await stored('plain-text');
  await expect(
    caches({ store: plain.store, sealingKeys: [key('a')] })
      .partition('a')
      .read(namesIn),
  ).rejects.toThrow(/is plain text.*set acceptPlainText/);
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
