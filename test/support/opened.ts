import { afterEach } from 'vitest';

/** An external resource that a test has to release: a keyring, a bus, a folder. */
interface Place {
  close(): Promise<unknown>;
}

const open: Place[] = [];
afterEach(async () => {
  for (const place of open.splice(0)) await place.close();
});

/** Waits for a resource, and closes it after the test. */
export async function opened<T extends Place>(starting: T | Promise<T>): Promise<T> {
  const place = await starting;
  open.push(place);
  return place;
}
