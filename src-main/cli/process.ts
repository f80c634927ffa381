/** Runs the `tokenkeep` command with the streams and the environment of this process. */
import { homedir } from 'node:os';
import { isAbsolute } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { systemClock } from '../cache/clock.ts';
import { codeOf } from '../error-code.ts';
import { run } from './run.ts';
import { EXIT, type Output, Stop, type World } from './world.ts';

/** Set when the package is built. */
declare const __VERSION__: string | undefined;

interface Stream extends Output {
  /** Waits until everything is written. Returns the code of the error that prevented it; "" if none did. */
  flush(): Promise<string>;
}

/** A failed write does not end the command: a sign-out that has begun is completed, and its exit code says how it ended. */
function outputOf(stream: NodeJS.WriteStream): Stream {
  let failure = '';
  stream.on('error', (error) => (failure ||= codeOf(error) || 'unknown reason'));
  return {
    write: (text) => {
      if (failure === '') stream.write(text);
    },
    flush: async () => {
      await new Promise((resolve) => stream.write('', resolve));
      return failure;
    },
    isTerminal: stream.isTTY,
    // Some pseudo-terminals report 0 columns, which means that the width is unknown.
    ...(stream.isTTY && stream.columns > 0 ? { columns: stream.columns } : {}),
  };
}

/** @throws Stop if the system does not know this user's home folder */
function homeFolder(): string {
  let home = '';
  try {
    home = homedir();
  } catch {
    // A user id without an entry in the system's user database, and no HOME.
  }
  if (isAbsolute(home)) return home;
  throw new Stop(
    EXIT.failed,
    'The home folder of this user is unknown, so nothing was read. Set HOME to an absolute path.',
  );
}

async function ask(question: string, { hidden = false }: { hidden?: boolean } = {}): Promise<string> {
  if (hidden) process.stderr.write(question);
  // readline echoes the input; for hidden input, the echo is discarded.
  const output = hidden ? new Writable({ write: (_, __, done) => done() }) : process.stderr;
  const lines = createInterface({ input: process.stdin, output, terminal: process.stdin.isTTY });
  try {
    const answer = await new Promise<string | null>((resolve) => {
      // Ctrl+C, Ctrl+D and the end of the input: some versions of Node leave the question pending then.
      lines.once('close', () => resolve(null));
      // readline redraws its line, and would erase a question that was written before.
      lines.question(hidden ? '' : question).then(resolve, () => resolve(null));
    });
    if (answer !== null) return answer;
    if (!hidden) process.stderr.write('\n');
    throw new Stop(EXIT.cancelled, 'Cancelled. Nothing was changed.');
  } finally {
    lines.close();
    if (hidden) process.stderr.write('\n');
  }
}

/** What a terminal or a system ends a program with. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Holds signals back until the returned function is called, which then ends the process with the first one. A second one ends it at once. */
export function hold(): () => void {
  let first: NodeJS.Signals | undefined;
  const heard = (signal: NodeJS.Signals): void => {
    if (first !== undefined) release();
    first ??= signal;
    process.stderr.write(
      'Ending once the provider’s answer is saved. Press Ctrl+C again to end at once and lose it.\n',
    );
  };
  const release = (): void => {
    for (const signal of SIGNALS) process.off(signal, heard);
    if (first !== undefined) process.kill(process.pid, first);
  };
  for (const signal of SIGNALS) process.on(signal, heard);
  return release;
}

/** Maximum size of standard input in bytes. A token, a passphrase or what git asks has a few kilobytes. */
const LONGEST = 16 * 1024 * 1024;

/** @throws Stop if the input is longer; the rest is not read */
async function input(): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(Buffer.from(chunk as Uint8Array));
    size += chunks.at(-1)?.byteLength ?? 0;
    if (size > LONGEST)
      throw new Stop(
        EXIT.failed,
        `Standard input has more than ${LONGEST / 1024 / 1024} MB, so it was not read further. Nothing was changed. Give a token or a passphrase.`,
      );
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * @param words the arguments after the command's name
 * @param request for refreshing tokens
 * @returns the exit code
 */
export async function runHere(words: readonly string[], request: typeof fetch): Promise<number> {
  const [out, err] = [outputOf(process.stdout), outputOf(process.stderr)];
  const world: World = {
    version: typeof __VERSION__ === 'string' ? __VERSION__ : 'development',
    platform: process.platform,
    get home() {
      return homeFolder();
    },
    // eslint-disable-next-line no-restricted-syntax -- the one place where the command reads the environment
    env: process.env,
    out,
    err,
    isInteractive: process.stdin.isTTY && process.stderr.isTTY,
    input,
    ask,
    fetch: request,
    hold,
    now: systemClock,
  };
  const code = await run(words, world);
  const failure = await out.flush();
  // A reader that closes the pipe early (`| head`) is not an error.
  if (failure === '' || failure === 'EPIPE') return code;
  err.write(`tokenkeep: The output could not be written (${failure}).\n`);
  return code === EXIT.ok ? EXIT.failed : code;
}
