/** Reads a file that the user chose to import, or reports in one sentence why it can't be read. Writes nothing. */
import { isUtf8 } from 'node:buffer';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { codeOf } from '../../error-code.ts';
import { DocumentError } from '../../errors.ts';
import { isVaultHeader } from '../format/header.ts';
import { printable } from '../printable.ts';
import { readAtMost } from './read-at-most.ts';

/** 128 MiB. A document of 10,000 accounts has about 100 MB, and its text has to fit into memory several times. */
export const MAX_DOCUMENT_BYTES = 128 * 1024 * 1024;

export interface DocumentFile {
  /** The file's name without its folder, safe to show. */
  name: string;
  content: Buffer;
}

/**
 * Reads a whole cache document.
 *
 * @param reading called with the name and size before the content is read
 * @throws DocumentError `document_unreadable` or `document_too_large`, naming the file.
 */
export async function readDocumentFile(
  path: string,
  reading?: (file: { fileName: string; bytes: number }) => void,
): Promise<DocumentFile> {
  const name = printable(basename(path), 100);
  const file = await openFile(path, name);
  try {
    const about = await file.stat();
    if (!about.isFile()) throw notAFile(name, about.isDirectory());
    const { size } = about;
    if (size > MAX_DOCUMENT_BYTES) throw tooLarge(name, size);
    reading?.({ fileName: name, bytes: size });
    const content = await readAtMost(file, MAX_DOCUMENT_BYTES);
    if (content === null) throw tooLarge(name);
    return { name, content };
  } catch (error) {
    throw error instanceof DocumentError ? error : unreadable(name, error);
  } finally {
    await file.close();
  }
}

/** Windows has neither this flag nor named pipes in the file system. */
const NON_BLOCKING = process.platform === 'win32' ? 0 : constants.O_NONBLOCK;

async function openFile(path: string, name: string): Promise<FileHandle> {
  try {
    // Non-blocking: opening a named pipe without a writer would block forever.
    return await open(path, constants.O_RDONLY | NON_BLOCKING);
  } catch (error) {
    throw unreadable(name, error);
  }
}

function notAFile(name: string, isFolder: boolean): DocumentError {
  return new DocumentError(
    'document_unreadable',
    isFolder
      ? `“${name}” is a folder, not a file. Nothing was imported. Choose the cache document itself.`
      : `“${name}” is a device or a pipe, not a file. Nothing was imported.`,
  );
}

/** @throws DocumentError `document_not_json` or `document_not_a_cache`, naming the file. */
export function assertText({ name, content }: DocumentFile): void {
  if (content.length === 0) throw notText(`“${name}” is empty. Nothing was imported.`);
  if ((content[0] === 0xff && content[1] === 0xfe) || (content[0] === 0xfe && content[1] === 0xff)) {
    throw notText(`“${name}” is encoded as UTF-16. Nothing was imported. Save it as UTF-8, then try again.`);
  }
  if (isVaultHeader(content)) {
    throw new DocumentError(
      'document_not_a_cache',
      `“${name}” is a vault file, not an export: only the key in its own keychain opens it. Nothing was imported. Export its accounts where it opens, and choose that export.`,
    );
  }
  if (content.includes(0)) {
    throw notText(
      `“${name}” is not a text file. It may have been encrypted by the app that wrote it. Nothing was imported. Choose a plain cache document or an export.`,
    );
  }
  if (!isUtf8(content)) {
    throw notText(`“${name}” is not UTF-8 text, so it is no cache document. Nothing was imported.`);
  }
}

function notText(message: string): DocumentError {
  return new DocumentError('document_not_json', message);
}

/** @param bytes undefined if the file has more than it says */
function tooLarge(name: string, bytes?: number): DocumentError {
  const megabytes = (count: number): string => `${Math.round(count / 1024 / 1024)} MB`;
  const size = bytes === undefined ? `more than ${megabytes(MAX_DOCUMENT_BYTES)}` : megabytes(bytes);
  return new DocumentError(
    'document_too_large',
    `“${name}” has ${size}. Cache documents of up to ${megabytes(MAX_DOCUMENT_BYTES)} can be imported. Nothing was imported.`,
  );
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  EACCES: 'can’t be read: this user has no permission',
  EPERM: 'can’t be read: this user has no permission',
  EISDIR: 'is a folder, not a file',
  ELOOP: 'can’t be read: its links lead in a circle',
  ENXIO: 'is a device or a pipe, not a file',
};

function unreadable(name: string, cause: unknown): DocumentError {
  const code = codeOf(cause);
  const reason = REASONS[code] ?? `can’t be read${code === '' ? '' : ` (${code})`}`;
  return new DocumentError('document_unreadable', `“${name}” ${reason}. Nothing was imported.`, { cause });
}
