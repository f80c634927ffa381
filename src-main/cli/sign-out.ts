/** `signout`: signs accounts out of the vault and of other programs, checks the result, and offers to undo it. */
import { basename } from 'node:path';
import type { SignOutReceipt } from '../cache/schema/entities.ts';
import { TokenkeepError } from '../errors.ts';
import { historyOf } from '../accounts/account-history.ts';
import { activityAccount, recordActivity } from '../ipc/activity.ts';
import { everywherePage } from '../sources/everywhere.ts';
import { displayPath, isGone, programAt, realFile } from '../sources/find.ts';
import { ownCopyText } from '../sources/own-copy.ts';
import { howToLeave } from '../sources/read.ts';
import { signOutAtSource, type SourceReceipt } from '../sources/sign-out.ts';
import type { Vault } from '../vault/api.ts';
import { note } from './activity.ts';
import type { Given } from './arguments.ts';
import { namedIn, nameOf, type Opened, type Person, personNamed, tokenCount, VAULT } from './people.ts';
import { everyone, secretsOf } from './places.ts';
import { json, painted, printable } from './text.ts';
import { appNameOf, withVault } from './vault.ts';
import { assertAgreed, EXIT, Stop, type World } from './world.ts';

interface Leaving {
  readonly place: string;
  readonly result: 'Signed out' | 'Still signed in' | 'Pending' | 'Other copy' | 'Not confirmed';
  readonly says: string;
}

export function signOut(given: Given, world: World): Promise<number> {
  const [name] = given.operands;
  if ((name === undefined) === !given.has('expired'))
    throw new Stop(EXIT.usage, 'Name one account, or give --expired.');
  return withVault(given, world, async (vault) => {
    const { people } = await everyone(given, world, vault);
    const leaving =
      name === undefined
        ? people.filter(
            ({ status, places: where }) =>
              status.is === 'Needs sign-in' && where.some(({ opened }) => opened.source === undefined),
          )
        : [personNamed(people, name)];
    if (leaving.length === 0) {
      const none = 'No account of the vault needs sign-in, so nobody was signed out.';
      world.out.write(given.has('json') ? '[]\n' : `${none}\n`);
      return EXIT.ok;
    }
    const copies = new Map<Person, readonly Leaving[]>();
    for (const person of leaving) copies.set(person, await otherCopies(person, world));
    if (!given.has('yes')) await confirmed(leaving, copies, world);
    const results: (Leaving & { account: string })[] = [];
    const undoable: Undoable[] = [];
    let isRecorded = false;
    for (const person of leaving) {
      const left = await leaveAll(person, vault, world, undoable);
      isRecorded ||= left.isRecorded;
      for (const result of left.results) results.push({ account: nameOf(person), ...result });
    }
    for (const person of leaving)
      for (const result of [...(copies.get(person) ?? []), ...atProvider(person)])
        results.push({ account: nameOf(person), ...result });
    const order: readonly Leaving['result'][] = [
      'Still signed in',
      'Pending',
      'Other copy',
      'Signed out',
      'Not confirmed',
    ];
    results.sort((a, b) => order.indexOf(a.result) - order.indexOf(b.result));
    if (given.has('json')) world.out.write(json(results));
    else
      for (const { account, place, result, says } of results)
        world.out.write(
          `${painted(result.padEnd(16), world)}${printable(leaving.length > 1 ? `${account} in ${place}` : place).padEnd(18)} ${printable(says)}\n`,
        );
    const app = appNameOf(vault.status.file, world);
    if (!given.has('json') && isRecorded)
      world.out.write(
        `Receipt of ${new Date(world.now() * 1000).toISOString().slice(0, 19)}Z, kept in the vault${app === 'Tokenkeep' ? ': Tokenkeep shows it under Activity' : ''}.\n`,
      );
    // After JSON, nothing may follow that makes it untrue.
    const isAsked = undoable.length > 0 && !given.has('yes') && !given.has('json');
    const isUndone = isAsked && (await undone(undoable, world));
    for (const { receipt } of undoable) receipt.done();
    // Until its key is destroyed, an older copy of the vault can be opened. With --vault-only, other copies are left on purpose.
    const left = ['Still signed in', 'Pending', ...(given.has('vault-only') ? [] : ['Other copy'])];
    const isStill = isUndone || results.some(({ result }) => left.includes(result));
    return isStill ? EXIT.stillSignedIn : EXIT.ok;
  });
}

/** A sign-out at another program, which can be undone until the command ends. */
interface Undoable {
  readonly person: Person;
  readonly place: string;
  readonly receipt: SourceReceipt;
}

/**
 * Offers to restore the entries that were removed from other programs. They are kept encrypted in memory until the user answers: on a disk,
 * the sign-in would not have ended. A sign-out of the vault can't be undone, since its old key is destroyed.
 *
 * @returns whether the user undid the sign-out
 */
async function undone(undoable: readonly Undoable[], world: World): Promise<boolean> {
  const where = [...new Set(undoable.map(({ place }) => place))].join(', ');
  const question = `Press Enter to finish, or type “undo” to put back what was removed from ${where}: `;
  const answer = await world.ask(printable(question)).catch((error: unknown) => {
    if (error instanceof Stop) return ''; // Ctrl+C restores nothing.
    throw error;
  });
  if (!/^undo$/i.test(answer.trim())) return false;
  // The last one first, so that each finds what it left.
  for (const { person, place, receipt } of [...undoable].reverse())
    try {
      await receipt.undo();
      world.out.write(
        `${printable(`Undone           ${place.padEnd(18)} ${nameOf(person)} is signed in again.`)}\n`,
      );
    } catch (error) {
      if (!(error instanceof TokenkeepError)) throw error;
      world.out.write(`${printable(`Not undone       ${place.padEnd(18)} ${error.message}`)}\n`);
    }
  return true;
}

/**
 * Returns the files that an account of the vault was imported from and that this sign-out does not change. Files that were deleted since
 * are left out; one that can't be looked up counts as present.
 */
async function otherCopies({ places, named }: Person, world: World): Promise<Leaving[]> {
  const own = places.find(({ opened }) => opened.source === undefined);
  if (own === undefined) return [];
  const sources = [...places.map(({ opened }) => opened.source), ...named.map(({ source }) => source)];
  const told = new Set(
    await Promise.all(sources.flatMap((source) => (source === undefined ? [] : realFile(source.file)))),
  );
  const copies: Leaving[] = [];
  for (const { id } of namedIn(own.opened.cache, own.account)) {
    const file = historyOf(own.opened.cache, id).source;
    if (file === null || told.has(await realFile(file)) || (await isGone(file))) continue;
    const program = await programAt(file, { platform: world.platform, home: world.home, env: world.env });
    const says = ownCopyText([{ program, file: displayPath(file, world.home) }], printable);
    copies.push({ place: program ?? basename(file), result: 'Other copy', says });
  }
  return copies;
}

/** Microsoft has no endpoint that revokes a refresh token. The user can end all sessions on a page of Microsoft. */
function atProvider({ account }: Person): Leaving[] {
  const page = everywherePage(account);
  if (page === null) return [];
  const says = `Nothing is revoked there. For all devices: ${page.url}, then ${page.choose}`;
  return [{ place: 'Microsoft', result: 'Not confirmed', says }];
}

async function confirmed(
  leaving: readonly Person[],
  copies: ReadonlyMap<Person, readonly Leaving[]>,
  world: World,
): Promise<void> {
  if (!world.isInteractive)
    throw new Stop(
      EXIT.cancelled,
      'There is no terminal to ask for confirmation in, so nothing was changed. Add --yes to sign out.',
    );
  let count = 0;
  for (const person of leaving) {
    world.err.write(`Sign out ${printable(person.account.name ?? nameOf(person))}?\n`);
    for (const { opened, account } of person.places) {
      if (opened.source === undefined || opened.source.leaving.by === 'tokenkeep') count += 1;
      const own = tokenCount(opened, account);
      const says =
        opened.source === undefined
          ? `${own} ${own === 1 ? 'token is' : 'tokens are'} removed, the encryption key is rotated`
          : opened.source.place.content === 'vault'
            ? `${own} ${own === 1 ? 'token is' : 'tokens are'} removed, its encryption key is rotated`
            : opened.source.leaving.by === 'tokenkeep'
              ? `${own} ${own === 1 ? 'token is' : 'tokens are'} removed, the other accounts stay`
              : howToLeave(opened.source);
      world.err.write(`${printable(`  ${placeIn(person, opened, world).padEnd(18)} ${says}`)}\n`);
    }
    for (const { place, source, signIn } of person.named)
      world.err.write(
        printable(`  ${place.padEnd(18)} can’t be changed by Tokenkeep. ${howToLeave(source, signIn)}`) +
          '\n',
      );
    for (const { place, says } of copies.get(person) ?? [])
      world.err.write(`${printable(`  ${place.padEnd(18)} ${says}`)}\n`);
  }
  if (count === 0)
    throw new Stop(EXIT.stillSignedIn, 'Tokenkeep can’t sign out of these places. Nothing was changed.');
  const question = `Sign out of ${count} ${count === 1 ? 'place' : 'places'}? [y/N] `;
  await assertAgreed(world, question, 'Cancelled. Nothing was changed.');
}

async function leaveAll(
  person: Person,
  vault: Vault,
  world: World,
  undoable: Undoable[],
): Promise<{ results: Leaving[]; isRecorded: boolean }> {
  let isRecorded = false;
  const results: Leaving[] = person.named.map(({ place, source, signIn }) => ({
    place,
    result: 'Still signed in',
    says: howToLeave(source, signIn),
  }));
  let removed = 0;
  const named = person.places.flatMap(({ opened, account }) => namedIn(opened.cache, account)).slice(0, 1);
  const own = person.places.find(({ opened }) => opened.source === undefined);
  for (const { opened, account } of person.places) {
    const { source } = opened;
    if (source === undefined) continue;
    const name = placeIn(person, opened, world);
    results.push(
      await leaving(name, async () => {
        const receipt = await signOutAtSource(source, account, {
          secrets: secretsOf(world),
          now: () => world.now(),
        });
        if (countOf(receipt.removed) > 0) undoable.push({ person, place: name, receipt });
        else receipt.done();
        removed += countOf(receipt.removed);
        if (receipt.remaining === 0)
          return {
            result: 'Signed out',
            says: `${tokensIn(receipt.removed)} removed, none left (checked again)${receipt.left === undefined ? '' : `. ${receipt.left}`}`,
          };
        const left = receipt.remaining ?? 0;
        const says = receipt.problem ?? `${left} ${left === 1 ? 'entry is' : 'entries are'} left`;
        const done = countOf(receipt.removed) > 0 ? `${tokensIn(receipt.removed)} removed. ` : '';
        return { result: 'Still signed in', says: `${done}${says}` };
      }),
    );
  }
  // The vault is last, so that the event that is written with the removal counts the tokens of all places.
  if (own !== undefined)
    results.push(
      await leaving(VAULT, async () => {
        const { value, oldKey } = await vault.erase((cache) => {
          const receipt = cache.signOut(own.account);
          const tokens = removed + countOf(receipt.removed);
          recordActivity(cache, Math.floor(world.now()), named.map(activityAccount), {
            kind: 'sign-out',
            tokens,
          });
          return receipt;
        });
        isRecorded = true;
        const key = oldKey === undefined ? '' : `, old key ${oldKey}`;
        const { file, warnings = [] } = vault.status;
        const unrecorded = warnings.includes('sign_out_unrecorded')
          ? `. That it waits could not be noted in “${file}.mark”: an older copy of the vault that is put back would bring the account back`
          : '';
        const { remaining } = value;
        const left =
          remaining === 0
            ? 'none left (checked again)'
            : `${remaining} ${remaining === 1 ? 'entry is' : 'entries are'} left`;
        return {
          result: remaining > 0 ? 'Still signed in' : oldKey === 'pending' ? 'Pending' : 'Signed out',
          says: `${tokensIn(value.removed)} removed, ${left}${key}${unrecorded}`,
        };
      }),
    );
  else if (removed > 0) isRecorded = await note(vault, world, named, { kind: 'sign-out', tokens: removed });
  return { results, isRecorded };
}

/** Returns the name of a place, with its item or file where a program has the account in several. */
function placeIn({ places }: Person, { name, source }: Opened, { home }: World): string {
  if (source === undefined || places.filter(({ opened }) => opened.name === name).length === 1) return name;
  return `${name} (${source.place.password?.account ?? displayPath(source.file, home)})`;
}

async function leaving(place: string, leave: () => Promise<Omit<Leaving, 'place'>>): Promise<Leaving> {
  try {
    return { place, ...(await leave()) };
  } catch (error) {
    if (!(error instanceof TokenkeepError)) throw error;
    return { place, result: 'Still signed in', says: error.message };
  }
}

function countOf({ AccessToken, RefreshToken, IdToken, grants = 0 }: SignOutReceipt['removed']): number {
  return AccessToken + RefreshToken + IdToken + grants;
}

function tokensIn(removed: SignOutReceipt['removed']): string {
  const count = countOf(removed);
  return `${count} ${count === 1 ? 'token' : 'tokens'}`;
}
