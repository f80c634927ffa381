/** Long work in the main process, cut so that windows, menus and other requests get their turn in between. */

/** Well below what a person notices. */
const SLICE_MS = 25;

/** Does `work` for every item; gives way each time a slice of time is used up. */
export async function inSlices<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
  let end = performance.now() + SLICE_MS;
  for (const item of items) {
    work(item);
    if (performance.now() < end) continue;
    await new Promise((resolve) => setImmediate(resolve));
    end = performance.now() + SLICE_MS;
  }
}
