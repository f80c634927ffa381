// npm test [-- [lint|unit|torture|e2e|packaged|e2e-packaged|judges|judges-e2e]… [arguments of the runners]]: sets up what is missing and runs
// every check and test, as an ordinary user, in a throw-away home and session; see docs/development.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, buildFailed, chosen, needsBuild, totalsIn } from './checks/parts.mjs';
import { recordJudges } from './checks/proofs.mjs';
import { ensurePackaged, packaged } from './packaging/development-build.mjs';
import { serveInstaller } from './packaging/installer.mjs';
import { whenAskedToEnd } from './session/asked-to-end.mjs';
import { inSession } from './session/in-session.mjs';
import { shortLived } from './session/memory.mjs';
import { mountSmallDisks } from './session/small-disk.mjs';
import { ensureBuilt } from './setup/build.mjs';
import { ensureSandbox } from './setup/sandbox.mjs';
import { runEntry, SetUpError } from './setup/say.mjs';
import { setUp } from './setup/set-up.mjs';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');
const checks = fileURLToPath(new URL('./checks/run.mjs', import.meta.url));

await runEntry(async (words) => {
  const { parts, words: forRunners } = chosen(words);
  const kinds = ['app', 'headless', 'tests', ...(parts.includes('judges') ? ['judges'] : [])];
  const electron = await setUp(root, kinds);
  // Most of the build keeps one processor busy, so what needs no build runs beside it.
  const lint = parts.includes('lint') && needsBuild(parts) ? lintHere() : undefined;
  const flags = (await built(electron, parts)) ? [] : [buildFailed];
  const args = lint
    ? [...flags, after(await lint), ...parts.filter((part) => part !== 'lint'), ...forRunners]
    : [...flags, ...words];
  if (process.platform !== 'linux') return here(electron, args);
  let installer;
  let disks;
  const prepare = ({ directory, see, user }) => {
    // The folders in the clone that the tests write: reports and pictures, and vitest's record of slow tests.
    for (const folder of ['artifacts', 'node_modules/.vite'].map((name) => see(join(root, name)))) {
      mkdirSync(folder, { recursive: true });
      user.own(folder);
    }
    const build = packaged(root);
    if (build && parts.includes('packaged')) {
      ensureSandbox(dirname(see(build.app)), user.prefix);
      installer = installerFor(build.deb, directory, user);
    }
    if (build && parts.includes('e2e-packaged')) ensureSandbox(dirname(see(build.inspectable)), user.prefix);
    if (user.other && (parts.includes('unit') || parts.includes('e2e'))) disks = mountSmallDisks(user);
    return {
      home: join(directory, 'home'),
      env: {
        ELECTRON_OVERRIDE_DIST_PATH: see(electron.dist),
        ...trusting(see(root)),
        ...installer?.env,
        ...(disks && { TOKENKEEP_SMALL_DISKS: disks.folder }),
      },
      command: [process.execPath, see(checks), ...args],
    };
  };
  // The campaigns kill and fill what they test on the disk; all others only wait for it.
  const isCampaign = parts.every((part) => ['torture', 'judges', 'judges-e2e'].includes(part));
  const ended = inSession(root, electron.executable, prepare, isCampaign ? '/tmp' : shortLived());
  const code = await ended.finally(() => {
    installer?.end();
    disks?.end();
  });
  if (parts.includes('judges') && parts.includes('judges-e2e') && forRunners.length === 0) recordJudges(root);
  return code;
});

/** Runs the checks of `lint` in place, and resolves with their results. */
async function lintHere() {
  const file = join(root, 'artifacts/lint-totals.json');
  rmSync(file, { force: true });
  await once(
    spawn(process.execPath, [checks, totalsIn(file), 'lint'], { cwd: root, stdio: 'inherit' }),
    'exit',
  );
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  return { passed: 0, failed: ['lint: it ended without a report'], skipped: [] };
}

/** If root runs this on Debian, the tests have the package installed. For other callers they check it unpacked, and say so. */
function installerFor(deb, directory, user) {
  if (!deb || !user.other || !existsSync('/usr/bin/apt-get')) return undefined;
  const socket = join(directory, 'installer');
  const { end } = serveInstaller(deb, socket);
  user.own(socket);
  return { env: { TOKENKEEP_INSTALLER: socket }, end };
}

/** A failed build is one failure among others: the checks that don't need the build still run. */
async function built(electron, parts) {
  if (!needsBuild(parts)) return true;
  try {
    ensureBuilt(root);
    if (!parts.includes('packaged') && !parts.includes('e2e-packaged')) return true;
    const build = await ensurePackaged(root, electron);
    if (parts.includes('e2e-packaged')) {
      const { makeInspectable } = await import('./packaging/inspectable.mjs');
      await makeInspectable(build);
    }
    return true;
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    console.log(error.message);
    return false;
  }
}

/** On macOS and Windows, the tests use the machine's own display and keychain. */
async function here(electron, args) {
  const child = spawn(process.execPath, [checks, ...args], {
    cwd: root,
    env: { ...process.env, ELECTRON_OVERRIDE_DIST_PATH: electron.dist },
    stdio: 'inherit',
  });
  whenAskedToEnd((signal) => child.kill(signal));
  const [code] = await once(child, 'exit');
  return code ?? 1;
}

/** Lets git read a clone that the tests' user does not own. */
function trusting(folder) {
  return { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: folder };
}
