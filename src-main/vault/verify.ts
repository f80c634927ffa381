import { isObject } from '../cache/json.ts';
import { storeOf } from '../cache/token-cache.ts';
import { type Contents, entriesOf, pauses } from './contents.ts';
import { readWhole, sameIdentity } from './disk/file.ts';
import { sealedSecretOf } from './format/batch.ts';
import { NO_TAG } from './format/frame.ts';
import { scanFrames } from './format/frame-reader.ts';
import { encodeHeader, FRAMES_AT, HEADER_COPY_AT, HEADER_LENGTH } from './format/header.ts';
import { shareAlive } from './memory.ts';
import { type Known, look, type Opening } from './open.ts';
import { refusal } from './refusal.ts';
import type { Settings } from './settings.ts';
import type { VaultRegions, VaultReport } from './state.ts';

/** Number of entries after which other tasks can run and progress is reported. */
const SLICE = 500;

/** Verifies the file from the disk: uses nothing that is in memory except the key. */
export async function verify(
  settings: Settings,
  known: Known,
  progress: (done: number, of: number) => void = () => undefined,
): Promise<VaultReport> {
  const opening = await look(settings, { ...known, isDoubted: true });
  const { contents, key } = opening;
  key?.fill(0);
  const report = outline(opening);
  if (contents === null) return report;
  const regions = await regionsIn(settings, opening, contents);
  await openAll(contents, report, progress);
  return {
    ...report,
    live: shareAlive(contents),
    keyMadeAt: contents.metadata.keyMadeAt || null,
    generation: Number(contents.header.generation),
    ...(regions === null ? {} : { regions }),
    ...(contents.recovered === null ? {} : { recovered: contents.recovered }),
  };
}

function outline({ state: found, error: why, contents, identity, slot, isBehind }: Opening): VaultReport {
  // If a file is shorter because it is damaged, report the damage.
  const isDamaged = contents !== null && contents.recovered !== null;
  const [state, error] = isDamaged ? (['damaged', refusal('damaged')] as const) : [found, why];
  return {
    sound: state === 'ready' || (state === 'read-only' && contents !== null),
    state,
    ...(error === null ? {} : { code: error.code }),
    bytes: Number(identity?.size ?? 0n),
    accounts: 0,
    entries: 0,
    secrets: 0,
    live: 1,
    keySlot: slot,
    keyMadeAt: null,
    generation: 0,
    ...(isDamaged && isBehind ? { older: true } : {}),
  };
}

/** Returns `null` if another program has written since: the earlier result is then about another file. */
async function regionsIn({ io, file }: Settings, { identity }: Opening, contents: Contents) {
  const whole = await readWhole(io, file).catch(() => null);
  if (whole === null || !sameIdentity(whole.identity, identity)) return null;
  return regionsOf(whole.bytes, contents);
}

async function openAll(
  { cache }: Contents,
  report: VaultReport,
  progress: (done: number, of: number) => void,
): Promise<void> {
  const { accounts, size } = storeOf(cache);
  report.accounts = accounts.length;
  for (const account of [...accounts, null]) {
    for (const { value } of entriesOf(cache, account)) {
      if (report.entries % SLICE === 0) {
        progress(report.entries, size);
        await new Promise((resolve) => setImmediate(resolve));
      }
      report.entries += 1;
      // The entry's frame, which was authenticated when it was opened, covers the secret.
      if (isObject(value) && sealedSecretOf(value) !== undefined) report.secrets += 1;
    }
  }
}

/** Counts what is authentic in an opened file. */
async function regionsOf(file: Buffer, { header, sealing }: Contents): Promise<VaultRegions> {
  const expected = encodeHeader(header);
  const headers = [0, HEADER_COPY_AT].filter((at) => file.subarray(at, at + HEADER_LENGTH).equals(expected));
  const start = { at: FRAMES_AT, ordinal: 0, previousTag: NO_TAG };
  const { frames, end } = await scanFrames(file, start, sealing, { pause: pauses() });
  // A repeated or moved frame is not counted again.
  const ordinals = new Set(frames.map(({ ordinal }) => ordinal));
  const base = [...ordinals].filter((ordinal) => ordinal < header.baseFrames).length;
  return {
    headers: headers.length,
    base: { intact: base, of: header.baseFrames },
    appended: ordinals.size - base,
    after: Math.max(0, file.length - end.at),
  };
}
