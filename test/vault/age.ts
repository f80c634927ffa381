/** The `age` program itself (Debian's package of that name), which reads its passphrase only from a terminal. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Runs it on a terminal of its own (util-linux' `script`), where the lines are typed. */
export function ageWith(
  args: readonly string[],
  typed: readonly string[],
): { status: number | null; said: string } {
  const command = ['age', ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const { status, stdout, error } = spawnSync('script', ['-qec', command, '/dev/null'], {
    input: typed.map((line) => `${line}\n`).join(''),
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  return { status, said: stdout };
}

/** Returns the decrypted text, or '' if it is told to write a file. */
export function age(args: readonly string[], typed: readonly string[]): string {
  const output = args.includes('--output') ? null : join(temporaryFolder(), 'decrypted');
  const { status, said } = ageWith(output === null ? args : ['--output', output, ...args], typed);
  if (status !== 0) throw new Error(`age ${args.join(' ')}: ${said}`);
  if (output === null) return '';
  const text = readFileSync(output, 'utf8');
  rmSync(output);
  return text;
}
