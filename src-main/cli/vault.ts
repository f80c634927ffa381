/** Opens the vault for the command and maps its states to exit codes. */
import { isAbsolute, join, resolve } from 'node:path';
import { StorageError, TokenkeepError, VaultError } from '../errors.ts';
import type { Vault } from '../vault/api.ts';
import type { VaultState } from '../vault/state.ts';
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

/** States in which the vault can be read. */
const READABLE: ReadonlySet<string> = new Set(['ready', 'read-only', 'busy', 'damaged', 'older', 'copy']);

/** Returns the path of the vault: `--vault`, else `TOKENKEEP_VAULT`, else the vault of the desktop app. */
export function vaultFile(given: Given, world: World): string {
  const { env, platform } = world;
  const named = given.value('vault') ?? env['TOKENKEEP_VAULT'];
  if (named !== undefined && named !== '') return resolve(named);
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
 * @throws Stop (not found) if `--vault` names a vault that does not exist: a misspelt path must not look like an empty vault
 */
export async function withVault<T>(
  given: Given,
  world: World,
  task: (vault: Vault) => Promise<T>,
  { isMade = false }: { isMade?: boolean } = {},
): Promise<T> {
  const file = vaultFile(given, world);
  const vault = await openVault({
    file,
    name: 'accounts',
    service: 'Tokenkeep',
    ...(world.keychain === undefined ? {} : { keychain: world.keychain }),
  });
  try {
    if (given.has('vault') && !isMade && !exists(vault))
      throw new Stop(EXIT.notFound, `${printable(file)} is not there. Nothing was read.`);
    return await task(vault);
  } finally {
    await vault.close();
  }
}

/** @throws Stop with the exit code and message of the state, if the vault cannot be read */
export function assertReadable({ status }: Vault): void {
  if (READABLE.has(status.state)) return;
  throw new Stop(CODES[status.state] ?? EXIT.failed, status.message ?? `The vault is ${status.state}.`);
}

/** @throws Stop if the vault cannot be read, or does not exist */
export function assertStored(vault: Vault): void {
  assertReadable(vault);
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
export function shownCode({ status }: Vault, { err }: Pick<World, 'err'>): number {
  if (status.state !== 'damaged' && status.state !== 'older' && status.state !== 'copy') return EXIT.ok;
  err.write(`tokenkeep: ${status.message ?? `The vault is ${status.state}.`}\n`);
  return CODES[status.state] ?? EXIT.failed;
}

/** Whether the vault file exists. Without it, a locked or missing keychain does not prevent listing. */
export function exists({ status }: Vault): boolean {
  const { state } = status;
  return status.bytes !== null || (state !== 'ready' && state !== 'locked' && state !== 'no-keychain');
}

/** Returns the exit code for an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Stop) return error.exitCode;
  if (error instanceof VaultError) {
    const state = error.code.replace(/^vault_/, '').replaceAll('_', '-');
    return CODES[state] ?? EXIT.failed;
  }
  if (error instanceof StorageError) return error.code === 'read_only_disk' ? EXIT.readOnly : EXIT.failed;
  if (error instanceof TokenkeepError && error.code === 'sign_in_required') return EXIT.signInRequired;
  return EXIT.failed;
}
