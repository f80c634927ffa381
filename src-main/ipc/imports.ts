/**
 * Importing a document in two steps: what would be merged is shown, and merged once someone agrees. In between the
 * document stays in the main process, under an id that can't be guessed.
 */
import { randomBytes } from 'node:crypto';
import { planMerge, merge } from '../cache/merge.ts';
import { SerializableTokenCache } from '../cache/serializable-token-cache.ts';
import { DocumentError, InvalidArgumentError } from '../errors.ts';
import type { ImportPlan, ImportReport } from './contract.ts';
import { type DocumentFile, readDocumentFile } from './document-file.ts';
import type { ServedVault } from './served-vault.ts';

/** A plan that nobody answers is given up: a document of 100 MB takes several times that in memory. */
const KEPT_SECONDS = 600;

export interface ImportsOptions {
  vault: Promise<ServedVault>;
  /** Seconds since the epoch. */
  now: () => number;
  /** A file is being read; a large one takes a second or two. */
  reading: (file: { fileName: string; bytes: number }) => void;
}

export interface Imports {
  /** @throws DocumentError naming the file: nothing is merged and nothing kept. */
  plan(path: string): Promise<ImportPlan>;
  /** @throws InvalidArgumentError where the plan is not there any more. */
  confirm(planId: string): Promise<ImportReport>;
  /** Gives a plan up; one that is not there is no error. */
  cancel(planId: string): void;
}

export function imports({ vault, now, reading }: ImportsOptions): Imports {
  /** One at a time: a second plan takes the place of the first. */
  let kept: { id: string; until: number; document: SerializableTokenCache } | undefined;

  return {
    async plan(path) {
      const file = await readDocumentFile(path, reading);
      const document = parse(file, now);
      const plan = await (await vault).read((cache) => planMerge(cache, document));
      const id = randomBytes(16).toString('base64url');
      kept = { id, until: now() + KEPT_SECONDS, document };
      return { id, fileName: file.name, bytes: file.bytes, ...plan };
    },

    async confirm(planId) {
      const chosen = kept;
      if (chosen?.id !== planId || now() > chosen.until) {
        if (chosen?.id === planId) kept = undefined;
        throw new InvalidArgumentError(
          'This import was planned too long ago, or another one was begun since. Nothing was merged; choose the file again.',
        );
      }
      const report = await (await vault).update((cache) => merge(cache, chosen.document));
      // Only now: where the update was refused, the same plan can be confirmed again.
      if (kept === chosen) kept = undefined;
      return {
        accountsAdded: report.accounts.added,
        tokensAdded: report.tokens.added,
        tokensReplaced: report.tokens.replaced,
        notUnderstood: report.notUnderstood,
      };
    },

    cancel(planId) {
      if (kept?.id === planId) kept = undefined;
    },
  };
}

function parse(file: DocumentFile, now: () => number): SerializableTokenCache {
  const document = new SerializableTokenCache({ now });
  try {
    document.deserialize(file.text);
  } catch (error) {
    throw error instanceof DocumentError ? namingTheFile(file, error) : error;
  }
  return document;
}

function namingTheFile(file: DocumentFile, error: DocumentError): DocumentError {
  const what =
    error.code === 'document_not_json'
      ? 'is not a cache document, or was cut off while it was written: its text is not valid JSON'
      : 'is JSON, but not a cache document of an MSAL library';
  return new DocumentError(error.code, `“${file.name}” ${what}. Nothing was imported.`, { cause: error });
}
