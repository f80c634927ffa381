/**
 * Names in the questions of the main process. The author of a document chose them, so none may add lines to a question or change its text
 * direction.
 */
import { type CachedAccount, nameWithRealm, sharedText, usernameOf } from 'tokenkeep/ipc';
import { printable } from 'tokenkeep/vault';

/** Names an account in a question. */
export function whoIs(account: CachedAccount): string {
  const name = printable(usernameOf(account) || account.home_account_id || '', 120) || 'this account';
  return printable(nameWithRealm(name, account), 240);
}

/** Says in a question why a refresh may sign another program out. */
export function sharedBy(who: string, source: string | null): string {
  return sharedText(who, source === null ? null : printable(source, 300));
}
