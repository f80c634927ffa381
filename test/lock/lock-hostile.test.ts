import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FileLock } from '../../src-main/lock/file-lock.ts';
import { bundle } from '../support/bundle.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

// Places and file systems in which a lock can't be had: each has a code of its own, and none stops the main thread.

describe('what is no lock file', () => {
  const make: Readonly<Record<string, (path: string, folder: string) => void>> = {
    'a link to a file': (path, folder) => {
      writeFileSync(join(folder, 'elsewhere'), 'kept');
      symlinkSync(join(folder, 'elsewhere'), path);
    },
    'a link to nothing': (path, folder) => symlinkSync(join(folder, 'nothing'), path),
    'a link to itself': (path) => symlinkSync(path, path),
    'a folder': (path) => mkdirSync(path),
    'a pipe': (path) => void execFileSync('mkfifo', [path]),
    'a device': (path) => symlinkSync('/dev/null', path),
  };
  test.each(
    Object.keys(make).flatMap((what) => [
      [what, 'lock'],
      [what, 'lock-queue'],
    ]),
  )('%s as “%s” is refused, named, and not followed', async (what, name) => {
    const folder = temporaryFolder();
    make[what]?.(join(folder, name), folder);
    const lock = new FileLock(join(folder, 'lock'), { deadline: 2000 });
    await expect(lock.hold(() => Promise.resolve())).rejects.toMatchObject({
      code: 'lock_file_invalid',
      path: join(folder, name),
      message: expect.stringContaining(`“${join(folder, name)}” should be the vault’s lock file`),
    });
    expect(existsSync(join(folder, 'nothing'))).toBe(false);
    if (what === 'a link to a file') expect(readFileSync(join(folder, 'elsewhere'), 'utf8')).toBe('kept');
    rmSync(join(folder, name), { recursive: true });
    await expect(lock.hold(() => Promise.resolve('held'))).resolves.toBe('held');
    await lock.close();
  });

  // Root may open everything.
  test.skipIf(process.getuid?.() === 0)('a lock file that this user may not write: it is named', async () => {
    const file = join(temporaryFolder(), 'lock');
    writeFileSync(file, '');
    chmodSync(file, 0o400);
    const lock = new FileLock(file, { deadline: 2000 });
    await expect(lock.hold(() => Promise.resolve())).rejects.toMatchObject({
      code: 'no_permission',
      message: expect.stringContaining(`lock file “${file}”`),
    });
    await lock.close();
  });

  test('a folder that is not there: what the system says, with the path', async () => {
    const file = join(temporaryFolder(), 'missing', 'lock');
    const lock = new FileLock(file, { deadline: 2000 });
    await expect(lock.hold(() => Promise.resolve())).rejects.toMatchObject({ code: 'ENOENT' });
    await lock.close();
  });
});

describe('a file system whose locks', () => {
  let program: string;
  let preload: string;
  beforeAll(async () => {
    program = await bundle(join(import.meta.dirname, 'program.ts'));
    preload = join(dirname(program), 'stubborn-locks.so');
    execFileSync('cc', [
      '-shared',
      '-fPIC',
      '-o',
      preload,
      join(import.meta.dirname, 'stubborn-locks.c'),
      '-ldl',
    ]);
  });
  afterAll(() => rmSync(dirname(program), { recursive: true, force: true }));

  interface Said {
    file: string;
    code: string;
    message: string;
    path: string;
    took: number;
    longestStop: number;
    /** Milliseconds between two looks at the clock, one right after the other. */
    clock: number;
  }

  async function run(deadline: number, rounds: string[], main = program, env = {}): Promise<Said[]> {
    const child = spawn(process.execPath, [main, String(deadline), ...rounds], {
      env: { ...process.env, LD_PRELOAD: preload, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (text: Buffer) => (said += text.toString()));
    await once(child, 'close'); // It ends by itself, although a thread of it hangs.
    return said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Said);
  }

  test.each([
    ['ENOLCK', 37],
    ['ENOTSUP', 95],
    ['ENOSYS', 38],
    ['EINVAL', 22],
    ['EPERM', 1],
  ])('are refused with %s: unsupported, with the path (failure 23a)', async (name, number) => {
    const file = join(temporaryFolder(), `errno-${number}.lock`);
    const [first] = await run(20_000, [file]);
    expect(first).toMatchObject({ code: 'lock_unsupported', path: `${file}-queue` });
    expect(first?.message).toContain(name);
    expect(first?.took).toBeLessThan(10_000); // at once, and not at the deadline
  });

  test('are files without links, as some file systems say: they are locked like any other', async () => {
    const folder = temporaryFolder();
    const unlinked = join(folder, 'unlinked.cjs');
    // The thread of the locks loads nothing in advance, so its script is changed.
    writeFileSync(
      unlinked,
      `const threads = require('node:worker_threads');
       const change = "{ const fs = require('node:fs'), { fstatSync } = fs; " +
         "fs.fstatSync = (...given) => Object.assign(fstatSync(...given), { nlink: 0 }); }";
       threads.Worker = class extends threads.Worker {
         constructor(script, options) {
           super(options.eval ? change + script : script, options);
         }
       };
       require('node:module').syncBuiltinESMExports();`,
    );
    const file = join(folder, 'vault.lock');
    const said = await run(5000, [file, file], program, { NODE_OPTIONS: `--require ${unlinked}` });
    expect(said.slice(0, -1).map(({ code }) => code)).toEqual(['held', 'held']);
  });

  test('fail for now: what the system says', async () => {
    const [first] = await run(1000, [join(temporaryFolder(), 'errno-5.lock')]);
    expect(first).toMatchObject({ code: 'EIO' });
  });

  test.each([
    ['EROFS', 30],
    ['ENOSPC', 28],
    ['EDQUOT', 122],
    ['EIO', 5],
  ])(
    'can’t be opened because of %s: what the system says, with the path, and the next try succeeds',
    async (name, number) => {
      const file = join(temporaryFolder(), `opening-${number}.lock`);
      const said = await run(20_000, [file, file]);
      expect(said[0]).toMatchObject({ code: name, path: `${file}-queue` });
      expect(said[1]).toMatchObject({ code: 'held' });
    },
  );

  test('never answer, while the clock jumps: the deadline holds, and other locks can be had', async () => {
    const folder = temporaryFolder();
    const [hangs, fine] = [join(folder, 'hang.lock'), join(folder, 'fine.lock')];
    const said = await run(2500, [fine, hangs, fine], program, { CLOCK_JUMPS: '1' });
    expect(said.slice(0, -1).map(({ code }) => code)).toEqual(['held', 'lock_timeout', 'held']);
    expect(said[1]?.took).toBeGreaterThanOrEqual(2500);
    expect(said.at(-1)?.clock).toBeGreaterThan(3_600_000);
  });

  test('never answer: an error at the deadline, the main thread goes on, other locks can be taken meanwhile and after', async () => {
    const folder = temporaryFolder();
    const [hangs, fine] = [join(folder, 'hang.lock'), join(folder, 'fine.lock')];
    const said = await run(2500, [fine, `${hangs}+${fine}`, hangs, fine]);
    expect(said.slice(0, -1).map(({ file, code }) => [file === fine ? 'fine' : 'hangs', code])).toEqual([
      ['fine', 'held'],
      ['fine', 'held'],
      ['hangs', 'lock_timeout'],
      ['hangs', 'lock_timeout'],
      ['fine', 'held'],
    ]);
    const [, beside, hung, again] = said;
    expect(beside?.took).toBeLessThan(hung!.took);
    expect(hung?.message).toContain(`did not answer within 2.5 s when the vault’s lock file “${hangs}”`);
    expect(again?.took).toBeLessThan(hung!.took / 4); // Asking again neither waits nor takes another thread.
    expect(said.at(-1)?.longestStop).toBeLessThan(2000);
  });

  test('answer late: the lock that came too late is let go of, and others can have it', async () => {
    const folder = temporaryFolder();
    const slow = join(folder, 'slow.lock');
    // By another path it is another open file, so it would find the lock held.
    // On a busy machine a lock that is free may take longer than the deadline, too.
    const rounds = [slow, slow, 'wait 6500', `until-held ${folder}/./slow.lock`];
    const [first, meanwhile, ...later] = await run(900, rounds);
    expect(first).toMatchObject({ code: 'lock_timeout' });
    expect(meanwhile).toMatchObject({
      code: 'lock_timeout',
      message: expect.stringContaining('still does not answer'),
    });
    expect(later.at(-2)).toMatchObject({ code: 'held' }); // then the longest stop
  });

  test('many that hang: each ends with an error in time', async () => {
    const folder = temporaryFolder();
    const files = Array.from({ length: 7 }, (_, index) => join(folder, `hang-${index}.lock`));
    const said = await run(2500, [files.join('+')]);
    expect(said.slice(0, -1).map(({ code }) => code)).toEqual(files.map(() => 'lock_timeout'));
    // Waiting for one after the other takes 17.5 s.
    for (const { took } of said.slice(0, -1)) expect(took).toBeLessThan(10_000);
    expect(said.at(-1)?.longestStop).toBeLessThan(2000);
  });

  describe('need a native module that', () => {
    /** The program in a folder of its own, with the packages of the lock library beside it. */
    function installed(): { main: string; library: string } {
      const folder = join(temporaryFolder(), 'app');
      const modules = join(import.meta.dirname, '..', '..', 'node_modules');
      const names = ['fs-native-extensions', 'require-addon', 'which-runtime', 'bare-addon-resolve'];
      for (const name of [...names, 'bare-module-resolve', 'bare-semver']) {
        cpSync(join(modules, name), join(folder, 'node_modules', name), { recursive: true });
      }
      cpSync(program, join(folder, 'main.mjs'));
      return {
        main: join(folder, 'main.mjs'),
        library: join(folder, 'node_modules', 'fs-native-extensions'),
      };
    }
    const prebuilds = (library: string) => join(library, 'prebuilds', `${process.platform}-${process.arch}`);

    test('is not there: a code of its own that says which and what to do', async () => {
      const { main, library } = installed();
      rmSync(library, { recursive: true });
      const [first] = await run(500, [join(temporaryFolder(), 'lock')], main);
      expect(first).toMatchObject({ code: 'lock_module_missing' });
      expect(first?.message).toMatch(/fs-native-extensions.*external in your bundler/);
    });

    test('has no binary for this platform', async () => {
      const { main, library } = installed();
      rmSync(prebuilds(library), { recursive: true });
      const [first] = await run(500, [join(temporaryFolder(), 'lock')], main);
      expect(first).toMatchObject({ code: 'lock_module_failed' });
      expect(first?.message).toMatch(/fs-native-extensions.*Restart to finish the update, if/);
    });

    test('is damaged', async () => {
      const { main, library } = installed();
      writeFileSync(join(prebuilds(library), 'fs-native-extensions.node'), 'no binary');
      const [first] = await run(500, [join(temporaryFolder(), 'lock')], main);
      expect(first).toMatchObject({ code: 'lock_module_failed' });
      expect(first?.message).toMatch(/The system says: “.*(invalid ELF|too short)/);
    });

    test.each(['removed', 'replaced'])(
      'is %s after the program has started, as an upgrade in place does it: locks go on',
      async (what) => {
        const { main, library } = installed();
        const lock = join(temporaryFolder(), 'lock');
        const next = join(temporaryFolder(), 'next');
        mkdirSync(join(next, 'prebuilds'), { recursive: true });
        const away = [`loaded ${lock}`, `rename ${library} ${library}-old`];
        const steps = what === 'replaced' ? [...away, `rename ${next} ${library}`] : away;
        const [first] = await run(20_000, [...steps, lock], main);
        expect(first).toMatchObject({ code: 'held' });
      },
    );

    test('is away at the first try and there again at the second, without a restart', async () => {
      const { main, library } = installed();
      const lock = join(temporaryFolder(), 'lock');
      const steps = [`rename ${library} ${library}-old`, lock, `rename ${library}-old ${library}`, lock];
      const said = await run(20_000, steps, main);
      expect(said.slice(0, 2)).toMatchObject([{ code: 'lock_module_missing' }, { code: 'held' }]);
    });

    test('ends the process under Deno, so it is not loaded there, and the error says so', async () => {
      const { main, library } = installed();
      const [asDeno, lock] = [join(dirname(main), 'deno.mjs'), join(temporaryFolder(), 'lock')];
      const versions = '{ value: { ...process.versions, deno: "2.9.6" } }';
      writeFileSync(
        asDeno,
        `Object.defineProperty(process, 'versions', ${versions});\nawait import('./main.mjs');\n`,
      );
      // What would be loaded ends the process.
      writeFileSync(join(library, 'index.js'), 'process.exit(70)\n');
      const [first] = await run(500, [lock], asDeno);
      expect(first).toMatchObject({ code: 'lock_module_failed' });
      expect(first?.message).toMatch(/Deno.*Nothing was written.*with Node\.js\./);
    });
  });
});
