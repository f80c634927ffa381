/**
 * Reads the keys of a table in a SQLite database (sqlite.org/fileformat2.html) from its index alone. The pages with the values, which may
 * be secrets, are not read, and nothing is locked or created.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Maximum pages of the schema and of the index. Programs have a few hundred keys. */
const MOST_PAGES = 4_096;
const MAGIC = 'SQLite format 3\0';
/** Page types: b-trees of a table and of an index. */
const [INDEX_INTERIOR, TABLE_INTERIOR, INDEX_LEAF, TABLE_LEAF] = [0x02, 0x05, 0x0a, 0x0d];
const NON_BLOCKING = process.platform === 'win32' ? 0 : constants.O_NONBLOCK;

/**
 * Returns the first column of the unique index that SQLite creates for `table`, such as for a primary key of type text.
 *
 * @returns null if the file is not such a database, has no such table, or was changed while it was read
 * @throws the system's error if the file can't be read
 */
export async function keysIn(file: string, table: string): Promise<string[] | null> {
  const handle = await open(file, constants.O_RDONLY | NON_BLOCKING);
  const wal = await open(`${file}-wal`, constants.O_RDONLY | NON_BLOCKING).catch(() => null);
  try {
    if (!(await handle.stat()).isFile()) return null;
    const before = await bytesAt(handle, 0, 100);
    const pages = await pagesOf(handle, before, wal);
    if (pages === null) return null;
    const root = await rootOfIndex(pages, table);
    const keys = root === undefined ? null : await textsIn(pages, root);
    const after = await bytesAt(handle, 0, 100);
    return before.equals(after) ? keys : null;
  } catch (error) {
    // Not in the file format: incomplete, or another version.
    if (error instanceof RangeError) return null;
    throw error;
  } finally {
    await handle.close();
    await wal?.close();
  }
}

interface Pages {
  /** Number of bytes of a page that are used. */
  readonly usable: number;
  /** Pages are counted from 1. */
  read: (number: number) => Promise<Buffer>;
}

async function pagesOf(handle: FileHandle, header: Buffer, wal: FileHandle | null): Promise<Pages | null> {
  const isUtf8 = header.length === 100 && header.readUInt32BE(56) <= 1;
  if (!isUtf8 || header.toString('latin1', 0, 16) !== MAGIC) return null;
  const stored = header.readUInt16BE(16);
  const size = stored === 1 ? 65_536 : stored;
  if (size < 512 || (size & (size - 1)) !== 0) return null;
  const newer = wal === null ? new Map<number, number>() : await pagesInLog(wal, size);
  let count = 0;
  return {
    usable: size - header.readUInt8(20),
    async read(number) {
      count += 1;
      if (number < 1 || count > MOST_PAGES) throw new RangeError('The database has no such page.');
      const at = newer.get(number);
      const bytes =
        at === undefined || wal === null
          ? await bytesAt(handle, (number - 1) * size, size)
          : await bytesAt(wal, at, size);
      if (bytes.length < size) throw new RangeError('The database ends too early.');
      return bytes;
    },
  };
}

/** Returns where the write-ahead log has newer pages than the database: those of committed transactions. */
async function pagesInLog(wal: FileHandle, size: number): Promise<Map<number, number>> {
  const committed = new Map<number, number>();
  const header = await bytesAt(wal, 0, 32);
  if (header.length < 32 || header.readUInt32BE(8) !== size) return committed;
  const pending = new Map<number, number>();
  for (let at = 32, frames = 0; frames < MOST_PAGES; at += 24 + size, frames += 1) {
    const frame = await bytesAt(wal, at, 24);
    // Frames of an earlier log have other salts.
    if (frame.length < 24 || !frame.subarray(8, 16).equals(header.subarray(16, 24))) break;
    pending.set(frame.readUInt32BE(0), at + 24);
    if (frame.readUInt32BE(4) === 0) continue;
    for (const [number, where] of pending) committed.set(number, where);
    pending.clear();
  }
  return committed;
}

async function rootOfIndex(pages: Pages, table: string): Promise<number | undefined> {
  const name = `sqlite_autoindex_${table}_1`;
  for (const [type, own, , root] of await recordsIn(pages, 1))
    if (type === 'index' && own === name && typeof root === 'number') return root;
  return undefined;
}

async function textsIn(pages: Pages, root: number): Promise<string[]> {
  return (await recordsIn(pages, root)).flatMap(([key]) => (typeof key === 'string' ? [key] : []));
}

type Field = string | number | null;

/** Returns the records of a b-tree, as far as they are in its own pages. Longer ones are cut off. */
async function recordsIn(pages: Pages, root: number): Promise<Field[][]> {
  const page = await pages.read(root);
  const start = root === 1 ? 100 : 0;
  const type = page.readUInt8(start);
  const isInterior = type === INDEX_INTERIOR || type === TABLE_INTERIOR;
  if (!isInterior && type !== INDEX_LEAF && type !== TABLE_LEAF)
    throw new RangeError('The database has a page of an unknown type.');
  const records: Field[][] = [];
  const first = start + (isInterior ? 12 : 8);
  for (let cell = 0; cell < page.readUInt16BE(start + 3); cell += 1) {
    let at = page.readUInt16BE(first + cell * 2);
    if (isInterior) {
      records.push(...(await recordsIn(pages, page.readUInt32BE(at))));
      at += 4;
      if (type === TABLE_INTERIOR) continue; // Its cells have no records.
    }
    const length = varint(page, at);
    at = length.end;
    if (type === TABLE_LEAF) at = varint(page, at).end;
    records.push(
      fieldsOf(page.subarray(at, at + localBytes(length.value, pages.usable, type === TABLE_LEAF))),
    );
  }
  if (isInterior) records.push(...(await recordsIn(pages, page.readUInt32BE(start + 8))));
  return records;
}

/** Returns the number of bytes of a record that are in its page. The rest is in overflow pages. */
function localBytes(length: number, usable: number, isTable: boolean): number {
  const most = isTable ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
  if (length <= most) return length;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const own = least + ((length - least) % (usable - 4));
  return own <= most ? own : least;
}

/** Sizes of integers in bytes, by their serial type. */
const INTEGERS = [0, 1, 2, 3, 4, 6, 8] as const;

function fieldsOf(record: Buffer): Field[] {
  const header = varint(record, 0);
  const fields: Field[] = [];
  let body = header.value;
  for (let at = header.end; at < header.value; ) {
    const { value: type, end } = varint(record, at);
    at = end;
    const size = type >= 12 ? (type - 12 - (type % 2)) / 2 : (INTEGERS[type] ?? (type === 7 ? 8 : 0));
    const isWhole = body + size <= record.length;
    if (type >= 13 && type % 2 === 1)
      fields.push(isWhole ? record.toString('utf8', body, body + size) : null);
    else if (type === 8 || type === 9) fields.push(type - 8);
    else if (isWhole && size > 0 && size <= 6 && type < 7) fields.push(record.readIntBE(body, size));
    else fields.push(null);
    body += size;
  }
  return fields;
}

/** Reads a varint: an integer of one to nine bytes. */
function varint(bytes: Buffer, at: number): { value: number; end: number } {
  let value = 0;
  for (let end = at; end < at + 9; end += 1) {
    const byte = bytes.readUInt8(end);
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, end: end + 1 };
  }
  throw new RangeError('The database has a number that is too large.');
}

async function bytesAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
