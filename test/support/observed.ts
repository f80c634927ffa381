/** Measures the app beside an empty window of the same Electron: the time until it is drawn, its memory, and its wake-ups at rest. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findElectron } from '../../scripts/electron-path.mjs';

const START = fileURLToPath(new URL('observed-start.cjs', import.meta.url));
const MAIN = fileURLToPath(new URL('../../out/main.cjs', import.meta.url));

export interface Observed {
  /** Milliseconds from the start of the process to the first frame with its contents. */
  drawn: number;
  /** Megabytes of all its processes, with shared pages counted proportionally. */
  memory(): number;
  /** Wake-ups a second of all its threads, and bytes written to the disk, during these seconds. */
  rest(seconds: number): Promise<Rest>;
  hide(): void;
  end(): Promise<void>;
}

export interface Rest {
  wakeUps: number;
  written: number;
  /** Wake-ups by thread, most first, for the message of a failure. */
  busiest: string;
}

/** @param selector the element that has to be drawn; null: an empty window */
export async function startObserved(
  env: Record<string, string>,
  profile: string,
  selector: string | null,
): Promise<Observed> {
  const electron = findElectron();
  if (electron === undefined) throw new Error('There is no Electron: run `npm test`, which installs it.');
  const child = spawn(electron.executable, [START, `--user-data-dir=${profile}`], {
    env: {
      ...env,
      OBSERVED_MAIN: selector === null ? '' : MAIN,
      OBSERVED_SELECTOR: selector ?? 'h1',
      OBSERVED_SINCE: String(Date.now()),
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const drawn = await drawnAt(child);
  return {
    drawn,
    memory: () => processes(child.pid ?? 0).reduce((sum, pid) => sum + proportional(pid), 0) / 1024,
    async rest(seconds) {
      const before = snapshot(child.pid ?? 0);
      await pass(seconds * 1000);
      const after = snapshot(child.pid ?? 0);
      const threads = [...after.threads]
        .map(([id, { name, wakes }]) => ({ name, wakes: wakes - (before.threads.get(id)?.wakes ?? wakes) }))
        .filter(({ wakes }) => wakes > 0)
        .sort((a, b) => b.wakes - a.wakes);
      return {
        wakeUps: threads.reduce((sum, { wakes }) => sum + wakes, 0) / seconds,
        written: after.written - before.written,
        busiest: threads
          .slice(0, 8)
          .map(({ name, wakes }) => `${name} ${(wakes / seconds).toFixed(1)}`)
          .join(', '),
      };
    },
    hide: () => void child.kill('SIGUSR2'),
    async end() {
      const gone = once(child, 'exit');
      for (const pid of processes(child.pid ?? 0).reverse()) kill(pid);
      await gone;
    },
  };
}

async function drawnAt(child: ChildProcess): Promise<number> {
  let text = '';
  for await (const chunk of child.stdout?.setEncoding('utf8').iterator({ destroyOnReturn: false }) ?? []) {
    text += String(chunk);
    const found = /^drawn (\d+)$/m.exec(text);
    if (found !== null) return Number(found[1]);
  }
  throw new Error(`The window was not drawn. ${text.slice(0, 500)}`);
}

/** Returns the process and its descendants. */
function processes(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const stat = read(`/proc/${name}/stat`);
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const all = [root];
  for (const pid of all) all.push(...(children.get(pid) ?? []));
  return all;
}

function snapshot(root: number): { threads: Map<string, { name: string; wakes: number }>; written: number } {
  const threads = new Map<string, { name: string; wakes: number }>();
  let written = 0;
  for (const pid of processes(root)) {
    const kind = /--type=(\S+)/.exec(read(`/proc/${pid}/cmdline`).replaceAll('\0', ' '))?.[1] ?? 'main';
    written += numberIn(/^write_bytes: (\d+)/m, read(`/proc/${pid}/io`));
    for (const thread of list(`/proc/${pid}/task`)) {
      const status = read(join(`/proc/${pid}/task`, thread, 'status'));
      const name = `${kind}/${/^Name:\s+(.*)/.exec(status)?.[1] ?? ''}`;
      threads.set(thread, { name, wakes: numberIn(/^voluntary_ctxt_switches:\s+(\d+)/m, status) });
    }
  }
  return { threads, written };
}

const proportional = (pid: number): number => numberIn(/^Pss:\s+(\d+)/m, read(`/proc/${pid}/smaps_rollup`));
const numberIn = (pattern: RegExp, text: string): number => Number(pattern.exec(text)?.[1] ?? 0);

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it has ended meanwhile
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
