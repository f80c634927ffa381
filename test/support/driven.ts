import { fileURLToPath } from 'node:url';

/**
 * Has Chromium draw in software from the start. A virtual screen has no graphics processor: without this switch, Chromium first starts a
 * process that looks for one, and then another.
 */
export const SOFTWARE_DRAWN = '--disable-gpu';

/** The first arguments of an Electron that Playwright starts by its executable, unless it is a packaged app. */
export const HELD: readonly string[] = [
  '-r',
  fileURLToPath(new URL('hold-until-driven.cjs', import.meta.url)),
  SOFTWARE_DRAWN,
];
