// FORMAT.md, "The manifest".
import { decodeBody, encodeBody } from './batch.ts';
import type { FrameContent } from './frame.ts';
import { isArray, isObject } from './json.ts';
import { decodeTombstones, isPending, rowOf, type VaultMetadata } from './metadata.ts';

/** The first frame: the description of a rewritten file. */
export interface Manifest extends VaultMetadata {
  /** The dialect of the cache document; `null` if no entry has determined it yet. */
  profile: string | null;
  /** The account of each base frame, by ordinal - 1, so that a lost one can be named; `null`: no account. */
  roster: readonly (RosterEntry | null)[];
}

export interface RosterEntry {
  home_account_id: string;
  /** "" if the account has none. */
  username: string;
}

export function encodeManifest(manifest: Manifest, secretsKey: Buffer): FrameContent {
  const { keyMadeAt, profile, pending, epoch } = manifest;
  const tombstones = manifest.tombstones.map(rowOf);
  const roster = manifest.roster.map((entry) => entry && [entry.home_account_id, entry.username]);
  // The manifest has no secrets; the key is there because every body begins with one.
  const body = encodeBody({ keyMadeAt, profile, pending, epoch, tombstones, roster }, secretsKey);
  return { body, sealed: Buffer.alloc(0) };
}

/** `null` if it does not conform to FORMAT.md. */
export function decodeManifest(content: FrameContent): Manifest | null {
  const json = decodeBody(content.body)?.json;
  if (!isObject(json) || content.sealed.length > 0) return null;
  const { keyMadeAt, profile, pending, epoch, roster } = json;
  const tombstones = decodeTombstones(json['tombstones']);
  if (typeof keyMadeAt !== 'number' || typeof epoch !== 'number' || tombstones === null) return null;
  if (!(typeof profile === 'string' || profile === null)) return null;
  if (!isPending(pending) || !isArray(roster)) return null;
  const entries: (RosterEntry | null)[] = [];
  for (const row of roster) {
    const entry = row === null ? null : decodeRosterEntry(row);
    if (entry === undefined) return null;
    entries.push(entry);
  }
  return { keyMadeAt, profile, pending, epoch, tombstones, roster: entries };
}

function decodeRosterEntry(row: unknown): RosterEntry | undefined {
  if (!isArray(row) || row.length !== 2) return undefined;
  const [home_account_id, username] = row;
  if (typeof home_account_id !== 'string' || typeof username !== 'string') return undefined;
  return { home_account_id, username };
}
