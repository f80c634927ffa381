const { existsSync } = require('node:fs');
const { join } = require('node:path');

/**
 * Ends a build for users that was given the development runtime, which is an older Electron, made for tests. A build whose version says
 * that it is for development may contain it.
 *
 * @param {{ packager: { config: { electronDist?: unknown }, appInfo: { version: string } } }} context electron-builder's
 * @throws {Error} if the build must not continue
 */
exports.default = function refuseDevelopmentRuntime({ packager }) {
  const { electronDist } = packager.config;
  if (electronDist === undefined || electronDist === null) return; // electron-builder fetches Electron's own release
  if (typeof electronDist !== 'string')
    throw new Error('electronDist must be a folder, so that it can be looked at.');
  if (!existsSync(join(electronDist, 'DEVELOPMENT-RUNTIME.txt'))) return;
  if (packager.appInfo.version.endsWith('-development')) return;
  throw new Error(
    `${electronDist} is the development runtime, for running and testing only; a release is not built with it. ` +
      "Build where Electron's own download can be reached, or build `npm run package:dev`, which is marked as development.",
  );
};
