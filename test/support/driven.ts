import { fileURLToPath } from 'node:url';

/** First arguments of an Electron that Playwright starts by its executable, and that is no packaged app. */
export const HELD: readonly string[] = [
  '-r',
  fileURLToPath(new URL('hold-until-driven.cjs', import.meta.url)),
];
