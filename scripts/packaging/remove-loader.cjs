// The afterPack hook of electron-builder.yml.
const { rmSync } = require('node:fs');
const { join } = require('node:path');

/**
 * Takes out of a development build what stands in the development runtime for Electron's default app, as electron-builder
 * takes out that one. A fuse keeps it from being loaded; it has no business in a package all the same.
 *
 * @param {{ appOutDir: string, packager: { getResourcesDir: (folder: string) => string } }} context electron-builder's
 */
exports.default = function removeLoader({ appOutDir, packager }) {
  rmSync(join(packager.getResourcesDir(appOutDir), 'app'), { recursive: true, force: true });
};
