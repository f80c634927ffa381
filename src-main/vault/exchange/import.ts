import { resolve } from 'node:path';
import { mergeAsImportInTurns } from '../../accounts/account-history.ts';
import type { MergeCounts } from '../../cache/document/merge.ts';
import { readDocument } from '../../cache/document/document.ts';
import { SerializableTokenCache } from '../../cache/document/serializable-token-cache.ts';
import { lostNames } from '../../cache/json.ts';
import { type InTurns, storeOf } from '../../cache/token-cache.ts';
import { DocumentError, type DocumentErrorCode, PassphraseError } from '../../errors.ts';
import { pauses } from '../contents.ts';
import { decrypt, isAge } from './age.ts';
import { assertText, type DocumentFile, readDocumentFile } from './document-file.ts';

/**
 * The result of an import.
 *
 * @example
 * import type { ImportReport } from 'tokenkeep/vault';
 *
 * const { accountsAdded }: ImportReport = await vault.importFrom('/media/stick/sign-ins.age', passphrase);
 */
export interface ImportReport {
  /** Accounts that were not there before, one per user. */
  accountsAdded: number;
  /** Credentials that were not there before. */
  tokensAdded: number;
  /** Credentials that replaced older ones. */
  tokensReplaced: number;
  /** Entries that Tokenkeep does not understand, added as they are. */
  notUnderstood: number;
}

export function reportOf({ accounts, tokens, notUnderstood }: MergeCounts): ImportReport {
  return {
    accountsAdded: accounts.added,
    tokensAdded: tokens.added,
    tokensReplaced: tokens.replaced,
    notUnderstood,
  };
}

/** Imports a file; see `Vault.importFrom`. Everything that can fail does so before `update` is called. */
export async function importFrom(
  file: string,
  passphrase: string | undefined,
  now: () => number,
  update: (fn: InTurns<MergeCounts>) => Promise<MergeCounts>,
): Promise<ImportReport> {
  const document = await openDocument(await readDocumentFile(file), passphrase, now);
  return reportOf(
    await update((cache, pause) => mergeAsImportInTurns(cache, document, resolve(file), pause)),
  );
}

/**
 * Returns the cache in a document that was exported by Tokenkeep or written by an MSAL library. The secrets of an export are
 * in the clear in memory from here on, and nowhere else.
 *
 * @param now seconds since the epoch
 * @throws PassphraseError `passphrase_needed` or `passphrase_wrong`; DocumentError, naming the file
 */
export async function openDocument(
  file: DocumentFile,
  passphrase: string | undefined,
  now: () => number,
): Promise<SerializableTokenCache> {
  if (!isAge(file.content)) return await parse(file, now);
  if (passphrase === undefined) {
    throw new PassphraseError(
      'passphrase_needed',
      `“${file.name}” is encrypted with a passphrase. Nothing was imported. Enter the passphrase to open it.`,
    );
  }
  const content = await decrypt(file.content, passphrase, file.name);
  try {
    return await parse({ name: file.name, content }, now);
  } finally {
    content.fill(0);
  }
}

/** Pauses between the passes over a large text. */
async function parse(file: DocumentFile, now: () => number): Promise<SerializableTokenCache> {
  const pause = pauses();
  assertText(file);
  const cache = new SerializableTokenCache({ now });
  const text = new TextDecoder('utf-8').decode(file.content);
  await pause();
  let roots: ReturnType<typeof readDocument>;
  try {
    roots = readDocument(storeOf(cache), text);
  } catch (error) {
    throw error instanceof DocumentError ? namingTheFile(file, error) : error;
  }
  await pause();
  if (lostNames(text, roots)) throw ambiguous(file);
  return cache;
}

/** MSAL libraries keep the last of two fields with one name, and so does `deserialize`. An import would drop the other without a word. */
function ambiguous({ name }: DocumentFile): DocumentError {
  return new DocumentError(
    'document_not_a_cache',
    `“${name}” has two fields of the same name, of which only one could be kept. No MSAL library writes such a file. Nothing was imported. Remove one of the two from a copy of the file, and import the copy.`,
  );
}

function namingTheFile({ name }: DocumentFile, error: DocumentError): DocumentError {
  const what: Partial<Record<DocumentErrorCode, string>> = {
    document_not_json:
      'is not a cache document, or was cut off while it was written: its text is not valid JSON',
    document_too_large: 'has more entries or values than a cache document may have',
  };
  return new DocumentError(
    error.code,
    `“${name}” ${what[error.code] ?? 'is not a cache document of an MSAL library'}. Nothing was imported.`,
    { cause: error },
  );
}
