/**
 * A sign-out that kills itself with SIGKILL: before the step whose number is given, or, in a step that writes bytes, after half of them.
 * Prints the name of each step. Usage: HOME USERNAME STEP
 */
import childProcess from 'node:child_process';
import fs, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { writeSync } from 'node:fs';
import { findSources } from '../../src-main/sources/find.ts';
import { readSource } from '../../src-main/sources/read.ts';
import { secretService } from '../../src-main/sources/secret-service.ts';
import { signOutAtSource } from '../../src-main/sources/sign-out.ts';

const [home = '', username = '', last = '0'] = process.argv.slice(2);
const secrets = { secretService: () => secretService(process.env) };
const source = (await findSources({ home, platform: 'linux', env: {} })).find(
  ({ program }) => program === 'azure-cli',
);
const account = (await readSource(source!, { secrets })).accounts.find((one) => one.username === username);

let count = 0;
function step(name: string): void {
  count += 1;
  writeSync(1, `${name}\n`);
  if (count === Number(last)) process.kill(process.pid, 'SIGKILL');
}

const handle = await fs.open(process.execPath);
const prototype = Object.getPrototypeOf(handle) as FileHandle;
await handle.close();
type Call = (this: FileHandle, ...words: unknown[]) => Promise<void>;
const [writeFile, write, sync, chmod, truncate] = (
  ['writeFile', 'write', 'sync', 'chmod', 'truncate'] as const
).map((name) => Reflect.get(prototype, name) as Call) as [Call, Call, Call, Call, Call];
/** Kills this process with half of the bytes in the file, as a disk may have them. */
async function inHalf(this: FileHandle, name: string, bytes: Buffer): Promise<void> {
  if (count + 1 === Number(last)) await this.appendFile(bytes.subarray(0, bytes.length >> 1));
  step(name);
}
Object.assign(prototype, {
  async writeFile(this: FileHandle, bytes: Buffer) {
    await inHalf.call(this, 'write document', bytes);
    return writeFile.call(this, bytes);
  },
  async write(this: FileHandle, text: string, ...more: []) {
    await inHalf.call(this, 'write lock', Buffer.from(text));
    return write.call(this, text, ...more);
  },
  sync(this: FileHandle) {
    step('sync');
    return sync.call(this);
  },
  chmod(this: FileHandle, mode: number) {
    step('chmod');
    return chmod.call(this, mode);
  },
  truncate(this: FileHandle, length: number) {
    step('truncate');
    return truncate.call(this, length);
  },
});
const before = { ...fs };
for (const name of ['rename', 'utimes', 'unlink', 'link'] as const)
  Object.assign(fs, {
    [name]: (...words: unknown[]) => {
      step(name);
      return (before[name] as (...all: unknown[]) => Promise<void>)(...words);
    },
  });
Object.assign(fs, {
  open: (file: string, flags: string | number, mode?: number) => {
    if (flags === 'wx' || (typeof flags === 'number' && (flags & fs.constants.O_CREAT) !== 0)) step('create');
    return before.open(file, flags, mode);
  },
});
const { spawn } = childProcess;
Object.assign(childProcess, {
  spawn: (...words: Parameters<typeof spawn>) => {
    step('flock');
    return spawn(...words);
  },
});
syncBuiltinESMExports();

const receipt = await signOutAtSource(source!, account!, { secrets });
step('end');
process.exitCode = receipt.remaining === 0 ? 0 : 1;
