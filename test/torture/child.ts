import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A process that gets orders and reports results, one line at a time. */
export class Child {
  readonly process: ChildProcess;
  readonly ended: Promise<unknown>;
  /** Called with every line. Without it, `next` returns the lines one by one. */
  hear: ((line: string) => void) | undefined;
  readonly #said: string[] = [];
  #over = false;
  #wake: (() => void) | undefined;
  #complaint = '';

  /** @param command used instead of Node with the program and its arguments */
  constructor(
    program: string,
    words: readonly string[],
    env: NodeJS.ProcessEnv = process.env,
    [command = '', ...rest]: readonly string[] = [process.execPath, program, ...words],
  ) {
    this.process = spawn(command, rest, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.ended = once(this.process, 'close').then(() => {
      this.#over = true;
      this.#wake?.();
    });
    this.process.stdin?.on('error', () => undefined); // The campaign killed the process.
    this.process.stderr?.on('data', (text: Buffer) => (this.#complaint += text.toString()));
    if (this.process.stdout !== null) {
      createInterface(this.process.stdout).on('line', (line) => {
        if (this.hear !== undefined) {
          this.hear(line);
          return;
        }
        this.#said.push(line);
        this.#wake?.();
      });
    }
  }

  get pid(): number {
    return this.process.pid ?? -1;
  }

  get hasEnded(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  /** Its output on stderr: "" if all is well. */
  get complaint(): string {
    return this.#complaint.trim();
  }

  tell(line: string): void {
    this.process.stdin?.write(`${line}\n`);
  }

  /** Returns its next line of output, or `null` if it ends before. */
  async next(): Promise<string | null> {
    while (this.#said.length === 0 && !this.#over) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#said.shift() ?? null;
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.ended;
  }
}
