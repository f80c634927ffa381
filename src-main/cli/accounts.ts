/** `list`, `show`, `sources` and `signout`: the verbs for accounts and their places. */
import { resolve } from 'node:path';
import type { SignOutReceipt } from '../cache/schema/entities.ts';
import { isMicrosoft } from '../cache/schema/environments.ts';
import { TokenkeepError } from '../errors.ts';
import { displayPath, findSources, type FoundSource, sourceFromFile } from '../sources/find.ts';
import { howToLeave, readSource, type SourceReading } from '../sources/read.ts';
import { removeLeftovers } from '../sources/program-lock.ts';
import { windowsDpapi } from '../sources/dpapi.ts';
import type { SecretReaders } from '../sources/sealed.ts';
import { secretService } from '../sources/secret-service.ts';
import { signOutAtSource } from '../sources/sign-out.ts';
import type { Vault } from '../vault/api.ts';
import { openVault } from '../vault/vault.ts';
import { activityAccount, recordActivity } from '../ipc/activity.ts';
import { namedIn, note } from './activity.ts';
import type { Given } from './arguments.ts';
import { homeOf, type Opened, peopleIn, type Person, personNamed, type Status, VAULT } from './people.ts';
import { clock, painted, paintOf, printable, relative, table } from './text.ts';
import { assertReadable, exists, shownCode, withVault } from './vault.ts';
import { EXIT, Stop, type World } from './world.ts';

interface ReadSource {
  readonly source: FoundSource;
  readonly reading: SourceReading;
}

/** Reads every source on this computer. Never unlocks a keyring, since that would prompt for a password. */
function secretsOf({ env, platform, keychain }: World): SecretReaders {
  return {
    secretService: () => secretService(env),
    ...(keychain === undefined
      ? {}
      : { vault: (file) => openVault({ file, service: 'Tokenkeep', keychain }) }),
    dpapi: () => (platform === process.platform ? windowsDpapi(platform, env) : null),
  };
}

async function readSources(given: Given, world: World): Promise<ReadSource[]> {
  const known = given.has('vault-only')
    ? []
    : await findSources({ platform: world.platform, home: world.home, env: world.env });
  const added = await Promise.all(given.values('file').map(addedFile));
  const found = [...known, ...added];
  await removeLeftovers(found);
  const options = { secrets: secretsOf(world), now: () => world.now() };
  return Promise.all(found.map(async (source) => ({ source, reading: await readSource(source, options) })));
}

async function addedFile(path: string): Promise<FoundSource> {
  const source = await sourceFromFile(resolve(path));
  if (source === null) throw new Stop(EXIT.notFound, `${path} is not there. Nothing was read.`);
  return source;
}

/** The program's id, or the name of a file that was added. */
function placeName({ program, name }: FoundSource): string {
  return program === 'file' ? name : program;
}

function openedOf(sources: readonly ReadSource[]): Opened[] {
  return sources.flatMap(({ source, reading }) =>
    reading.cache === null
      ? []
      : [{ name: placeName(source), cache: reading.cache, accounts: reading.accounts, source }],
  );
}

/** Reads the vault like a source; returns nothing if the vault file does not exist. */
async function vaultPlace(vault: Vault): Promise<Opened[]> {
  if (!exists(vault)) return [];
  assertReadable(vault);
  return vault.read((cache) => [{ name: VAULT, cache, accounts: cache.accounts() }]);
}

async function places(
  given: Given,
  world: World,
  vault: Vault,
): Promise<{ all: Opened[]; sources: ReadSource[] }> {
  const own = await vaultPlace(vault);
  const sources = await readSources(given, world);
  return { all: [...own, ...openedOf(sources)], sources };
}

export function list(given: Given, world: World): Promise<number> {
  return withVault(given, world, async (vault) => {
    const { all, sources } = await places(given, world, vault);
    const now = world.now();
    const people = peopleIn(all, now);
    if (given.has('json')) {
      world.out.write(
        `${JSON.stringify(
          people.map((person) => asJson(person)),
          null,
          2,
        )}\n`,
      );
      return EXIT.ok;
    }
    if (people.length === 0) world.out.write('Nobody is signed in.\n');
    else
      world.out.write(
        table(
          ['ACCOUNT', 'HOME TENANT', 'STATUS', 'NEXT EXPIRY', 'SOURCE'],
          people.map((person) => [
            nameOf(person),
            homeOf(person.account),
            statusText(person.status),
            nextExpiryText(person, now),
            [...new Set(person.places.map(({ opened }) => opened.name))].join(', '),
          ]),
          world.out.columns,
          paintOf(world),
        ),
      );
    const needing = people.filter(({ status }) => status.is === 'Needs sign-in').length;
    if (people.length > 0)
      world.out.write(
        `${people.length} ${people.length === 1 ? 'account' : 'accounts'}${needing === 0 ? '' : `, ${needing} ${needing === 1 ? 'needs' : 'need'} sign-in`}.\n`,
      );
    const unread = sources.filter(({ reading }) => reading.cache === null && reading.names.length === 0);
    if (unread.length > 0)
      world.err.write(
        `${unread.length} ${unread.length === 1 ? 'source' : 'sources'} can’t be read: see tokenkeep sources.\n`,
      );
    return shownCode(vault, world);
  });
}

function nameOf({ account }: Person): string {
  return account.username === '' ? account.home_account_id : account.username;
}

function nextExpiryText({ nextExpiry, tokens }: Person, now: number): string {
  if (nextExpiry !== undefined) return relative(nextExpiry, now);
  const access = tokens.filter(({ type }) => type === 'access');
  const isOver = access.every(({ expiresOn = Infinity }) => expiresOn <= now);
  return access.length > 0 && isOver ? 'expired' : '–';
}

function statusText(status: Status): string {
  return status.is === 'Active until' ? `Active until ${clock(status.until)}` : status.is;
}

function asJson({ account, places: where, status, nextExpiry, tokens }: Person): Record<string, unknown> {
  return {
    home_account_id: account.home_account_id,
    environment: account.environment,
    ...('issuer' in account ? { issuer: account.issuer } : {}),
    username: account.username,
    ...(account.name === undefined ? {} : { name: account.name }),
    tenants: account.tenants,
    status: status.is,
    ...(status.is === 'Active until' ? { until: status.until } : {}),
    ...(status.is === 'Needs sign-in' ? { reason: status.reason, since: status.at } : {}),
    next_expiry: nextExpiry ?? null,
    sources: where.map(({ opened }) => ({ name: opened.name, file: opened.source?.file ?? null })),
    tokens: tokens.length,
  };
}

export function show(given: Given, world: World): Promise<number> {
  return withVault(given, world, async (vault) => {
    const { all } = await places(given, world, vault);
    const now = world.now();
    const person = personNamed(peopleIn(all, now), given.operands[0] ?? '');
    const { account, tokens } = person;
    if (given.has('json')) {
      world.out.write(`${JSON.stringify({ ...asJson(person), tokens }, null, 2)}\n`);
      return EXIT.ok;
    }
    const guests = account.tenants.slice(1).map(({ realm }) => realm);
    world.out.write(
      `${printable([account.name, nameOf(person), homeOf(account)].filter((part) => part !== undefined && part !== '').join(' · '))}${guests.length === 0 ? '' : `, guest in ${printable(guests.join(', '))}`}\n`,
    );
    const { status } = person;
    const why = status.is === 'Needs sign-in' ? `: ${status.reason} ${relative(status.at, now)}` : '';
    world.out.write(`Status  ${statusText(status)}${why}\n`);
    const shown = given.has('all')
      ? tokens
      : tokens.filter(({ type, expiresOn }) => type !== 'ID' && (expiresOn === undefined || expiresOn > now));
    if (shown.length > 0)
      world.out.write(
        table(
          ['TOKEN', 'FOR', 'APP', 'SOURCE', 'TIME LEFT'],
          shown.map(({ type, target, client_id, place, expiresOn }) => [
            type,
            target === '' ? 'this app' : target,
            client_id,
            place,
            expiresOn === undefined
              ? '–'
              : expiresOn > now
                ? relative(expiresOn, now)
                : `expired ${relative(expiresOn, now)}`,
          ]),
          world.out.columns,
          paintOf(world),
        ),
      );
    const more = tokens.length - shown.length;
    const hints = [
      ...(more > 0 ? [`${more} more: add --all.`] : []),
      ...(status.is === 'Needs sign-in' ? ['To sign in again, open Tokenkeep.'] : []),
    ];
    if (hints.length > 0) world.out.write(`${hints.join(' ')}\n`);
    return shownCode(vault, world);
  });
}

export function sources(given: Given, world: World): Promise<number> {
  return withVault(given, world, async (vault) => {
    const found = await readSources(given, world);
    const { status } = vault;
    const own = !exists(vault) || status.state === 'ready' ? await vaultPlace(vault) : [];
    const rows = [
      {
        source: VAULT,
        state: exists(vault) ? (status.state === 'ready' ? 'open' : status.state) : 'no vault yet',
        accounts: own[0]?.accounts.length ?? null,
        where: status.file,
        problem: status.message,
      },
      ...found.map(({ source, reading }) => ({
        source: placeName(source),
        state: stateText(source, reading, world.now()),
        accounts:
          reading.state === 'accounts' || reading.state === 'empty'
            ? reading.accounts.length + reading.names.length
            : null,
        where: source.file,
        problem: reading.problem,
      })),
    ];
    if (given.has('json')) {
      world.out.write(`${JSON.stringify(rows, null, 2)}\n`);
      return EXIT.ok;
    }
    world.out.write(
      table(
        ['SOURCE', 'STATE', 'ACCOUNTS', 'WHERE'],
        rows.map(({ source, state, accounts, where }) => [
          source,
          state,
          accounts === null ? '–' : String(accounts),
          displayPath(where, world.home),
        ]),
        world.out.columns,
        paintOf(world),
      ),
    );
    return EXIT.ok;
  });
}

/** Seconds for which a change counts as new. */
const JUST_NOW = 60;

function stateText(
  { leaving, program }: FoundSource,
  { state, writtenAt }: SourceReading,
  now: number,
): string {
  const age = writtenAt === null ? Infinity : now - writtenAt;
  const news =
    age < 0 || age >= JUST_NOW
      ? ''
      : age < 1
        ? ', changed just now'
        : `, changed ${relative(now - age, now)}`;
  const words: Readonly<Record<SourceReading['state'], string>> = {
    accounts: `${leaving.by === 'tokenkeep' ? 'open' : 'open, view only'}${news}`,
    empty: 'nobody signed in',
    locked: 'locked by the system',
    'no-permission': 'no permission',
    sealed: `can’t be read: use ${program}`,
    'not-understood': 'not understood',
    'in-use': 'in use by its program',
    gone: 'gone',
  };
  return words[state];
}

interface Leaving {
  readonly place: string;
  readonly result: 'Signed out' | 'Still signed in' | 'Pending' | 'Not confirmed';
  readonly says: string;
}

export function signOut(given: Given, world: World): Promise<number> {
  const [name] = given.operands;
  if ((name === undefined) === !given.has('expired'))
    throw new Stop(EXIT.usage, 'Name one account, or give --expired.');
  return withVault(given, world, async (vault) => {
    const { all } = await places(given, world, vault);
    const people = peopleIn(all, world.now());
    const leaving =
      name === undefined
        ? people.filter(
            ({ status, places: where }) =>
              status.is === 'Needs sign-in' && where.some(({ opened }) => opened.source === undefined),
          )
        : [personNamed(people, name)];
    if (leaving.length === 0) {
      world.out.write('Nobody has to be signed out.\n');
      return EXIT.ok;
    }
    if (!given.has('yes')) await confirmed(leaving, world);
    const results: (Leaving & { account: string })[] = [];
    for (const person of leaving)
      for (const result of await leaveAll(person, vault, world))
        results.push({ account: nameOf(person), ...result });
    for (const person of leaving)
      if (isMicrosoft(person.account.environment)) results.push({ account: nameOf(person), ...AT_MICROSOFT });
    const order: readonly Leaving['result'][] = ['Still signed in', 'Pending', 'Signed out', 'Not confirmed'];
    results.sort((a, b) => order.indexOf(a.result) - order.indexOf(b.result));
    if (given.has('json')) world.out.write(`${JSON.stringify(results, null, 2)}\n`);
    else
      for (const { account, place, result, says } of results)
        world.out.write(
          `${painted(result.padEnd(16), world)}${printable(leaving.length > 1 ? `${account} in ${place}` : place).padEnd(18)} ${says}\n`,
        );
    if (!given.has('json') && exists(vault))
      world.out.write(
        `Receipt of ${new Date(world.now() * 1000).toISOString().slice(0, 19)}Z, kept under Activity.\n`,
      );
    return results.some(({ result }) => result === 'Still signed in') ? EXIT.stillSignedIn : EXIT.ok;
  });
}

/** Microsoft has no endpoint that revokes a refresh token. The user can end all sessions on a page of theirs. */
const AT_MICROSOFT: Leaving = {
  place: 'Microsoft',
  result: 'Not confirmed',
  says: 'Nothing is revoked there. For all devices: https://myaccount.microsoft.com, then Sign out everywhere',
};

async function confirmed(leaving: readonly Person[], world: World): Promise<void> {
  if (!world.isInteractive)
    throw new Stop(
      EXIT.cancelled,
      'Nobody can be asked here, so nothing was changed. Add --yes to sign out.',
    );
  let count = 0;
  for (const person of leaving) {
    world.err.write(`Sign out ${printable(person.account.name ?? nameOf(person))}?\n`);
    for (const { opened } of person.places) {
      count += 1;
      const own = person.tokens.filter(({ place }) => place === opened.name).length;
      const says =
        opened.source === undefined
          ? `${own} ${own === 1 ? 'token is' : 'tokens are'} removed, the encryption key is rotated`
          : opened.source.place.content === 'vault'
            ? `${own} ${own === 1 ? 'token is' : 'tokens are'} removed, its encryption key is rotated`
            : opened.source.leaving.by === 'tokenkeep'
              ? `${own} ${own === 1 ? 'token is' : 'tokens are'} removed, the other accounts stay`
              : howToLeave(opened.source);
      world.err.write(`  ${opened.name.padEnd(18)} ${says}\n`);
    }
  }
  const answer = await world.ask(`Sign out of ${count} ${count === 1 ? 'place' : 'places'}? [y/N] `);
  if (!/^y(?:es)?$/i.test(answer.trim())) throw new Stop(EXIT.cancelled, 'Nothing was changed.');
}

async function leaveAll(person: Person, vault: Vault, world: World): Promise<Leaving[]> {
  const results: Leaving[] = [];
  let removed = 0;
  const named = person.places.flatMap(({ opened, account }) => namedIn(opened.cache, account)).slice(0, 1);
  const own = person.places.find(({ opened }) => opened.source === undefined);
  for (const { opened, account } of person.places) {
    if (opened.source === undefined) continue;
    results.push(
      await leaving(opened.name, async () => {
        const receipt = await signOutAtSource(opened.source as FoundSource, account, {
          secrets: secretsOf(world),
          now: () => world.now(),
        });
        receipt.done();
        removed += countOf(receipt.removed);
        if (receipt.remaining === 0)
          return {
            result: 'Signed out',
            says: `${tokensIn(receipt.removed)} removed, none left (checked again)${receipt.left === undefined ? '' : `. ${receipt.left}`}`,
          };
        const says = receipt.problem ?? `${receipt.remaining ?? 0} entries are left`;
        return { result: 'Still signed in', says };
      }),
    );
  }
  // Last, so that the event that is written with the removal has the tokens of all places.
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
        const key = oldKey === undefined ? '' : `, old key ${oldKey}`;
        return {
          result: oldKey === 'pending' ? 'Pending' : 'Signed out',
          says: `${tokensIn(value.removed)} removed, none left (checked again)${key}`,
        };
      }),
    );
  else if (removed > 0) await note(vault, world, named, { kind: 'sign-out', tokens: removed });
  return results;
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
