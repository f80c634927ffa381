/**
 * Imports a document in two steps: a plan lists what would be merged, and confirming it merges. In between, the document
 * stays in the main process under an id that can't be guessed.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { planMerge } from '../cache/document/merge.ts';
import type { SerializableTokenCache } from '../cache/document/serializable-token-cache.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { InvalidArgumentError } from '../errors.ts';
import { isAge } from '../vault/exchange/age.ts';
import { type DocumentFile, readDocumentFile } from '../vault/exchange/document-file.ts';
import { openDocument, reportOf } from '../vault/exchange/import.ts';
import { mergeAsImport } from '../accounts/account-history.ts';
import { importedAccounts, recordActivity } from './activity.ts';
import type { ImportLocked, ImportPlan, ImportReport } from './contract.ts';
import type { ServedVault } from './ports.ts';

/** Seconds after which an unanswered plan is discarded, because a document of 100 MB takes several times that in memory. */
const KEPT_SECONDS = 600;

/** Milliseconds for which a file waits for the one before it, which may be on a network drive that does not answer. */
const LONGEST_WAIT = 10_000;

export interface ImportsOptions {
  vault: () => Promise<ServedVault>;
  /** Seconds since the epoch. */
  now: () => number;
  /** Called when a file is being read; a large one takes a second or two. */
  reading: (file: { fileName: string; bytes: number }) => void;
}

export interface Imports {
  /**
   * A file that was exported with a passphrase stays encrypted until `unlock`. One file is read at a time. Of the files requested
   * meanwhile, only the last is read: a script, or a flood of second starts, could otherwise fill the memory with thousands.
   *
   * @throws SupersededError if another file was requested since
   * @throws DocumentError naming the file: nothing is merged and no plan is kept
   */
  plan(path: string): Promise<ImportPlan | ImportLocked>;
  /**
   * An open document needs no passphrase: its plan is returned again, and kept for as long as a new one. From then on, no other file that is
   * planned replaces it: what is done before it is confirmed, such as setting a vault aside, is not done for nothing.
   *
   * @throws PassphraseError if it is wrong; another can be tried
   * @throws InvalidArgumentError if the plan no longer exists
   */
  unlock(planId: string, passphrase: string): Promise<ImportPlan>;
  /** @throws InvalidArgumentError if the plan no longer exists */
  confirm(planId: string): Promise<ImportReport>;
  /** Discards a plan; one that no longer exists is no error. */
  cancel(planId: string): void;
}

/** Another file was requested before this one was read. */
export class SupersededError extends InvalidArgumentError {}

interface Kept {
  id: string;
  /** Seconds since the epoch. */
  until: number;
  file: Pick<DocumentFile, 'name'> & { bytes: number; path: string };
  /** The document, still encrypted or open. */
  content: DocumentFile | SerializableTokenCache;
}

/**
 * Merges an opened document as `vault.importFrom` does, inside an update, and records the import.
 *
 * @param at seconds since the epoch
 */
export function mergeImport(
  cache: TokenCache,
  document: SerializableTokenCache,
  { path, at }: { path: string; at: number },
): ImportReport {
  const report = reportOf(mergeAsImport(cache, document, path));
  const { accountsAdded, tokensAdded } = report;
  recordActivity(cache, at, importedAccounts(cache, document), {
    kind: 'import',
    file: path,
    accountsAdded,
    tokensAdded,
  });
  return report;
}

export function imports({ vault, now, reading }: ImportsOptions): Imports {
  /** One at a time: a second plan replaces the first. */
  let kept: Kept | undefined;
  /** The open document that was asked for again. A second plan does not replace it. */
  let claimed: Kept | undefined;
  let asked = 0;
  let lastReading: Promise<unknown> = Promise.resolve();

  const keep = ({ file, content }: Pick<Kept, 'file' | 'content'>): Kept => {
    if (claimed !== undefined && now() > claimed.until) claimed = undefined;
    kept = { id: randomBytes(16).toString('base64url'), until: now() + KEPT_SECONDS, file, content };
    return kept;
  };
  const drop = (planId: string): void => {
    if (kept?.id === planId) kept = undefined;
    if (claimed?.id === planId) claimed = undefined;
  };
  /** @throws InvalidArgumentError if there is no plan with this id any more */
  const find = (planId: string): Kept => {
    const found = [kept, claimed].find((each) => each?.id === planId);
    if (found !== undefined && now() <= found.until) return found;
    drop(planId);
    throw new InvalidArgumentError(
      'This import was planned too long ago, or another one was started since. Nothing was merged. Choose the file again.',
    );
  };
  const planOf = async ({ id, file }: Kept, document: SerializableTokenCache): Promise<ImportPlan> => {
    const counts = await (await vault()).read((cache) => planMerge(cache, document), { held: true });
    return { id, fileName: file.name, bytes: file.bytes, ...counts };
  };

  const read = async (path: string): Promise<ImportPlan | ImportLocked> => {
    const content = await readDocumentFile(path, reading);
    const file = { name: content.name, bytes: content.content.length, path };
    if (isAge(content.content)) {
      const { id } = keep({ file, content });
      return { id, fileName: file.name, bytes: file.bytes, locked: true };
    }
    const document = await openDocument(content, undefined, now);
    return planOf(keep({ file, content: document }), document);
  };

  return {
    plan(path) {
      const mine = ++asked;
      const before = Promise.race([lastReading, delay(LONGEST_WAIT, undefined, { ref: false })]);
      const turn = before.then(() => {
        if (mine === asked) return read(path);
        throw new SupersededError('Another file was chosen before this one was read. Nothing was merged.');
      });
      lastReading = turn.catch(() => undefined);
      return turn;
    },

    async unlock(planId, passphrase) {
      const chosen = find(planId);
      const { content } = chosen;
      if (!('content' in content)) {
        chosen.until = now() + KEPT_SECONDS;
        claimed = chosen;
        return planOf(chosen, content);
      }
      const document = await openDocument(content, passphrase, now);
      return planOf(keep({ file: find(planId).file, content: document }), document);
    },

    async confirm(planId) {
      const chosen = find(planId);
      const { content } = chosen;
      if ('content' in content) {
        throw new InvalidArgumentError('This import needs its passphrase first. Nothing was merged.');
      }
      const report = await (await vault()).update((cache) =>
        mergeImport(cache, content, { path: chosen.file.path, at: now() }),
      );
      // After the update, so that a refused plan can be confirmed again.
      drop(planId);
      return report;
    },

    cancel: drop,
  };
}
