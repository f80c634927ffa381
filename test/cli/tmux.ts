/** A real terminal (tmux) to type into and read from. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

/**
 * Opens a terminal of 120 columns, with a shell that has none of the user’s configuration.
 *
 * @param folder contains the programs that the shell finds first, and receives its home folder
 */
export async function terminal(
  folder: string,
  env: Record<string, string>,
  task: (shell: Shell) => Promise<void>,
  program = 'env PS1="ready:$ " sh',
): Promise<void> {
  const home = mkdtempSync(join(folder, 'home-'));
  const socket = join(home, 'tmux');
  const all = {
    ...env,
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    PATH: `${folder}:/usr/bin:/bin`,
    TERM: 'xterm',
    LANG: 'C.UTF-8',
  };
  const tmux = (...words: string[]) => {
    const { status, stdout, stderr } = spawnSync('tmux', ['-S', socket, '-f', '/dev/null', ...words], {
      env: all,
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    return stdout;
  };
  tmux('new-session', '-d', '-x', '120', '-y', '50', '-c', home, program);
  const screen = () => tmux('capture-pane', '-p', '-S', '-500');
  const seen = async (words: RegExp): Promise<string> => {
    const end = Date.now() + 20_000;
    for (;;) {
      const text = screen();
      if (words.test(text)) return text;
      if (Date.now() > end) throw new Error(`${String(words)} was not seen in:\n${text}`);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  };
  let runs = 0;
  const type = (text: string): void => void tmux('send-keys', '-l', '--', text);
  const enter = (): void => void tmux('send-keys', 'Enter');
  const begin = (words: string): (() => Promise<{ text: string; code: number }>) => {
    runs += 1;
    const mark = `ended-${runs}`;
    tmux('send-keys', '-R');
    tmux('clear-history');
    type(`${words}; echo ${mark}=$?`);
    enter();
    return async () => {
      const text = await seen(new RegExp(`^${mark}=\\d+`, 'm'));
      return { text, code: Number(new RegExp(`^${mark}=(\\d+)`, 'm').exec(text)?.[1]) };
    };
  };
  try {
    await task({
      home,
      begin,
      seen,
      type,
      enter,
      press: (key) => void tmux('send-keys', key),
      coloured: () => tmux('capture-pane', '-p', '-e', '-S', '-500'),
      run: (words) => begin(words)(),
    });
  } finally {
    spawnSync('tmux', ['-S', socket, 'kill-server'], { env: all });
  }
}

export interface Shell {
  /** Presses a key by its name in tmux, such as `Tab`. */
  readonly press: (key: string) => void;
  readonly home: string;
  readonly begin: (words: string) => () => Promise<{ text: string; code: number }>;
  readonly run: (words: string) => Promise<{ text: string; code: number }>;
  readonly seen: (words: RegExp) => Promise<string>;
  readonly coloured: () => string;
  readonly type: (text: string) => void;
  readonly enter: () => void;
}
