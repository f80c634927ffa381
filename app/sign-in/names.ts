/** Names in the questions of the main process. Whoever made a document chose them, so none may add lines to a question or turn its text. */
import { type CachedAccount, usernameOf } from 'tokenkeep/ipc';
import { printable } from 'tokenkeep/vault';

/** Names an account in a question. */
export function whoIs(account: CachedAccount): string {
  return printable(usernameOf(account) || account.home_account_id || '', 120) || 'this account';
}

/** Names the file that an account was imported from. */
export function fileOf(source: string | null): string {
  return printable(source ?? '', 300) || 'a file';
}
