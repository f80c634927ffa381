/** Runs the `tokenkeep` command with the streams and the environment of this process. */
import { homedir } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { systemClock } from '../cache/clock.ts';
import { run } from './run.ts';
import { EXIT, type Output, Stop, type World } from './world.ts';

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

async function input(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * @param words the arguments after the command's name
 * @param request for refreshing tokens
 * @returns the exit code
 */
export function runHere(words: readonly string[], request: typeof fetch): Promise<number> {
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
    fetch: request,
    now: systemClock,
  };
  // A reader that closes the pipe early (`| head`) is not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  return run(words, world);
}
