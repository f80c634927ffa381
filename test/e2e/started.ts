/** What a test has of an app that it started, from the clone or packaged. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ElectronApplication, Page } from '@playwright/test';

export interface Started {
  /** The main process; throws where the app is packaged. */
  readonly app: ElectronApplication;
  window: Page;
  /** What the app wrote to its terminal, and the page to its console. */
  output: string[];
  /** Quits as a user does, and waits for the end. */
  quit: () => Promise<void>;
  /** Starts the program once more, which hands over what it is asked for; gives its exit code. */
  startAgain: (args: readonly string[]) => Promise<number | null>;
}

/** Runs a program to its end. */
export async function exitCode(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<number | null> {
  const [code] = (await once(spawn(program, args, { env, stdio: 'ignore' }), 'exit')) as [number | null];
  return code;
}
