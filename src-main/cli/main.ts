#!/usr/bin/env node
/** The entry point of the `tokenkeep` command: passes the process's streams to `run` and exits with its code. */
import { homedir } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { systemClock } from '../cache/clock.ts';
import { run } from './run.ts';
import type { Output, World } from './world.ts';

/** Set when the package is built. */
declare const __VERSION__: string | undefined;

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    isTerminal: stream.isTTY,
    ...(stream.isTTY ? { columns: stream.columns } : {}),
  };
}

async function ask(question: string, { hidden = false }: { hidden?: boolean } = {}): Promise<string> {
  if (hidden) process.stderr.write(question);
  // readline echoes the input; for hidden input, the echo is discarded.
  const output = hidden ? new Writable({ write: (_, __, done) => done() }) : process.stderr;
  const lines = createInterface({ input: process.stdin, output, terminal: process.stdin.isTTY });
  try {
    // It redraws its line, and would wipe away a question that was written before.
    return await lines.question(hidden ? '' : question);
  } finally {
    lines.close();
    if (hidden) process.stderr.write('\n');
  }
}

async function input(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}

const world: World = {
  version: typeof __VERSION__ === 'string' ? __VERSION__ : 'development',
  platform: process.platform,
  home: homedir(),
  // eslint-disable-next-line no-restricted-syntax -- the one place where the command reads the environment
  env: process.env,
  out: outputOf(process.stdout),
  err: outputOf(process.stderr),
  isInteractive: process.stdin.isTTY && process.stderr.isTTY,
  input,
  ask,
  fetch,
  now: systemClock,
};

// A reader that closes the pipe early (`| head`) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});
void run(process.argv.slice(2), world).then((code) => {
  process.exitCode = code;
});
