import { ok } from 'node:assert/strict';

/** Waits for what must come true within some seconds: an expiry, a connection that comes back. */
export async function until(isTrue: () => Promise<boolean>, otherwise: string): Promise<void> {
  for (let left = 300; left > 0; left -= 1) {
    if (await isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  ok(false, otherwise);
}
