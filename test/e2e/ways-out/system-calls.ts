/**
 * The record of a packaged app's network at the kernel: every system call by which one of its processes connects or sends to an Internet
 * address, or asks a name service of this computer. A packaged app refuses to write Chromium's own network log.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const CALLS = 'socket,connect,sendto,sendmsg,sendmmsg';
const INTERNET = /\bAF_(?:INET6?|PACKET)\b/;
/** Sockets of programs that look up names for others. A call to a socket that does not exist is not a look-up. */
const RESOLVER = /sun_path="([^"]*(?:nscd|systemd\/resolve|avahi|sss\/pipes|mdns)[^"]*)"/;

export interface SystemCalls {
  /** A program that starts the app with the same arguments, traced. It becomes the app, so a signal to it reaches the app. */
  executable: string;
  /** The calls so far that create or use an Internet socket, or ask a resolver. */
  met(): string[];
}

/**
 * Prepares the record of a program that will be started.
 *
 * @param file the record; a script is put beside it
 * @returns undefined if strace can't follow a program into Chromium's sandbox: on other systems, and if the sandbox needs its setuid helper
 */
export function systemCalls(program: string, file: string): SystemCalls | undefined {
  const trace = ['-f', '-qq', '-s', '0', '-e', `trace=${CALLS}`, '-e', 'signal=none', '-o', file];
  if (spawnSync('strace', [...trace, 'unshare', '--user', '--net', 'true']).status !== 0) return undefined;
  const executable = `${file}.sh`;
  const words = ['strace', '-D', '--seccomp-bpf', ...trace, program].map((word) => `'${word}'`);
  writeFileSync(executable, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, { mode: 0o755 });
  return { executable, met: () => readFileSync(file, 'utf8').split('\n').filter(reachesOut) };
}

function reachesOut(call: string): boolean {
  const resolver = RESOLVER.exec(call)?.[1];
  return INTERNET.test(call) || (resolver !== undefined && existsSync(resolver));
}
