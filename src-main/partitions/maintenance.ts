/** Jobs over all entries of a store: the sealing report, and resealing with another key. */
import { InvalidArgumentError, PartitionError } from '../errors.ts';
import { checkOptions, FUNCTION, SIGNAL } from '../options.ts';
import { Deadline } from './deadline.ts';
import { resealEntry, sealedWith } from './entry.ts';
import type { PartitionName } from './partition-name.ts';
import type { StoreMaintenance } from './partition-store.ts';
import type { Settings } from './settings.ts';
import { newVersion } from './random.ts';

/** How many entries each sealing key seals. */
export interface SealingReport {
  /** All entries under the store's prefix or in its table. */
  readonly entries: number;
  /** The number of entries by key id, including keys that are not configured. */
  readonly sealedWith: Readonly<Record<string, number>>;
  readonly plainText: number;
  /** Entries that are damaged, written by a newer version, or not written by Tokenkeep. */
  readonly unreadable: number;
}

/** Options of a reseal job. */
export interface ResealOptions {
  /** Stops the job after the entries in progress, 8 at most. The job can be restarted at any time. */
  signal?: AbortSignal;
  /** Called after each entry with the totals so far. */
  onProgress?: (report: ResealReport) => void;
}

/** The result of a reseal job. */
export interface ResealReport {
  readonly entries: number;
  /** Entries that were plain text or sealed with another key, and are now sealed with the current key. */
  readonly resealed: number;
  /** Entries that were already sealed with the current key. */
  readonly current: number;
  /** Entries that were updated during the job, which seals them with the current key. */
  readonly changedMeanwhile: number;
  /** Entries that cannot be opened and were left unchanged: how many, by error code. Plain text is opened only with `acceptPlainText`. */
  readonly skipped: Readonly<Record<string, number>>;
}

const MOST_TRIES = 3;
/** Entries at once. The app's own requests use the same connections meanwhile. */
const AT_ONCE = 8;

/** @throws InvalidArgumentError if the store cannot list its entries; PartitionStoreError */
export async function sealingReport(settings: Settings): Promise<SealingReport> {
  const report = { entries: 0, sealedWith: {} as Record<string, number>, plainText: 0, unreadable: 0 };
  await eachEntry(settings, undefined, async (name) => {
    const stored = await read(settings, name);
    if (stored === null) return;
    report.entries += 1;
    try {
      const key = sealedWith(stored.bytes, name);
      if (key === null) report.plainText += 1;
      else report.sealedWith[key] = (report.sealedWith[key] ?? 0) + 1;
    } catch {
      report.unreadable += 1;
    }
  });
  return report;
}

/**
 * Reseals every entry with the current key. Entries keep their expiry time.
 *
 * @throws InvalidArgumentError if the store cannot list its entries, or nothing is sealed; PartitionStoreError
 */
export async function reseal(settings: Settings, options: ResealOptions = {}): Promise<ResealReport> {
  const { signal, onProgress } = checkOptions('reseal', options, { signal: SIGNAL, onProgress: FUNCTION });
  if (settings.sealing.keys === null)
    throw new InvalidArgumentError(
      'These caches are plain text: there is no key to reseal with. Nothing was changed.',
    );
  const report = {
    entries: 0,
    resealed: 0,
    current: 0,
    changedMeanwhile: 0,
    skipped: {} as Record<string, number>,
  };
  await eachEntry(settings, signal, async (name) => {
    try {
      const outcome = await resealOne(settings, name);
      if (outcome === 'gone') return;
      report[outcome] += 1;
    } catch (error) {
      if (!(error instanceof PartitionError)) throw error;
      report.skipped[error.code] = (report.skipped[error.code] ?? 0) + 1;
    }
    report.entries += 1;
    onProgress?.({ ...report, skipped: { ...report.skipped } });
  });
  return report;
}

async function resealOne(
  settings: Settings,
  name: PartitionName,
): Promise<'gone' | 'current' | 'resealed' | 'changedMeanwhile'> {
  const { sealing, timeout } = settings;
  for (let left = MOST_TRIES; left > 0; left -= 1) {
    const stored = await read(settings, name);
    if (stored === null) return 'gone';
    if (sealedWith(stored.bytes, name) === sealing.keys?.sealsWith)
      return left === MOST_TRIES ? 'current' : 'changedMeanwhile';
    // Anyone who can write to the store can make up plain text, and sealing it would make it look genuine.
    const bytes = resealEntry(stored.bytes, name, sealing);
    const entry = { bytes, version: newVersion() };
    const isDone = await Deadline.run(timeout, (deadline) =>
      deadline.with((call) => maintenanceOf(settings).replace(name.key, entry, stored.version, call)),
    );
    if (isDone) return 'resealed';
  }
  return 'changedMeanwhile';
}

/** Runs a task for each entry, several at once. Settles when none is in progress any more. @throws what the first task that failed threw */
async function eachEntry(
  settings: Settings,
  signal: AbortSignal | undefined,
  task: (name: PartitionName) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let failure: { readonly cause: unknown } | undefined;
  try {
    for await (const key of maintenanceOf(settings).keys()) {
      if (signal?.aborted === true || failure !== undefined) break;
      const job = task({ kind: 'user', id: undefined, key })
        .catch((cause: unknown) => void (failure ??= { cause }))
        .finally(() => running.delete(job));
      running.add(job);
      if (running.size >= AT_ONCE) await Promise.race(running);
    }
  } finally {
    await Promise.all(running);
  }
  if (failure !== undefined) throw failure.cause;
}

function read({ store, timeout }: Settings, { key }: PartitionName) {
  return Deadline.run(timeout, (deadline) => deadline.readFresh(store, key));
}

function maintenanceOf({ store }: Settings): StoreMaintenance {
  if (store.maintenance !== undefined) return store.maintenance;
  throw new InvalidArgumentError(
    'This store cannot list its entries. Entries are sealed with the current key when they are next updated. Nothing was changed.',
  );
}
