// npm start [-- arguments of the app]: sets up what is missing and runs the app. Without a display, or as root, it runs
// on a virtual screen; see docs/development.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { absoluteImport, importFor } from './import-argument.mjs';
import { whenAskedToEnd } from './session/asked-to-end.mjs';
import { pictureOf } from './session/display.mjs';
import { inSession } from './session/in-session.mjs';
import { keepScreenshot } from './session/screenshot.mjs';
import { ensureBuilt } from './setup/build.mjs';
import { runEntry, say } from './setup/say.mjs';
import { ensureSandbox } from './setup/sandbox.mjs';
import { setUp } from './setup/set-up.mjs';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

await runEntry(async (words) => {
  // npm runs this in the clone; a relative path is relative to the folder in which the user typed it.
  const args = absoluteImport(words, process.env.INIT_CWD ?? process.cwd());
  const headless = process.platform === 'linux' && (process.getuid() === 0 || !hasDisplay());
  const electron = await setUp(root, headless ? ['app', 'headless'] : ['app']);
  ensureBuilt(root);
  return headless ? onVirtualScreen(electron, args) : onDisplay(electron, args);
});

function hasDisplay() {
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

async function onDisplay(electron, args) {
  ensureSandbox(electron.dist);
  const child = spawn(electron.executable, [join(root, 'out/main.cjs'), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  whenAskedToEnd((signal) => child.kill(signal));
  const [code] = await once(child, 'exit');
  return code ?? 1;
}

async function onVirtualScreen(electron, args) {
  let release = () => {};
  try {
    return await inSession(root, electron.executable, ({ directory, see, user }) => {
      const screenshot = writable(join(root, 'artifacts')) ?? user.home;
      const file = join(screenshot, 'window.png');
      const given = args.length > 0 ? importFor(user, directory, args) : ['--demo'];
      say(
        `${hasDisplay() ? 'not as root' : 'there is no display here'}, so the app runs as the user ${user.name} on a virtual ` +
          `screen, with its own D-Bus session and keyring. Its data is in ${user.home}, and is kept for the next start`,
      );
      if (args.length === 0)
        say(
          'no argument was given, so it shows sample accounts (--demo): nobody can click on a virtual screen',
        );
      say(`a screenshot of its window: ${file}, updated while it runs. Press Ctrl-C to end it`);
      release = keepScreenshot(pictureOf(directory), file);
      return {
        home: user.home,
        command: [see(electron.executable), see(join(root, 'out/main.cjs')), ...given],
      };
    });
  } finally {
    release();
  }
}

function writable(folder) {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch {
    return undefined;
  }
}
