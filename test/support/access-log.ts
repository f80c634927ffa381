/** Reports which files are opened by any process, through the kernel's inotify and Python, since Node does not report openings. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename, dirname } from 'node:path';

export interface AccessLog {
  /** The files that were opened so far, each once, in order. Call `settle` first. */
  opened(): readonly string[];
  /** Waits until the kernel has reported everything before this call. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** IN_OPEN of inotify(7). For each line of input, the program answers after all pending events. */
const PROGRAM = `
import ctypes, os, select, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init()
names = {}
for path in sys.argv[1:]:
    names[libc.inotify_add_watch(fd, path.encode(), 0x20)] = path
print('ready', flush=True)
while True:
    ready, _, _ = select.select([fd, 0], [], [])
    if fd in ready:
        data = os.read(fd, 65536); at = 0
        while at < len(data):
            wd, mask, cookie, length = struct.unpack_from('iIII', data, at)
            print('opened ' + names.get(wd, '?'), flush=True); at += 16 + length
    elif 0 in ready:
        if not os.read(0, 64): break
        print('settled', flush=True)
`;

/** @param files absolute paths of files that exist and are not removed */
export async function accessLog(files: readonly string[]): Promise<AccessLog> {
  const child: ChildProcess = spawn('/usr/bin/python3', ['-c', PROGRAM, ...files], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const opened = new Set<string>();
  let waiting: (() => void)[] = [];
  let text = '';
  let isReady = (): void => undefined;
  const ready = new Promise<void>((resolve) => (isReady = resolve));
  child.stdout?.on('data', (chunk: Buffer) => {
    const lines = (text + chunk.toString('utf8')).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      if (line === 'ready') isReady();
      else if (line === 'settled') waiting.shift()?.();
      else opened.add(line.slice('opened '.length));
    }
  });
  const ended = once(child, 'exit').then(() => {
    for (const resolve of waiting) resolve();
    waiting = [];
    isReady();
  });
  await ready;
  if (child.exitCode !== null)
    throw new Error(`The log of ${basename(dirname(files[0] ?? ''))} did not start.`);
  return {
    opened: () => [...opened],
    settle: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        child.stdin?.write('?\n');
      }),
    async close() {
      child.stdin?.end();
      await ended;
    },
  };
}
