// npm run package [-- options of electron-builder]: builds the installers. If something that a release needs is missing,
//   builds what is possible, marked as a development build, and says why.
// npm run package:release [-- …]: builds a release, or fails. See docs/releasing.md.
// npm run package:dev: builds only the unpacked app for this machine.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { developmentOptions, ownerOptions, runBuilder } from './packaging/electron-builder.mjs';
import { signNativeCode } from './packaging/sign-native-code.mjs';
import { signingKey, signUpdates } from './packaging/sign-updates.mjs';
import { build, ensureBuilt } from './setup/build.mjs';
import { runEntry, SetUpError, say } from './setup/say.mjs';
import { setUp } from './setup/set-up.mjs';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

await runEntry(async ([mode, ...options]) => {
  const electron = await setUp(root, ['app', 'packaging']);
  const obstacles =
    mode === '--development' ? ['it was asked for'] : missingForRelease(electron, process.env);
  if (mode === '--release' && obstacles.length > 0) {
    throw new SetUpError(`this can't be a release: ${obstacles.join('; ')}. docs/releasing.md has the list.`);
  }
  if (obstacles.length === 0) {
    signNativeCode(root, process.env);
    build(root); // About names the commit
    await runBuilder(root, {
      config: 'electron-builder.yml',
      args: [...ownerOptions(process.env), ...options],
      electron,
    });
    const key = signingKey(process.env);
    if (process.platform === 'linux' && key !== undefined) {
      const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
      const names = signUpdates(join(root, 'release'), { key, version });
      say(`signed the updates ${names.join(', ')}`);
    }
    return 0;
  }
  say(`makes a development build, not a release: ${obstacles.join('; ')}`);
  ensureBuilt(root);
  const output = join(root, 'release/development');
  rmSync(output, { recursive: true, force: true });
  const { config, args, env } = developmentOptions(root, electron);
  const targets =
    mode === '--development' || process.platform !== 'linux'
      ? ['--dir']
      : ['--linux', 'deb', 'tar.gz', 'zip'];
  await runBuilder(root, {
    config,
    args: [...targets, ...args, ...ownerOptions(process.env), ...options],
    env,
    electron,
  });
  say(`the development build is in ${output}`);
  return 0;
});

function missingForRelease(electron, env) {
  return [
    ...(electron.development
      ? ["Electron's own download is out of reach, and the development runtime is for tests"]
      : []),
    ...['TOKENKEEP_MAINTAINER', 'TOKENKEEP_HOMEPAGE']
      .filter((name) => !env[name])
      .map((name) => `${name} is not set`),
    ...(process.platform === 'linux' && env.TOKENKEEP_UPDATES_URL && !env.TOKENKEEP_UPDATES_SIGNING_KEY
      ? ['TOKENKEEP_UPDATES_URL is set, but TOKENKEEP_UPDATES_SIGNING_KEY is not']
      : []),
    // electron-updater accepts an update of any publisher if the running app names none.
    ...(process.platform === 'win32' && env.TOKENKEEP_UPDATES_URL && !env.WIN_CSC_LINK && !env.CSC_LINK
      ? ['TOKENKEEP_UPDATES_URL is set, but WIN_CSC_LINK is not']
      : []),
  ];
}
