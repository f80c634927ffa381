/**
 * Each place at which the app or the command ends is reached by a test that is named here: an end that nobody tests may be one without a word, as
 * where a full disk was taken for a second start. The sources are read, so that a new end needs a test.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** Calls that end the process, or that make another do so. */
const ENDS =
  /\b(?:app|electron)\??\.(?:exit|quit|relaunch)\(|\bprocess\.(?:exit|abort|reallyExit)\(|\bprocess\.exitCode\s*=|\bprocess\.kill\(process\.pid|\bquitAndInstall\(\)(?!:)|\bforcefullyCrashRenderer\(/;

/** For each end, by its line and the one before: the file and the name of a test that reaches it. */
const EXITS: Readonly<Record<string, readonly [file: string, test: string]>> = {
  'app/command.ts: app.dock?.hide(); app.on("will-quit", () => app.exit(INTERRUPTED));': [
    'test/e2e/command.spec.ts',
    'a command that Ctrl+C ends has the exit code of one',
  ],
  'app/command.ts: void runHere(words, request).then((code) => { process.stdout.write("", () => app.exit(code));':
    [
      'test/e2e/command.spec.ts',
      'the command has the exit codes of Node’s, and takes no word for a switch of Chromium',
    ],
  'app/main.ts: if (isCommand(args)) { process.exit(startCommand(process.execPath, args, script));': [
    'test/e2e/command.spec.ts',
    'the command has the exit codes of Node’s, and takes no word for a switch of Chromium',
  ],
  'app/main.ts: if (!locked && isFirstAlive()) { app.exit(0);': [
    'test/e2e/starting.spec.ts',
    'a second start brings the first window to the front and hands over its document (failure 13)',
  ],
  'app/main.ts: void running.then(({ inBackground }) => { if (!inBackground) app.quit();': [
    'test/e2e/keychain.spec.ts',
    'says what to do, holds what is imported in memory, and asks before that is lost',
  ],
  'app/ending.ts: startSuccessor(); process.kill(process.pid, "SIGKILL");': [
    'test/e2e/keychain.spec.ts',
    'quitting while the keychain does not answer what the quit asks is no crash',
  ],
  'app/ending.ts: } setImmediate(() => app.quit());': [
    'test/e2e/settings.spec.ts',
    'the app starts at login if the user wants it, in the tray without a window, and quits from there',
  ],
  'app/main.ts: else dialog.showErrorBox("Tokenkeep", message); app.exit(1);': [
    'test/e2e/starting.spec.ts',
    'a start that fails says so in the system’s dialog, ends with a code, and repeats no text of the error',
  ],
  'app/quitting.ts: void mayQuit().then((may) => { if (may) app.quit();': [
    'test/e2e/keychain.spec.ts',
    'says what to do, holds what is imported in memory, and asks before that is lost',
  ],
  'app/quitting.ts: systemEnds.abort(); app.quit();': [
    'test/e2e/keychain.spec.ts',
    'says what to do, holds what is imported in memory, and asks before that is lost',
  ],
  'app/start.ts: startAgain(); app.quit();': [
    'test/e2e/starting.spec.ts',
    'an app that something else updated starts again when the user says so, with its arguments',
  ],
  'app/start.ts: case "quit": app.quit();': [
    'test/e2e/settings.spec.ts',
    'the app starts at login if the user wants it, in the tray without a window, and quits from there',
  ],
  'app/updates.ts: try { installer.quitAndInstall();': [
    'test/packaged/updates.spec.ts',
    'installed when told to, and only with the password; the new version has the sign-ins',
  ],
  'src-main/cli/main.ts: void runHere(process.argv.slice(2), fetch).then((code) => { process.exitCode = code;':
    ['test/cli/process.test.ts', 'reads standard input, and ends with its number'],
  'src-main/cli/process.ts: for (const signal of SIGNALS) process.off(signal, heard); if (first !== undefined) process.kill(process.pid, first);':
    ['test/cli/process.test.ts', '%s waits until the answer is saved'],
  'src-main/electron/serve.ts: .catch(() => void (failed = true)) .finally(() => setImmediate(() => app.quit()));':
    [
      'test/e2e/secrets.spec.ts',
      'a copied token leaves the clipboard after 30 seconds, with the screen and with the app; nothing else does',
    ],
  'src-main/lock/lock-thread.ts: function endAnyway(): void { if ([...threads].some((thread) => thread.isStuck)) process.kill(process.pid, "SIGKILL");':
    [
      'test/lock/lock-hostile.test.ts',
      'never answer: an error at the deadline, the main thread goes on, other locks can be taken meanwhile and after',
    ],
};

function endsIn(file: string): string[] {
  const lines = readFileSync(file, 'utf8')
    .replaceAll(/\/\*[^]*?\*\//g, '')
    .split('\n')
    .map((line) => line.replace(/(?:^|\s)\/\/.*$/, '').trim())
    .filter((line) => line !== '');
  return lines.flatMap((line, index) =>
    ENDS.test(line) ? [`${file}: ${lines[index - 1] ?? ''} ${line}`.replaceAll("'", '"')] : [],
  );
}

const sources = execFileSync('git', ['ls-files', '--', 'app/*.ts', 'src-main/*.ts'], { encoding: 'utf8' })
  .trim()
  .split('\n');

it('each end of the app and of the command is known here', () => {
  expect(sources.flatMap(endsIn).toSorted()).toEqual(Object.keys(EXITS).toSorted());
});

it.each(Object.entries(EXITS))('%s: has a test', (_end, [file, name]) => {
  // Playwright and Vitest alike; a title may go on with a part that differs for each row of a table.
  const titles = [
    ...readFileSync(file, 'utf8').matchAll(/\b(?:test|it)(?:\.\w+(?:\([^)]*\))?)*\(\s*(['"`])([^]*?)\1,/g),
  ];
  expect(titles.filter(([, , title = '']) => title.includes(name))).toHaveLength(1);
});

it('a line that ends the process is found however it is written', () => {
  for (const line of [
    'app.exit(0);',
    'electron.quit()',
    'process.exit()',
    'process.exitCode = 1',
    'updater?.quitAndInstall();',
  ])
    expect(ENDS.test(line), line).toBe(true);
});
