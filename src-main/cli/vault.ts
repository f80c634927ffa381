/** Opens the vault for the command and maps its states to exit codes. */
import { stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { StorageError, TokenkeepError, VaultError } from '../errors.ts';
import type { Vault } from '../vault/api.ts';
import { refusal } from '../vault/refusal.ts';
import type { VaultReport, VaultState } from '../vault/state.ts';
import { openVault } from '../vault/vault.ts';
import type { Given } from './arguments.ts';
import { printable } from './text.ts';
import { EXIT, Stop, type World } from './world.ts';

const CODES: Readonly<Record<string, number>> = {
  ready: EXIT.ok,
  locked: EXIT.locked,
  'no-keychain': EXIT.noKeychain,
  'key-missing': EXIT.keyMissing,
  'wrong-key': EXIT.wrongKey,
  damaged: EXIT.damaged,
  newer: EXIT.newer,
  'read-only': EXIT.readOnly,
  unreadable: EXIT.unreadable,
  busy: EXIT.busy,
  older: EXIT.older,
  copy: EXIT.copy,
} satisfies Readonly<Record<VaultState, number>> & Record<string, number>;

/** Returns the exit code of a state. */
export function codeOfState(state: VaultState): number {
  return CODES[state] ?? EXIT.failed;
}

/** States in which the vault can be read. */
const READABLE: ReadonlySet<string> = new Set(['ready', 'read-only', 'busy', 'damaged', 'older', 'copy']);

/** States that are ended by a choice for which the command has no verb. */
const CHOSEN_IN_APP: ReadonlySet<string> = new Set(['key-missing', 'wrong-key', 'damaged', 'older', 'copy']);

/** Adds to the message of a state where the user can make the choice that it names. */
function explained(state: string, says: string, file: string, world: World): string {
  if (!CHOSEN_IN_APP.has(state)) return says;
  return `${says} Make that choice in ${appNameOf(file, world)}: this command can’t.`;
}

/** Returns the name of the app that uses a vault. */
export function appNameOf(file: string, world: World): string {
  const other = 'the app that uses the vault';
  try {
    return file === ownVaultFile(world) ? 'Tokenkeep' : other;
  } catch {
    return other; // the home folder is unknown, so the vault was named
  }
}

function messageOf({ status: { state, message, file } }: Vault, world: World): string {
  return explained(state, message ?? `The vault is ${state}.`, file, world);
}

/** Returns the path of the vault: `--vault`, else `TOKENKEEP_VAULT`, else the vault of the desktop app. */
export function vaultFile(given: Given, world: World): string {
  const named = given.value('vault') ?? world.env['TOKENKEEP_VAULT'];
  return named !== undefined && named !== '' ? resolve(named) : ownVaultFile(world);
}

/** @throws Stop if it is in the home folder, and that is unknown */
function ownVaultFile(world: World): string {
  const { env, platform } = world;
  const folder =
    platform === 'win32'
      ? (env['APPDATA'] ?? join(world.home, 'AppData', 'Roaming'))
      : platform === 'darwin'
        ? join(world.home, 'Library', 'Application Support')
        : (absolute(env['XDG_CONFIG_HOME']) ?? join(world.home, '.config'));
  return join(folder, 'Tokenkeep', 'accounts.vault');
}

function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}

/**
 * Opens the vault for one task and always closes it.
 *
 * @param isMade whether the task may make the vault
 * @throws Stop (not found) if `--vault` names a vault that does not exist, or a folder if the task may make the vault: a misspelt path must
 *   not look like an empty vault
 */
export async function withVault<T>(
  given: Given,
  world: World,
  task: (vault: Vault) => Promise<T>,
  { isMade = false }: { isMade?: boolean } = {},
): Promise<T> {
  const file = vaultFile(given, world);
  if (given.has('vault') && isMade && !(await isThere(dirname(file))))
    throw new Stop(EXIT.notFound, `The folder ${printable(dirname(file))} is not there. Nothing was read.`);
  const open = world.openVault ?? openVault;
  const vault = await open({
    file,
    name: 'accounts',
    service: 'Tokenkeep',
    ...(world.keychain === undefined ? {} : { keychain: world.keychain }),
  });
  try {
    if (given.has('vault') && !isMade && !exists(vault))
      throw new Stop(EXIT.notFound, `${printable(file)} is not there. Nothing was read.`);
    return await task(vault);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    const says = explained(stateOf(error), error.message, vault.status.file, world);
    throw new Stop(exitCodeOf(error), says);
  } finally {
    await vault.close();
  }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** @throws Stop with the exit code and message of the state, if the vault cannot be read */
export function assertReadable(vault: Vault, world: World): void {
  const { state } = vault.status;
  if (!READABLE.has(state)) throw new Stop(CODES[state] ?? EXIT.failed, messageOf(vault, world));
}

/** @throws Stop if the vault cannot be read, or does not exist */
export function assertStored(vault: Vault, world: World): void {
  assertReadable(vault, world);
  if (!exists(vault))
    throw new Stop(
      EXIT.notFound,
      `There is no vault yet: ${printable(vault.status.file)} is not there. Nothing was done.`,
    );
}

/**
 * Returns the exit code after output: 0, or that of a state in which the vault is only partly readable, whose message is then printed
 * as well.
 */
export function shownCode(vault: Vault, world: World): number {
  const { state } = vault.status;
  if (state !== 'damaged' && state !== 'older' && state !== 'copy') return EXIT.ok;
  world.err.write(`tokenkeep: ${printable(messageOf(vault, world))}\n`);
  return CODES[state] ?? EXIT.failed;
}

/** Whether the vault file exists. Without it, a locked or missing keychain does not prevent listing. */
export function exists({ status }: Vault): boolean {
  const { state } = status;
  return status.bytes !== null || (state !== 'ready' && state !== 'locked' && state !== 'no-keychain');
}

/** Returns the exit code for an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Stop) return error.exitCode;
  if (error instanceof VaultError) return CODES[stateOf(error)] ?? EXIT.failed;
  if (error instanceof StorageError) return error.code === 'read_only_disk' ? EXIT.readOnly : EXIT.failed;
  if (error instanceof TokenkeepError && error.code === 'sign_in_required') return EXIT.signInRequired;
  return EXIT.failed;
}

function stateOf({ code }: VaultError): string {
  return code.replace(/^vault_/, '').replaceAll('_', '-');
}

/** Says what `verify` found. Only a file that was read and is not whole is called damaged. */
export function verified(vault: Vault, { sound, state }: VaultReport, world: World): string {
  if (sound) return 'File verified: complete and unchanged.';
  const { status } = vault;
  // Verifying reads more than opening, so it can find what the status does not know.
  const says =
    state === 'ready' || state === status.state
      ? messageOf(vault, world)
      : explained(state, refusal(state).message, status.file, world);
  return state === 'damaged' ? `Verification failed. ${says}` : `Not verified. ${says}`;
}
