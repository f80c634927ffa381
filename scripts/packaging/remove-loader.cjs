// The afterPack hook of electron-builder.yml.
const { rmSync } = require('node:fs');
const { join } = require('node:path');

/**
 * Removes the development runtime's replacement of Electron's default app from a development build, as electron-builder removes the default
 * app. A fuse keeps it from being loaded, but a package must not contain it.
 *
 * @param {{ appOutDir: string, packager: { getResourcesDir: (folder: string) => string } }} context electron-builder's
 */
exports.default = function removeLoader({ appOutDir, packager }) {
  rmSync(join(packager.getResourcesDir(appOutDir), 'app'), { recursive: true, force: true });
};
