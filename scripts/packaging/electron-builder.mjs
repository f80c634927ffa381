import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetUpError } from '../setup/say.mjs';
import { drawIcons } from './icons.mjs';
import { writePapers } from './papers.mjs';
import { publicKeyOf, signingKey } from './sign-updates.mjs';

const require = createRequire(import.meta.url);

/**
 * Runs electron-builder on the output of `npm run build`.
 *
 * @param {string} root the clone
 * @param {{ config: 'electron-builder.yml' | 'electron-builder.dev.yml', args: string[], env?: NodeJS.ProcessEnv,
 *   electron: { version: string }, quiet?: boolean }} options
 * @throws {SetUpError} if electron-builder failed
 */
export async function runBuilder(root, { config, args, electron, env = {}, quiet = false }) {
  await drawIcons(join(root, 'release/icons'));
  writePapers(root, join(root, 'release/papers'), electron.version);
  const words = [
    require.resolve('electron-builder/cli.js'),
    '--config',
    config,
    '--publish',
    'never',
    ...args,
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new SetUpError(`electron-builder failed.\n${stdout ?? ''}${stderr ?? ''}`);
}

/**
 * Returns options of electron-builder from the environment of the publisher.
 *
 * @param {NodeJS.ProcessEnv} env TOKENKEEP_MAINTAINER `Name <address>`, TOKENKEEP_HOMEPAGE, TOKENKEEP_UPDATES_URL: a folder on the web that
 *   holds the newest release's files; without it, a build never checks for updates. TOKENKEEP_UPDATES_SIGNING_KEY: signs them for Linux,
 *   see sign-updates.mjs
 */
export function ownerOptions(env) {
  const { TOKENKEEP_MAINTAINER, TOKENKEEP_HOMEPAGE, TOKENKEEP_UPDATES_URL } = env;
  const key = signingKey(env);
  return [
    ...(TOKENKEEP_MAINTAINER ? [`-c.linux.maintainer=${TOKENKEEP_MAINTAINER}`] : []),
    ...(TOKENKEEP_HOMEPAGE ? [`-c.extraMetadata.homepage=${TOKENKEEP_HOMEPAGE}`] : []),
    ...(TOKENKEEP_UPDATES_URL
      ? ['-c.publish.provider=generic', `-c.publish.url=${updatesUrl(TOKENKEEP_UPDATES_URL)}`]
      : []),
    ...(key ? [`-c.extraMetadata.updatesKey=${publicKeyOf(key)}`] : []),
  ];
}

/** Over plain HTTP, anyone on the network path could offer a version of their own. A loopback address is for tests. */
function updatesUrl(text) {
  const url = new URL(text);
  if (url.protocol === 'https:' || ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname))
    return url.href;
  throw new SetUpError(`TOKENKEEP_UPDATES_URL must begin with https:, and is ${text}.`);
}

/**
 * Returns the options of a build that is not a release. It contains this machine's Electron. Because electron-builder's own tools may be
 * unreachable, it uses Debian's: dpkg-deb behind fpm's options, and 7za.
 */
export function developmentOptions(root, electron) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return {
    config: 'electron-builder.dev.yml',
    args: [
      `-c.extraMetadata.version=${version}-development`,
      `-c.electronDist=${electron.dist}`,
      `-c.electronVersion=${electron.version}`,
    ],
    env:
      process.platform === 'linux'
        ? {
            CUSTOM_FPM_PATH: fileURLToPath(new URL('fpm-by-dpkg.mjs', import.meta.url)),
            ELECTRON_BUILDER_7ZIP_PATH: '/usr/bin/7za',
            ELECTRON_BUILDER_COMPRESSION_LEVEL: '1',
          }
        : {},
  };
}
