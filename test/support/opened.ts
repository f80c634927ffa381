import { afterEach } from 'vitest';

/** Something outside that a test has to let go of: a keyring, a bus, a folder. */
interface Place {
  close(): Promise<unknown>;
}

const open: Place[] = [];
afterEach(async () => {
  for (const place of open.splice(0)) await place.close();
});

/** Waits for a place, and closes it after the test. */
export async function opened<T extends Place>(starting: T | Promise<T>): Promise<T> {
  const place = await starting;
  open.push(place);
  return place;
}
