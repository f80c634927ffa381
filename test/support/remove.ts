import { rmSync } from 'node:fs';

/** Removes a folder in which a process that was ended, or one that Chromium started, may write for a moment yet. */
export function removePatiently(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}
