// FORMAT.md, "FrameMetadata".
import { createHmac } from 'node:crypto';
import { isArray } from './json.ts';

/** What has to be done about the key of older copies of the file. */
export type Pending =
  /** This file's own key has to be replaced: an account was signed out while the keychain was not available. */
  | 'rotate'
  /** The key in the other slot has to be destroyed: this file was written to make that possible. */
  | 'destroy';

/** A record that an account was signed out, so that a pending refresh can't bring it back. */
export interface Tombstone {
  /** Identifies the account only to those who know it: [Note: no byte of the account] in tombstones.ts. */
  mark: string;
  /** The number of this sign-out; the first in a vault is 1. */
  epoch: number;
  /** Seconds since the epoch. */
  at: number;
}

/** What a vault records about itself beside its entries. */
export interface VaultMetadata {
  /** Seconds since the epoch; 0 if unknown. */
  keyMadeAt: number;
  pending: Pending | null;
  /** The number of sign-outs so far. */
  epoch: number;
  /** Tombstones for which a refresh could still be pending. */
  tombstones: readonly Tombstone[];
}

/** Adds tombstones and keeps the latest one of each account. */
export function withTombstones(
  { tombstones, epoch, ...rest }: VaultMetadata,
  added: readonly Tombstone[],
): VaultMetadata {
  const latest = new Map(tombstones.map((one) => [one.mark, one]));
  for (const one of added) {
    if ((latest.get(one.mark)?.epoch ?? 0) >= one.epoch) continue;
    latest.delete(one.mark); // Keeps the newest at the end.
    latest.set(one.mark, one);
  }
  const highest = added.reduce((most, one) => Math.max(most, one.epoch), epoch);
  return { ...rest, epoch: highest, tombstones: [...latest.values()] };
}

/** What a frame can record beside its changes. Absent: no change. */
export interface FrameMetadata {
  pending?: Pending | null;
  tombstones?: readonly Tombstone[];
}

/** Returns the name under which a signed-out account is remembered. */
export function markOf(home_account_id: string, fileId: Buffer): string {
  return createHmac('sha256', fileId)
    .update(home_account_id.toLowerCase(), 'utf8')
    .digest()
    .toString('base64', 0, 16);
}

export function encodeMetadata({ pending, tombstones }: FrameMetadata): object {
  return {
    ...(pending === undefined ? {} : { pending }),
    ...(tombstones === undefined ? {} : { tombstones: tombstones.map(rowOf) }),
  };
}

export function rowOf({ mark, epoch, at }: Tombstone): [string, number, number] {
  return [mark, epoch, at];
}

/** `null` if a note does not conform to FORMAT.md. */
export function decodeMetadata(json: Record<string, unknown>): FrameMetadata | null {
  const { pending, tombstones } = json;
  const metadata: FrameMetadata = {};
  if (pending !== undefined) {
    if (!isPending(pending)) return null;
    metadata.pending = pending;
  }
  if (tombstones !== undefined) {
    const decoded = decodeTombstones(tombstones);
    if (decoded === null) return null;
    metadata.tombstones = decoded;
  }
  return metadata;
}

export function isPending(value: unknown): value is Pending | null {
  return value === null || value === 'rotate' || value === 'destroy';
}

export function decodeTombstones(rows: unknown): Tombstone[] | null {
  if (!isArray(rows)) return null;
  const tombstones: Tombstone[] = [];
  for (const row of rows) {
    if (!isArray(row) || row.length !== 3) return null;
    const [mark, epoch, at] = row;
    if (typeof mark !== 'string' || typeof epoch !== 'number' || typeof at !== 'number') return null;
    tombstones.push({ mark, epoch, at });
  }
  return tombstones;
}
