/** Which vault is this profile's. */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';

export interface Profile {
  /** Where the app keeps what is its own; made by Electron, for this user alone. */
  folder: string;
  vaultFile: string;
  /** Names the key in the keychain. */
  vaultName: string;
}

/**
 * The keychain is one for all profiles of a user, so each has a key of its own; else a sign-out in one, which
 * destroys the old key, would close the vault of the other. The usual folder's key has a fixed name, and not one made
 * from the path: a home folder that is renamed, or restored elsewhere, must still open.
 */
export function profileIn(folder: string, usualFolder: string): Profile {
  const usual = resolve(folder) === resolve(usualFolder);
  const mark = createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 12);
  return {
    folder,
    vaultFile: join(folder, 'accounts.vault'),
    vaultName: usual ? 'accounts' : `accounts-${mark}`,
  };
}
