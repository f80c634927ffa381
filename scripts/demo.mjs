// npm run demo: starts an identity provider on this machine and the app with a sign-in profile for it, to try real sign-ins without an
// account anywhere. See docs/signing-in.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { whenAskedToEnd } from './session/asked-to-end.mjs';
import { ensureBuilt } from './setup/build.mjs';
import { runEntry, say } from './setup/say.mjs';
import { ensureSandbox } from './setup/sandbox.mjs';
import { setUp } from './setup/set-up.mjs';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

await runEntry(async () => {
  if (cannotBeSeen()) {
    say('the demo needs a display, and an ordinary user: no browser should run as root');
    say('to start only the provider, for another app: npm run provider');
    say('to run the same sign-ins without a display: npm test -- e2e sign-in.spec');
    return 1;
  }
  const electron = await setUp(root, ['app']);
  ensureBuilt(root);
  ensureSandbox(electron.dist);
  return demo(electron.executable);
});

function cannotBeSeen() {
  if (process.platform !== 'linux') return false;
  return process.getuid() === 0 || !(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

async function demo(electron) {
  const provider = await startProvider();
  // Always the same folder, emptied. The key of its last vault stays in the keychain, and opens nothing any more.
  const folder = join(homedir(), '.tokenkeep-demo');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(join(folder, 'sign-in-profiles.json'), JSON.stringify(profilesFor(provider.issuer)));
  const allowed = { version: 1, allowed: [{ issuer: provider.issuer, hosts: [] }] };
  writeFileSync(join(folder, 'allowed-issuers.json'), JSON.stringify(allowed));
  say(`an identity provider with made-up users runs at ${provider.issuer} until the demo ends`);
  say('in the window: choose “Sign in…”, then “Continue in your browser”, and a user; there is no password');
  say(
    `only this demo trusts its certificate, so the sign-in page opens in a window of the demo, not in your browser`,
  );
  const child = spawn(electron, [join(root, 'scripts/demo/app.cjs'), `--user-data-dir=${folder}`], {
    cwd: root,
    env: { ...process.env, TOKENKEEP_DEMO_CA: provider.ca, TOKENKEEP_DEMO_ISSUER: provider.issuer },
    stdio: 'inherit',
  });
  whenAskedToEnd((signal) => child.kill(signal));
  try {
    const [code] = await once(child, 'exit');
    return code ?? 1;
  } finally {
    provider.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startProvider() {
  const build = spawn(
    process.execPath,
    [join(root, 'node_modules/tsdown/dist/run.mjs'), '-c', 'examples/provider/tsdown.config.ts'],
    {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const [status] = await once(build, 'exit');
  if (status !== 0) throw new Error('the provider could not be built');
  // Ten minutes are enough to look around, and short enough to see a token refreshed.
  const program = spawn(
    process.execPath,
    [join(root, 'artifacts/provider/main.mjs'), '--access-token-ttl', '600'],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  const said = await Promise.race([once(createInterface(program.stdout), 'line'), once(program, 'exit')]);
  if (typeof said[0] !== 'string')
    throw new Error(`the provider ended with ${said[0]} before it could be used`);
  return { ...JSON.parse(said[0]), end: () => program.kill() };
}

function profilesFor(issuer) {
  const profile = {
    id: 'demo',
    kind: 'oidc',
    name: 'The demo’s provider',
    authority: issuer,
    client_id: 'desktop-app',
    scopes: ['profile', 'email', 'offline_access', 'orders.read'],
    redirect_uri: 'http://127.0.0.1/',
  };
  return { version: 1, profiles: [profile] };
}
