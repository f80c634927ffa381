import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SerializableTokenCache } from '../../../src-main/cache/document/serializable-token-cache.ts';
import { decrypt } from '../../../src-main/vault/exchange/age.ts';
import { openVault, openVaultIn } from '../../../src-main/vault/vault.ts';
import { homeOf, signIn, usersIn } from '../../vault/people.ts';
import type { Child } from '../child.ts';
import { FolderKeychain } from '../folder-keychain.ts';
import { lookAt, mustBeClean, mustBeClosed, usersFound } from '../look.ts';
import { must } from '../tally.ts';
import type { Fault } from './faulty-io.ts';
import { EXPORT, OPERATIONS, type Operation, PASSPHRASE, type Users } from './operations.ts';
import type { Order, Said } from './victim.ts';

/** Returns the calls that an operation makes without a fault. */
export async function callsOf(
  child: Child,
  operation: string,
  template: string,
  folder: string,
): Promise<string[]> {
  return trial(child, { folder, operation, fault: null }, template);
}

/** Injects a fault into one call, and checks the vault: at once, after it has continued, and at the end. */
export async function trial(child: Child, order: Order, template: string): Promise<string[]> {
  const { folder, fault } = order;
  const operation = OPERATIONS[order.operation];
  if (operation === undefined) throw new Error(`There is no operation ${order.operation}.`);
  cpSync(template, folder, { recursive: true });
  new FolderKeychain(join(folder, 'keys')).moveTo(join(folder, 'cache.vault'));
  const file = join(folder, 'cache.vault');
  const older = existsSync(file) ? readFileSync(file) : null;

  child.tell(JSON.stringify(order));
  const outcome = await hear(child, 'outcome');
  const crashed = outcome === null;
  must(
    crashed === (fault?.effect.kind === 'crash'),
    `it ${crashed ? 'ended' : 'did not end'}: ${child.complaint}`,
  );
  const durable = outcome?.acknowledged === true && outcome.held === 'disk';
  const found = await checkNow(operation, folder, older, durable);
  if (outcome?.acknowledged === false && operation.several !== true && !mayLie(fault, outcome.error)) {
    must(sameUsers(found, operation.before), `it rejected (${outcome.error ?? ''}), and yet it is done`);
  }

  if (outcome === null) await goOnElsewhere(operation, folder);
  else {
    child.tell('go on');
    const memory = await hear(child, 'memory');
    if (memory === null) throw new Error('it did not go on');
    const expected = outcome.held === 'memory' || durable ? operation.after : found;
    must(
      sameUsers(memory.users, expected),
      `memory has ${JSON.stringify(memory.users)} where the file has ${JSON.stringify(expected)}`,
    );
    await hear(child, 'later');
    const end = await hear(child, 'end');
    must(end?.error === undefined, `it could not go on: ${end?.error ?? ''}`);
  }
  await checkLater(operation, folder, older, durable, outcome?.value);
  return outcome?.calls ?? [];
}

/** `null` if the process ended. */
async function hear<Word extends Said['word']>(
  child: Child,
  word: Word,
): Promise<Extract<Said, { word: Word }> | null> {
  const line = await child.next();
  if (line === null) return null;
  const said: Said = JSON.parse(line);
  if (said.word === 'end' && word !== 'end') throw new Error(`it could not go on: ${said.error ?? ''}`);
  must(said.word === word, `it said ${said.word} where ${word} was due`);
  return said as Extract<Said, { word: Word }>;
}

/** Expects the complete old or new state; after an acknowledgement, the new one. */
async function checkNow(
  operation: Operation,
  folder: string,
  older: Buffer | null,
  durable: boolean,
): Promise<Users> {
  const { before, after, rescue } = operation;
  const file = join(folder, 'cache.vault');
  const untouched = older !== null && existsSync(file) && readFileSync(file).equals(older);
  if (rescue === true) {
    must(untouched || keptAside(folder, older), 'the file as it was is gone');
    must(!durable || !untouched, 'it was acknowledged, and is not done');
    if (untouched) return before;
  }
  if (operation.again === true) await checkExport(folder, durable, after);
  const opening = await lookAt(folder);
  must(opening.state === 'ready', `the vault is ${opening.state}`);
  const users = usersFound(opening);
  for (const home of new Set([...Object.keys(before), ...Object.keys(after), ...Object.keys(users)])) {
    const value = users[home];
    const possible = durable ? [after[home]] : [before[home], after[home]];
    must(possible.includes(value), `${home} is ${value ?? 'gone'}, and should be ${possible.join(' or ')}`);
  }
  return users;
}

/** Checks the vault after the fault is over and another process has opened it. */
async function checkLater(
  operation: Operation,
  folder: string,
  older: Buffer | null,
  durable: boolean,
  value: unknown,
): Promise<void> {
  const file = join(folder, 'cache.vault');
  const keychain = new FolderKeychain(join(folder, 'keys'));
  const vault = await openVault({ file, keychain });
  const users = await vault.read(usersIn);
  await vault.close(); // Does what a sign-out had to postpone.
  must(vault.status.state === 'ready', `in the end the vault is ${vault.status.state}`);
  must(homeOf('later') in users, 'a later update is not there');
  if (durable) {
    for (const [home, secret] of Object.entries(operation.after))
      must(users[home] === secret, `in the end, ${home} is ${users[home] ?? 'gone'}`);
  }
  const gone = Object.keys(operation.before).some((home) => !(home in operation.after) && !(home in users));
  if (operation.closesOlder === true && older !== null && (gone || (durable && value !== 'pending'))) {
    await mustBeClosed(folder, older);
  }
  const again = await lookAt(folder);
  must(
    again.contents?.metadata.pending === null,
    `in the end, ${String(again.contents?.metadata.pending)} is still to be done`,
  );
  mustBeClean(folder);
}

async function goOnElsewhere({ run, rescue, again }: Operation, folder: string): Promise<void> {
  const keychain = new FolderKeychain(join(folder, 'keys'));
  const vault = await openVaultIn(
    { file: join(folder, 'cache.vault'), keychain },
    { now: anHourLater, scryptWork: 1 },
  );
  if (again === true || (rescue === true && vault.status.state !== 'ready')) await run(vault);
  await vault.update((cache) => signIn(cache, 'later'));
  await vault.compact();
  await vault.close();
}

/** Files that are left by then belong to no process. */
function anHourLater(): number {
  return Date.now() + 3600 * 1000;
}

/** An export is complete or absent; after an acknowledgement, it is complete. */
async function checkExport(folder: string, durable: boolean, expected: Users): Promise<void> {
  const file = join(folder, EXPORT);
  if (!existsSync(file)) {
    must(!durable, 'the export was acknowledged, and is not there');
    return;
  }
  const document = new SerializableTokenCache();
  document.deserialize((await decrypt(readFileSync(file), PASSPHRASE, EXPORT)).toString());
  must(sameUsers(usersIn(document), expected), 'the export does not have what the vault has');
}

function keptAside(folder: string, older: Buffer | null): boolean {
  const names = readdirSync(folder).filter((name) => /\.(damaged|older|orphan)-/.test(name));
  return older !== null && names.some((name) => readFileSync(join(folder, name)).equals(older));
}

function sameUsers(a: Users, b: Users): boolean {
  const sorted = (users: Users): string => JSON.stringify(Object.entries(users).sort());
  return sorted(a) === sorted(b);
}

/**
 * Returns whether a rejected save may have been written: the call succeeded but returned an error; or a later call failed after the new
 * file had its name, and the error says so; or nothing works any more, not even undoing it.
 */
function mayLie(fault: Fault | null, error = ''): boolean {
  return (
    fault?.effect.kind === 'done' || fault?.effect.kind === 'for good' || error.includes('file is in place')
  );
}
