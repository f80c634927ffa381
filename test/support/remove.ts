import { rmSync } from 'node:fs';

/** Removes a folder into which a process that was ended, or one that Chromium started, may still write for a moment. */
export function removePatiently(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}
