/**
 * The Data Protection API of Windows (`CryptProtectData`), for the current user. Windows PowerShell, which every Windows has, calls it
 * through .NET, so no native module is needed. Data goes through pipes, never through arguments or files.
 */
import { spawn } from 'node:child_process';
import { win32 } from 'node:path';

/**
 * Encrypts and decrypts bytes for the current user of Windows.
 *
 * @example
 * import type { Dpapi, SecretReaders } from 'tokenkeep/sources';
 *
 * // For programs that can call the Data Protection API themselves, such as through a native module.
 * export const secretsWith = (dpapi: Dpapi): SecretReaders => ({ dpapi: () => dpapi });
 */
export interface Dpapi {
  /** Rejects if another user or computer encrypted the bytes, or if they are damaged. */
  unprotect(bytes: Uint8Array): Promise<Buffer>;
  /** Encrypts bytes so that only the same user of the same computer can decrypt them. */
  protect(bytes: Uint8Array): Promise<Buffer>;
}

/** Runs a program with text as its standard input, and resolves with its standard output. Rejects if it fails. */
export type RunProgram = (file: string, args: readonly string[], input: string) => Promise<string>;

/** Milliseconds after which PowerShell is ended. It starts within a second. */
const DEADLINE = 30_000;

/**
 * @param env `SystemRoot` is where Windows is installed; default: `C:\Windows`
 * @returns null on systems other than Windows
 */
export function windowsDpapi(
  platform: NodeJS.Platform = process.platform,
  // eslint-disable-next-line no-restricted-syntax -- the environment names the folder of Windows
  env: Readonly<Record<string, string | undefined>> = process.env,
  runProgram: RunProgram = run,
): Dpapi | null {
  if (platform !== 'win32') return null;
  // By its full path: a program of that name in the working directory must not get the bytes.
  const root = env['SystemRoot'] ?? 'C:\\Windows';
  const powershell = win32.join(root, 'System32', 'WindowsPowerShell', 'v1.0', 'powershell.exe');
  const call = async (name: 'Protect' | 'Unprotect', bytes: Uint8Array): Promise<Buffer> => {
    const script = [
      `$ErrorActionPreference = 'Stop'`,
      `Add-Type -AssemblyName System.Security`,
      `$in = [Convert]::FromBase64String([Console]::In.ReadToEnd())`,
      `$out = [Security.Cryptography.ProtectedData]::${name}($in, $null, 'CurrentUser')`,
      `[Console]::Out.Write([Convert]::ToBase64String($out))`,
    ].join('; ');
    const args = ['-NoLogo', '-NoProfile', '-NonInteractive', '-Command', script];
    return Buffer.from(await runProgram(powershell, args, Buffer.from(bytes).toString('base64')), 'base64');
  };
  return { unprotect: (bytes) => call('Unprotect', bytes), protect: (bytes) => call('Protect', bytes) };
}

function run(file: string, args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      windowsHide: true,
      timeout: DEADLINE,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    let problem = '';
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => (problem += chunk.toString('utf8').slice(0, 500)));
    child.on('error', reject);
    child.stdin.on('error', () => undefined); // The program ended before it had read everything; its exit code says why.
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString('utf8'));
      else
        reject(new Error(problem.split('\n')[0]?.trim() || `PowerShell ended with ${code ?? 'a signal'}.`));
    });
    child.stdin.end(input);
  });
}
