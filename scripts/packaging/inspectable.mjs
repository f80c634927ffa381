// node scripts/packaging/inspectable.mjs: makes a copy of the app packaged for tests that Playwright can drive from within: one fuse
// is set back, the inspector's. All else in it is what is shipped.
import { cpSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FuseV1Options, FuseVersion, flipFuses } from '@electron/fuses';
import { runEntry, SetUpError } from '../setup/say.mjs';
import { packaged } from './development-build.mjs';

await runEntry(async () => {
  const build = packaged(fileURLToPath(new URL('../..', import.meta.url)));
  if (!build) throw new SetUpError('the app is not packaged yet: `npm test -- packaged` does that.');
  const copy = dirname(build.inspectable);
  rmSync(copy, { recursive: true, force: true });
  cpSync(dirname(build.app), copy, { recursive: true, verbatimSymlinks: true });
  await flipFuses(join(copy, basename(build.app)), {
    version: FuseVersion.V1,
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
  });
  return 0;
});
