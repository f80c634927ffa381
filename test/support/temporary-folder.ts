import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterFile } from './after-file.ts';
import { removePatiently } from './remove.ts';

/** Makes a folder that is removed after the last test of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-test-'));
  afterFile(() => removePatiently(folder));
  return folder;
}
