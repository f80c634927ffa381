/** The vault and the caches of other programs, as the command reads them. */
import { resolve } from 'node:path';
import { brokerSignIns } from '../sources/broker.ts';
import { findSources, type FoundSource, sourceFromFile } from '../sources/find.ts';
import { readSource, type SourceReading } from '../sources/read.ts';
import { removeLeftovers } from '../sources/program-lock.ts';
import { windowsDpapi } from '../sources/dpapi.ts';
import type { SecretReaders } from '../sources/sealed.ts';
import { secretService } from '../sources/secret-service.ts';
import type { Vault } from '../vault/api.ts';
import { openVault } from '../vault/vault.ts';
import type { Given } from './arguments.ts';
import { type Named, type Opened, peopleIn, type Person, VAULT } from './people.ts';
import { assertReadable, exists } from './vault.ts';
import { EXIT, Stop, type World } from './world.ts';

interface ReadSource {
  readonly source: FoundSource;
  readonly reading: SourceReading;
}

/** The mechanisms that open sealed caches. They never unlock a keyring, since that would prompt for a password. */
export function secretsOf({ env, platform, keychain }: World): SecretReaders {
  return {
    secretService: () => secretService(env),
    broker: () => brokerSignIns(env),
    ...(keychain === undefined
      ? {}
      : { vault: (file) => openVault({ file, service: 'Tokenkeep', keychain }) }),
    dpapi: () => (platform === process.platform ? windowsDpapi(platform, env) : null),
  };
}

/** Reads every source on this computer, and the files that are named. */
export async function readSources(given: Given, world: World): Promise<ReadSource[]> {
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
export function placeName({ program, name }: FoundSource): string {
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
export async function vaultPlace(vault: Vault, world: World): Promise<Opened[]> {
  if (!exists(vault)) return [];
  assertReadable(vault, world);
  return vault.read((cache) => [{ name: VAULT, cache, accounts: cache.accounts() }]);
}

/** Sign-ins of programs whose tokens are not read. */
function namedIn(sources: readonly ReadSource[]): Named[] {
  return sources.flatMap(({ source, reading }) =>
    reading.names.map((signIn) => ({ place: placeName(source), source, signIn })),
  );
}

/** Returns every account in the vault and the sources. */
export async function everyone(
  given: Given,
  world: World,
  vault: Vault,
): Promise<{ people: Person[]; sources: ReadSource[] }> {
  const own = await vaultPlace(vault, world);
  const sources = await readSources(given, world);
  return { people: peopleIn([...own, ...openedOf(sources)], world.now(), namedIn(sources)), sources };
}
