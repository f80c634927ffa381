// FORMAT.md, "Batches": base frames, each with one account or none.
import { isUnderstood } from '../../cache/schema/fields.ts';
import { accountOf, Entry, type UnreadSource } from '../../cache/entry.ts';
import { freezeJson } from '../../cache/json.ts';
import { isEntityType } from '../../cache/schema/entities.ts';
import { type Change, decodeBatch, type DecodedRow, decodeRows } from './batch.ts';
import type { FrameContent } from './frame.ts';
import type { Header } from './header.ts';
import type { Group } from './frame-writer.ts';
import { isObject } from './json.ts';
import type { IntactFrame } from './frame-reader.ts';

/** The base frames of each account; `null` for entries without an account. */
export type Groups = ReadonlyMap<string | null, Group>;

/**
 * The base of a file. Parses every frame to check that it conforms to FORMAT.md and to find where its entries belong.
 * Entries without a secret are kept, because lists are made of them; the others are dropped, and read again on
 * demand.
 */
export class Base {
  readonly groups = new Map<string | null, Group>();
  /** Whether every authentic frame conforms to FORMAT.md. Known once all entries have been taken. */
  sound = true;
  /** The authentic base frames, without the manifest. */
  readonly frames: readonly IntactFrame[];
  readonly #fileId: Buffer;
  /** Accounts with misplaced entries: none of their frames may be copied on its own. */
  readonly #astray = new Set<string | null>();

  constructor(frames: readonly IntactFrame[], { baseFrames, fileId }: Header) {
    this.frames = frames.filter(({ ordinal }) => ordinal > 0 && ordinal < baseFrames);
    this.#fileId = fileId;
  }

  /** Returns the entries of a frame; none if it does not conform to FORMAT.md. */
  read({ content }: IntactFrame): Entry[] {
    const rows = decodeRows(content)?.rows;
    if (rows === undefined || !rows.every(isSet)) {
      this.sound = false;
      return [];
    }
    const source = new FrameSource(content, this.#fileId);
    let owner: string | undefined;
    let username = '';
    const entries: Entry[] = [];
    for (const [index, row] of rows.entries()) {
      const entry = entryOf(row, source, index, owner);
      owner ??= entry.account;
      if (entry.account !== owner) this.#astray.add(entry.account || null).add(owner || null);
      if (username === '' && row.section === 'Account') username = usernameOf(row.value);
      entries.push(entry);
    }
    this.#keep(owner || null, username, content);
    return entries;
  }

  /** Must be called after all frames were read. */
  end(): void {
    for (const account of this.#astray) this.groups.delete(account);
  }

  #keep(account: string | null, username: string, content: FrameContent): void {
    const known = this.groups.get(account);
    if (known !== undefined) {
      this.groups.set(account, { ...known, frames: [...known.frames, content] });
      return;
    }
    const entry = account === null ? null : { home_account_id: account, username };
    this.groups.set(account, { account: entry, frames: [content] });
  }
}

/** Whether the change is valid in the base: it sets something, no deeper than JSON may be here. */
function isSet({ value }: DecodedRow): boolean {
  if (!isObject(value)) return value !== undefined && freezeJson(value);
  for (const name in value) {
    const field = value[name];
    if (typeof field === 'object' && !freezeJson(field)) return false;
  }
  return true;
}

/** @param known the account of the frame; its entries then share one string */
function entryOf(row: DecodedRow, source: UnreadSource, index: number, known = ''): Entry {
  const { section, key, value, sealedLength } = row;
  if (sealedLength === null || key === null || !isObject(value)) return Entry.of(section, key, value);
  if (!isEntityType(section)) return Entry.of(section, key, source.read(index));
  // This value is never visible: it is created again on demand, with its secret sealed.
  value['secret'] = 'sealed';
  const understood = isUnderstood(section, value);
  const own = accountOf(value, understood);
  const account = own === known ? known : own;
  return Entry.unread({ section, key, account, isUnderstood: understood, source, index });
}

function usernameOf(value: unknown): string {
  const username = isObject(value) ? value['username'] : null;
  return typeof username === 'string' ? username : '';
}

class FrameSource implements UnreadSource {
  readonly #content: FrameContent;
  readonly #fileId: Buffer;
  #changes: readonly Change[] | undefined;

  constructor(content: FrameContent, fileId: Buffer) {
    this.#content = content;
    this.#fileId = fileId;
  }

  read(index: number): unknown {
    this.#changes ??= decodeBatch(this.#content, this.#fileId)?.changes ?? [];
    return this.#changes[index]?.after;
  }
}
