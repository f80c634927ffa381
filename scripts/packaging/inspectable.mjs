import { cpSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { FuseV1Options, FuseVersion, flipFuses } from '@electron/fuses';

/**
 * Makes a copy of the app packaged for tests that Playwright can drive from within: one fuse is set back, the inspector's.
 * All else in it is what is shipped.
 *
 * @param {{ app: string, inspectable: string }} build executables: of the packaged app, and of the copy to be made
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
