import { cpSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { FuseV1Options, FuseVersion, flipFuses } from '@electron/fuses';

/**
 * Makes a copy of the app packaged for tests in which Playwright can drive the main process: the fuse of the inspector is reset. Everything
 * else is as shipped.
 *
 * @param {{ app: string, inspectable: string }} build the executables of the packaged app and of the copy
 */
export async function makeInspectable({ app, inspectable }) {
  const copy = dirname(inspectable);
  rmSync(copy, { recursive: true, force: true });
  cpSync(dirname(app), copy, { recursive: true, verbatimSymlinks: true });
  await flipFuses(join(copy, basename(app)), {
    version: FuseVersion.V1,
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
  });
}
