/** Records what the command did under Activity, in the same form as the desktop app. */
import { noteActivity } from '../ipc/activity.ts';
import type { CachedAccount } from '../accounts/cached-accounts.ts';
import type { Activity } from '../ipc/contract.ts';
import type { Vault } from '../vault/api.ts';
import type { World } from './world.ts';

/**
 * Records an event if there is a vault that can be written. Reading the caches of other programs is not recorded.
 *
 * @returns whether the event was recorded
 */
export function note(
  vault: Vault,
  world: World,
  accounts: readonly CachedAccount[],
  activity: Activity,
): Promise<boolean> {
  return noteActivity(vault, Math.floor(world.now()), accounts, activity);
}
