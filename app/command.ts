/** The `tokenkeep` command of the installed app: the verbs of docs/command.md with Chromium's network, and no window. */
import { app, session } from 'electron';
import { runHere } from '../src-main/cli/process.ts';

/** Exit code of a command that SIGINT ended, as in shells. */
const INTERRUPTED = 130;

/** Ends the process with the command's exit code. */
export function runCommand(words: readonly string[]): void {
  app.dock?.hide(); // macOS
  app.on('will-quit', () => app.exit(INTERRUPTED));
  // Chromium's network knows the system's proxies and certificate authorities, as that of the app does.
  const request: typeof fetch = async (input, init) => {
    await app.whenReady();
    const network = session.fromPartition('command', { cache: false });
    return network.fetch(input instanceof URL ? input.href : input, { ...init, credentials: 'omit' });
  };
  void runHere(words, request).then((code) => {
    process.stdout.write('', () => app.exit(code));
  });
}
