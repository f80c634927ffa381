// FORMAT.md, "FrameMetadata".
import { createHmac } from 'node:crypto';
import { isArray } from './json.ts';

/** What became of the key that older copies of the file were sealed with. */
export type Pending =
  /** This file's own key has to be replaced: an account was signed out while the keychain could not be asked. */
  | 'rotate'
  /** The key in the other slot has to be destroyed: this file was written so that it can be. */
  | 'destroy';

/** That an account was signed out, so that a refresh which was under way can't bring it back. */
export interface Tombstone {
  /** Tells the account to one who knows it, and nobody else: [Note: no byte of the account] in tombstones.ts. */
  mark: string;
  /** The number of this sign-out: the vault's first is 1. */
  epoch: number;
  /** Seconds since the epoch of time. */
  at: number;
}

/** What a vault knows about itself beside its entries. */
export interface VaultMetadata {
  /** Seconds since the epoch; 0 where nobody knows any more. */
  keyMadeAt: number;
  pending: Pending | null;
  /** How many sign-outs there have been. */
  epoch: number;
  /** Those that a refresh could still be under way for. */
  tombstones: readonly Tombstone[];
}

/** Adds tombstones, one per account: the latest. */
export function withTombstones(
  { tombstones, epoch, ...rest }: VaultMetadata,
  added: readonly Tombstone[],
): VaultMetadata {
  const latest = new Map(tombstones.map((one) => [one.mark, one]));
  for (const one of added) {
    if ((latest.get(one.mark)?.epoch ?? 0) >= one.epoch) continue;
    latest.delete(one.mark); // So that the newest stand last.
    latest.set(one.mark, one);
  }
  const highest = added.reduce((most, one) => Math.max(most, one.epoch), epoch);
  return { ...rest, epoch: highest, tombstones: [...latest.values()] };
}

/** What a frame can say beside its changes. Absent: nothing new. */
export interface FrameMetadata {
  pending?: Pending | null;
  tombstones?: readonly Tombstone[];
}

/** The name under which a departed account is remembered. */
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

/** `null` where a note is not what FORMAT.md says. */
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
