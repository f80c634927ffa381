// A process in which one call goes wrong. Works through orders, a line of JSON each, until one of them ends it.
import { join } from 'node:path';
import { KeychainError } from '../../../src-main/errors.ts';
import type { Keychain } from '../../../src-main/keychain/keychain.ts';
import { openVaultIn } from '../../../src-main/vault/vault.ts';
import type { Vault } from '../../../src-main/vault/api.ts';
import { signIn, usersIn } from '../../vault/people.ts';
import { FolderKeychain } from '../folder-keychain.ts';
import { orders, say } from '../say.ts';
import { told } from '../tally.ts';
import { type Fault, FaultyIo } from './faulty-io.ts';
import { OPERATIONS } from './operations.ts';

export interface Order {
  folder: string;
  operation: string;
  fault: Fault | null;
}

/** Its output, in this order. A crash may end it early. */
export type Said =
  | { word: 'standby' }
  | { word: 'outcome'; acknowledged: boolean; error?: string; value?: unknown; held: string; calls: string[] }
  /** After `go on`: its contents in memory, and whether a later update was saved. */
  | { word: 'memory'; users: Record<string, string> }
  | { word: 'later'; error?: string }
  | { word: 'end'; error?: string };

export async function victim(): Promise<void> {
  tell({ word: 'standby' });
  const lines = orders()[Symbol.asyncIterator]();
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
    const order: Order = JSON.parse(line.value);
    const { vault, io } = await carryOut(order);
    await lines.next(); // `go on`
    await goOn(vault, io, order);
  }
}

async function carryOut({ folder, operation, fault }: Order): Promise<{ vault: Vault; io: FaultyIo }> {
  const file = join(folder, 'cache.vault');
  const io = new FaultyIo(file);
  const doing = operationNamed(operation);
  const vault = await openVaultIn(
    {
      file,
      keychain: faultyKeychain(new FolderKeychain(join(folder, 'keys')), io),
      ...(doing.unprotected === undefined ? {} : { unprotected: doing.unprotected }),
    },
    // No automatic retries, so that the effect of the fault is visible.
    {
      io,
      timers: { setTimeout: () => undefined, clearTimeout: () => undefined },
      now: () => (io.isArmed ? Date.now() : Date.now() + 3600 * 1000),
      scryptWork: 1,
    },
  );
  io.arm(fault);
  let outcome: { acknowledged: boolean; error?: string; value?: unknown };
  try {
    outcome = { acknowledged: true, value: await doing.run(vault) };
  } catch (error) {
    outcome = { acknowledged: false, error: told(error) };
  }
  tell({ word: 'outcome', ...outcome, held: vault.status.held, calls: [...io.calls] });
  return { vault, io };
}

/** The fault is over, and the same vault continues as if nothing had happened. */
async function goOn(vault: Vault, io: FaultyIo, { operation }: Order): Promise<void> {
  const { rescue, again, run } = operationNamed(operation);
  io.disarm();
  try {
    if (vault.status.state !== 'ready' || vault.status.held === 'memory') await vault.retry();
    if (again === true || (rescue === true && vault.status.state !== 'ready')) await run(vault);
    tell({ word: 'memory', users: await vault.read(usersIn) });
    await vault.update((cache) => signIn(cache, 'later'));
    tell({ word: 'later' });
    await vault.compact();
    await vault.close();
    tell({ word: 'end' });
  } catch (error) {
    tell({ word: 'end', error: told(error) });
  }
}

function faultyKeychain(keychain: FolderKeychain, io: FaultyIo): Keychain {
  const call = async <T>(name: string, act: () => Promise<T>): Promise<T> => {
    try {
      return await io.call(`keychain ${name}`, act);
    } catch (error) {
      throw new KeychainError('keychain_locked', 'locked', { cause: error });
    }
  };
  return {
    get: (service, account) => call('get', () => keychain.get(service, account)),
    set: (service, account, secret) => call('set', () => keychain.set(service, account, secret)),
    delete: (service, account) => call('delete', () => keychain.delete(service, account)),
  };
}

function operationNamed(name: string): (typeof OPERATIONS)[string] & object {
  const operation = OPERATIONS[name];
  if (operation === undefined) throw new Error(`There is no operation ${name}.`);
  return operation;
}

function tell(said: Said): void {
  say(JSON.stringify(said));
}
