import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { link, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { documentText } from '../../src-main/cache/document/document.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { testVault, tokenResponse } from '../../src-main/testing/index.ts';
import { adopt } from '../../src-main/vault/adopt.ts';
import { type EarlierDisk, earlierFile, earlierFileOn } from '../../src-main/vault/earlier-file.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import { bundle } from '../support/bundle.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** An earlier cache in a plain file. */
function plainFile(file: string, users: readonly string[]) {
  const cache = new SerializableTokenCache();
  for (const username of users) cache.add(tokenResponse({ username }));
  writeFileSync(file, cache.serialize());
  return {
    read: () => (existsSync(file) ? readFileSync(file, 'utf8') : null),
    remove: () => rmSync(file),
  };
}

async function open(...args: Parameters<typeof testVault>) {
  const scene = await testVault(...args);
  onTestFinished(scene.dispose);
  return { ...scene, old: join(dirname(scene.file), 'old.json') };
}

it('moves the sign-ins of an earlier cache, and the old copy is gone', async () => {
  const { vault, file, keychain, old } = await open({ users: ['ada@example.org'] });
  const report = await adopt(vault, plainFile(old, ['noor@example.org', 'ada@example.org']));
  expect(report).toMatchObject({ adopted: true, accountsAdded: 1 });
  expect(existsSync(old)).toBe(false);
  const again = await openVault({ file, keychain });
  expect(
    await again.read((cache) =>
      cache
        .accounts()
        .map(({ username }) => username)
        .sort(),
    ),
  ).toEqual(['ada@example.org', 'noor@example.org']);
  await again.close();
  expect(await adopt(vault, { read: () => null, remove: () => expect.unreachable() })).toMatchObject({
    adopted: false,
  });
  for (const name of readdirSync(dirname(file)))
    expect(readFileSync(join(dirname(file), name)).toString('latin1')).not.toMatch(/noor|refresh token/);
});

it('takes what is not understood as well, and the old copy is gone', async () => {
  const { vault, old } = await open({ users: ['ada@example.org'] });
  const cache = new SerializableTokenCache();
  cache.add(tokenResponse({ username: 'noor@example.org' }));
  const document = JSON.parse(cache.serialize()) as Record<string, Record<string, unknown>>;
  document['AccessToken']!['no token'] = { credential_type: 'AccessToken' };
  writeFileSync(old, JSON.stringify({ ...document, BrokerCache: { device: 'd' } }));
  const earlier = {
    read: () => (existsSync(old) ? readFileSync(old, 'utf8') : null),
    remove: () => rmSync(old),
  };
  expect(await adopt(vault, earlier)).toMatchObject({ adopted: true, accountsAdded: 1, notUnderstood: 2 });
  expect(existsSync(old)).toBe(false);
  expect(JSON.parse(await vault.read(documentText))).toMatchObject({
    AccessToken: { 'no token': { credential_type: 'AccessToken' } },
    BrokerCache: { device: 'd' },
  });
});

it('takes token responses of an app with a format of its own, and bytes', async () => {
  const { vault } = await open({ users: [] });
  let kept: unknown = [tokenResponse({ username: 'noor@example.org' })];
  const remove = (): void => void (kept = null);
  await adopt(vault, { read: () => kept as never, remove });
  const cache = new SerializableTokenCache();
  cache.add(tokenResponse({ username: 'ben@example.org' }));
  kept = Buffer.from(cache.serialize());
  await adopt(vault, { read: () => kept as never, remove });
  expect(await vault.read((now) => now.accounts().length)).toBe(2);
  expect(kept).toBeNull();
});

it.each(['locked', 'no-keychain', 'key-missing', 'damaged', 'read-only', 'newer', 'copy', 'older'] as const)(
  'in state %s nothing is moved, and the old copy stays',
  async (state) => {
    for (const unprotected of ['refuse', 'memory'] as const) {
      const { vault, old } = await open({ state, unprotected });
      await expect(adopt(vault, plainFile(old, ['noor@example.org']))).rejects.toMatchObject({
        code: expect.stringMatching(/^vault_/),
        ...(unprotected === 'memory' && {
          message: expect.stringContaining('so that cache was not removed') as string,
        }),
      });
      expect(existsSync(old)).toBe(true);
    }
  },
);

it('an old copy that is not understood, or can’t be removed, stays', async () => {
  const { vault, old } = await open();
  writeFileSync(old, '{ "half": ');
  const earlier = { read: () => readFileSync(old, 'utf8'), remove: () => expect.unreachable() };
  await expect(adopt(vault, earlier)).rejects.toMatchObject({ code: 'document_not_json' });
  expect(existsSync(old)).toBe(true);
  const { read } = plainFile(old, ['noor@example.org']);
  await expect(adopt(vault, { read, remove: () => undefined })).rejects.toMatchObject({
    code: 'storage_failed',
  });
  await expect(adopt(vault, { read, remove: 'x' } as never)).rejects.toMatchObject({ field: 'remove' });
});

it.each([String, (text: string) => Buffer.from(text)])(
  'an old copy with two fields of one name stays, because one of them would be lost',
  async (as) => {
    const { vault } = await open({ users: ['ada'] });
    const token = (secret: string) =>
      `"k": {"home_account_id":"noor","environment":"id.example","credential_type":"RefreshToken","client_id":"app","secret":"${secret}"}`;
    const earlier = {
      read: () => as(`{"RefreshToken": {${token('rt-1')}, ${token('rt-2')}}}`),
      remove: () => expect.unreachable(),
    };
    await expect(adopt(vault, earlier)).rejects.toMatchObject({
      code: 'document_not_a_cache',
      message: expect.stringContaining('two fields of the same name') as string,
    });
    expect(await vault.read((cache) => cache.find('RefreshToken').map(({ secret }) => secret))).not.toContain(
      'rt-2',
    );
  },
);

it('changes that an older version of the app writes meanwhile are merged as well', async () => {
  const { vault, old } = await open({ users: [] });
  const { read, remove } = plainFile(old, ['noor@example.org']);
  let reads = 0;
  await adopt(vault, {
    read: () => {
      reads += 1;
      if (reads === 2) plainFile(old, ['noor@example.org', 'ben@example.org']);
      return read();
    },
    remove,
  });
  expect(await vault.read((cache) => cache.accounts().length)).toBe(2);
  expect(existsSync(old)).toBe(false);
});

describe('an earlier cache in a file', () => {
  /** Calls `before` ahead of each call, with its number. */
  function watched(before: (nth: number) => void): EarlierDisk {
    let nth = 0;
    const ahead =
      <Words extends unknown[], T>(call: (...words: Words) => Promise<T>) =>
      async (...words: Words): Promise<T> => {
        before((nth += 1));
        return call(...words);
      };
    const read = (file: string): Promise<Buffer | null> =>
      Promise.resolve(existsSync(file) ? readFileSync(file) : null);
    return { read: ahead(read), rename: ahead(rename), link: ahead(link), unlink: ahead(unlink) };
  }

  const textOf = (users: readonly string[]): string => {
    const cache = new SerializableTokenCache();
    for (const username of users) cache.add(tokenResponse({ username }));
    return cache.serialize();
  };

  /** How an older version of the app may write its file. */
  const WAYS: [way: string, write: (file: string, text: string) => void][] = [
    ['in place', (file, text) => writeFileSync(file, text)],
    [
      'by a rename',
      (file, text) => {
        writeFileSync(`${file}.tmp`, text);
        renameSync(`${file}.tmp`, file);
      },
    ],
    [
      'after it deleted the old one',
      (file, text) => {
        rmSync(file, { force: true });
        writeFileSync(file, text);
      },
    ],
  ];

  it.each(WAYS)('an older version that writes %s before any call loses nothing', async (_way, write) => {
    let at = 0;
    for (let reached = [at]; reached.length > 0; ) {
      at += 1;
      reached = [];
      const { vault, old } = await open({ users: [] });
      plainFile(old, ['noor@example.org']);
      const disk = watched((nth) => {
        if (nth !== at) return;
        reached.push(at);
        write(old, textOf(['ben@example.org', 'noor@example.org']));
      });
      await adopt(vault, earlierFileOn(disk, old));
      await adopt(vault, earlierFile(old)); // What was written after the last look is moved at the next start.
      const accounts = await vault.read((cache) => cache.accounts().length);
      expect([at, accounts]).toEqual([at, reached.length > 0 ? 2 : 1]);
      expect(readdirSync(dirname(old)).filter((name) => name.startsWith('old'))).toEqual([]);
      await vault.close();
    }
    expect(at).toBeGreaterThan(8);
  });

  it('that an older version changed is put back under its name', async () => {
    const { vault, old } = await open({ users: [] });
    plainFile(old, ['noor@example.org']);
    let wasPutBack = false;
    const disk = watched(() => undefined);
    const earlier = earlierFileOn(
      {
        ...disk,
        rename: (from, to) => {
          if (!wasPutBack) writeFileSync(old, textOf(['ben@example.org']));
          return disk.rename(from, to);
        },
        unlink: async (file) => {
          await disk.unlink(file);
          wasPutBack ||= existsSync(old);
        },
      },
      old,
    );
    expect(await adopt(vault, earlier)).toMatchObject({ adopted: true, accountsAdded: 2 });
    expect(wasPutBack).toBe(true);
    expect(existsSync(old)).toBe(false);
  });

  it('is moved at the next start if any call fails or the process ends there, also if there is a new one by then', async () => {
    let at = 0;
    for (let reached = [at]; reached.length > 0; ) {
      at += 1;
      reached = [];
      const { vault, old } = await open({ users: [] });
      plainFile(old, ['noor@example.org']);
      const changed: string[] = [];
      const disk = watched((nth) => {
        if (nth === 5) {
          changed.push('ben@example.org');
          writeFileSync(old, textOf(changed)); // It has to be put back.
        }
        if (nth === at) reached.push(at);
        if (nth >= at) throw new Error('the process has ended');
      });
      await adopt(vault, earlierFileOn(disk, old)).catch(() => undefined);
      if (at % 2 === 0) writeFileSync(old, textOf(['cas@example.org', 'noor@example.org']));
      await adopt(vault, earlierFile(old));
      const users = await vault.read((cache) => cache.accounts().map(({ username }) => username));
      expect([at, users]).toEqual([at, expect.arrayContaining(['noor@example.org'])]);
      if (at % 2 === 0) expect(users).toContain('cas@example.org');
      else expect(users).toEqual(expect.arrayContaining(changed));
      expect(readdirSync(dirname(old)).filter((name) => name.startsWith('old'))).toEqual([]);
      await vault.close();
    }
    expect(at).toBeGreaterThan(8);
  });

  it('behind a link is removed itself, and decoded first', async () => {
    const { vault, old } = await open({ users: [] });
    const linked = join(dirname(old), 'link.json');
    writeFileSync(old, Buffer.from(textOf(['noor@example.org'])).toString('base64'));
    symlinkSync('old.json', linked);
    const decode = (bytes: Buffer): Buffer => Buffer.from(bytes.toString(), 'base64');
    expect(await adopt(vault, earlierFile(linked, { decode }))).toMatchObject({ accountsAdded: 1 });
    expect(existsSync(old)).toBe(false);
    expect(await adopt(vault, earlierFile(linked, { decode }))).toMatchObject({ adopted: false });
  });

  it('that is a folder or a pipe is named, and stays', async () => {
    const { vault, old } = await open({ users: [] });
    mkdirSync(old);
    await expect(adopt(vault, earlierFile(old))).rejects.toMatchObject({ code: 'document_unreadable' });
    if (process.platform !== 'win32') {
      rmSync(old, { recursive: true });
      execFileSync('mkfifo', [old]);
      await expect(adopt(vault, earlierFile(old))).rejects.toMatchObject({ code: 'document_unreadable' });
    }
    expect(existsSync(old)).toBe(true);
    expect(() => earlierFile('old.json')).toThrow(/absolute/);
  });
});

it('what is written back at once after the removal is moved as well', async () => {
  const { vault, old } = await open({ users: [] });
  const { read, remove } = plainFile(old, ['noor@example.org']);
  let removed = 0;
  await adopt(vault, {
    read,
    remove: () => {
      remove();
      removed += 1;
      if (removed === 1) plainFile(old, ['ben@example.org']);
    },
  });
  expect(await vault.read((cache) => cache.accounts().length)).toBe(2);
  expect(existsSync(old)).toBe(false);
});

it('programs that start at once move it once', async () => {
  const { vault, file, keychain, old } = await open({ users: [] });
  const others = await Promise.all([1, 2, 3].map(() => openVault({ file, keychain })));
  const earlier = plainFile(old, ['noor@example.org']);
  let removed = 0;
  const remove = (): void => {
    removed += 1;
    earlier.remove();
  };
  const reports = await Promise.all(
    [vault, ...others].map((one) => adopt(one, { read: earlier.read, remove })),
  );
  expect(reports.filter(({ adopted }) => adopted)).toHaveLength(1);
  expect(removed).toBe(1);
  for (const one of others) await one.close();
});

it('killed at any step, the sign-ins are in the old copy or in the vault, and the next start finishes', async () => {
  const program = await bundle(join(import.meta.dirname, 'adopt-program.ts'));
  onTestFinished(() => rmSync(dirname(program), { recursive: true }));
  const killedAt = async (step: string): Promise<void> => {
    const folder = temporaryFolder();
    const [old = '', file = '', keys = ''] = ['old.json', 'a.vault', 'keys'].map((name) =>
      join(folder, name),
    );
    plainFile(old, ['noor@example.org', 'ben@example.org']);
    const start = async (...words: string[]): Promise<[line: string, signal: string | null]> => {
      const child = spawn(process.execPath, [program, old, file, keys, ...words], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      child.stdin.end('now\n');
      const ended = new Promise<string | null>((resolve) =>
        child.once('close', (_code, signal) => resolve(signal)),
      );
      let text = '';
      for await (const chunk of child.stdout) text += String(chunk);
      return [text.trim().split('\n').at(-1) ?? '', await ended];
    };
    expect([step, ...(await start(step))]).toEqual([step, 'ready', 'SIGKILL']);
    const isGone = ['after remove', 'read 3'].includes(step);
    expect([step, existsSync(old)]).toEqual([step, !isGone]);
    const [line, signal] = await start();
    expect([step, signal, JSON.parse(line)]).toMatchObject([step, null, { adopted: !isGone, accounts: 2 }]);
    expect([step, existsSync(old)]).toEqual([step, false]);
  };
  await Promise.all(['read 1', 'read 2', 'before remove', 'after remove', 'read 3'].map(killedAt));
}, 60_000);

it('four processes that start at once move it once, and each gets the accounts', async () => {
  const [folder, program] = [temporaryFolder(), await bundle(join(import.meta.dirname, 'adopt-program.ts'))];
  onTestFinished(() => rmSync(dirname(program), { recursive: true }));
  const [old, file, keys] = ['old.json', 'a.vault', 'keys'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  plainFile(old, ['noor@example.org', 'ben@example.org']);
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, [program, old, file, keys], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const lines = children.map(({ stdout }) => createInterface({ input: stdout })[Symbol.asyncIterator]());
  for (const line of lines) expect((await line.next()).value).toBe('ready');
  for (const { stdin } of children) stdin.write('now\n');
  const said: Record<string, unknown>[] = [];
  for (const line of lines) said.push(JSON.parse(String((await line.next()).value)));
  const mover = { adopted: true, accountsAdded: 2, removed: 1, accounts: 2 };
  const other = { adopted: false, accountsAdded: 0, removed: 0, accounts: 2 };
  expect(said.toSorted((a, b) => Number(b['removed']) - Number(a['removed']))).toEqual([
    mover,
    other,
    other,
    other,
  ]);
  expect(existsSync(old)).toBe(false);
}, 60_000);
