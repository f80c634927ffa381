import { fileURLToPath } from 'node:url';

/** The first arguments of an Electron that Playwright starts by its executable, unless it is a packaged app. */
export const HELD: readonly string[] = [
  '-r',
  fileURLToPath(new URL('hold-until-driven.cjs', import.meta.url)),
];
