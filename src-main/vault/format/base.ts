// FORMAT.md, "Batches": base frames, each with one account or none.
import { Entry } from '../../cache/entry.ts';
import { freezeJson } from '../../cache/json.ts';
import { decodeBatch } from './batch.ts';
import type { FrameContent } from './frame.ts';
import type { IndexRow } from './manifest.ts';

/** The frames of one account, or those of entries without an account. */
export interface Group {
  /** `null` for entries without an account. */
  readonly row: IndexRow | null;
  /** A rewrite replaces them by the same frames in the new file. An account has one. */
  frames: readonly FrameContent[];
}

/** The base frames of each account; `null` for entries without an account. */
export type Groups = ReadonlyMap<string | null, Group>;

/**
 * Returns the entries of a base frame; `null` if it does not conform to FORMAT.md.
 *
 * @throws VaultError `vault_damaged` if it is not authentic
 */
export function entriesIn(content: FrameContent, fileId: Buffer): Entry[] | null {
  const { body, sealed } = content;
  const changes = decodeBatch({ body, sealed }, fileId)?.changes;
  body.fill(0);
  if (changes === undefined) return null;
  const entries: Entry[] = [];
  for (const { section, key, after } of changes) {
    if (after === undefined || !freezeJson(after)) return null;
    entries.push(Entry.of(section, key, after));
  }
  return entries;
}
