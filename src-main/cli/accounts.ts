/** `list`, `show` and `sources`: who is signed in, and where. */
import { displayPath, type FoundSource } from '../sources/find.ts';
import { howToLeave, type SourceReading } from '../sources/read.ts';
import type { Given } from './arguments.ts';
import {
  appOf,
  homeOf,
  nameOf,
  type Person,
  personNamed,
  placesOf,
  type Status,
  type TokenLine,
  VAULT,
} from './people.ts';
import { everyone, placeName, readSources, vaultPlace } from './places.ts';
import { clock, duration, json, moment, painted, paintOf, printable, relative, table } from './text.ts';
import { appNameOf, exists, shownCode, withVault } from './vault.ts';
import { EXIT, type World } from './world.ts';

export function list(given: Given, world: World): Promise<number> {
  return withVault(given, world, async (vault) => {
    const { people, sources: found } = await everyone(given, world, vault);
    const now = world.now();
    if (given.has('json')) {
      world.out.write(json(people.map((person) => asJson(person))));
      return shownCode(vault, world);
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
            placesOf(person).join(', '),
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
    const unread = found.filter(({ reading }) => !READ.has(reading.state)).length;
    const inPart = found.filter(({ reading }) => isReadInPart(reading)).length;
    for (const [count, what] of [
      [unread, 'can’t be read'],
      [inPart, 'can’t be read completely'],
    ] as const)
      if (count > 0)
        world.err.write(`${count} ${count === 1 ? 'source' : 'sources'} ${what}: see tokenkeep sources.\n`);
    return shownCode(vault, world);
  });
}

/** The states of a source that was read, or is not there any more. */
const READ: ReadonlySet<SourceReading['state']> = new Set(['accounts', 'empty', 'gone']);

/** Whether a part of a source could not be read, such as one of several items in the keyring. */
function isReadInPart({ state, problem }: SourceReading): boolean {
  return (state === 'accounts' || state === 'empty') && problem !== undefined;
}

function nextExpiryText({ nextExpiry, tokens, named }: Person, now: number): string {
  if (nextExpiry !== undefined) return relative(nextExpiry, now);
  if (tokens.length === 0 && named.some(({ signIn }) => (signIn.expiresOn ?? Infinity) <= now))
    return 'expired';
  const access = tokens.filter(({ type }) => type === 'access');
  const isOver = access.every(({ expiresOn = Infinity }) => expiresOn <= now);
  return access.length > 0 && isOver ? 'expired' : '–';
}

function statusText(status: Status): string {
  return status.is === 'Active until' ? `Active until ${clock(status.until)}` : status.is;
}

function asJson({
  account,
  places: where,
  named,
  status,
  nextExpiry,
  tokens,
}: Person): Record<string, unknown> {
  return {
    home_account_id: account.home_account_id,
    environment: account.environment,
    ...('issuer' in account ? { issuer: account.issuer } : {}),
    username: account.username,
    ...(account.name === undefined ? {} : { name: account.name }),
    tenants: account.tenants,
    status: status.is,
    ...(status.is === 'Active until' ? { until: status.until } : {}),
    ...(status.is === 'Needs sign-in' ? { reason: status.reason, since: status.at, code: status.code } : {}),
    next_expiry: nextExpiry ?? null,
    sources: [
      ...where.map(({ opened }) => ({ name: opened.name, file: opened.source?.file ?? null })),
      ...named.map(({ place, source }) => ({ name: place, file: source.file })),
    ],
    tokens: tokens.length,
  };
}

export function show(given: Given, world: World): Promise<number> {
  return withVault(given, world, async (vault) => {
    const { people } = await everyone(given, world, vault);
    const now = world.now();
    const person = personNamed(people, given.operands[0] ?? '');
    const { account, tokens, status, named } = person;
    if (given.has('json')) {
      world.out.write(json({ ...asJson(person), tokens }));
      return shownCode(vault, world);
    }
    const guests = account.tenants.slice(1).map(({ realm }) => realm);
    world.out.write(
      `${printable([account.name, nameOf(person), homeOf(account)].filter((part) => part !== undefined && part !== '').join(' · '))}${guests.length === 0 ? '' : `, guest in ${printable(guests.join(', '))}`}\n`,
    );
    world.out.write(`Status  ${painted(statusText(status), world)}${printable(whyText(person, now))}\n`);
    const shown = given.has('all') ? tokens : tokens.filter((token) => isOfInterest(token, now));
    if (shown.length > 0)
      world.out.write(
        table(
          ['TOKEN', 'FOR', 'APP', 'SOURCE', 'TIME LEFT'],
          shown.map((token) => [
            token.type,
            purposeOf(token),
            token.app ?? token.client_id,
            token.place,
            timeLeft(token, person, now),
          ]),
          world.out.columns,
          paintOf(world),
        ),
      );
    for (const { place, source, signIn } of named)
      world.out.write(printable(`Also signed in with ${place}. ${howToLeave(source, signIn)}`) + '\n');
    const more = tokens.length - shown.length;
    const hints = [
      ...(more > 0 ? [`${more} more: add --all.`] : []),
      ...(status.is === 'Needs sign-in'
        ? [`To sign in again, open ${signInAt(person, appNameOf(vault.status.file, world))}.`]
        : []),
    ];
    if (hints.length > 0) world.out.write(`${hints.join(' ')}\n`);
    return shownCode(vault, world);
  });
}

/** The app of the vault signs in to that only; other programs sign in to their own caches. */
function signInAt({ places, named }: Person, app: string): string {
  if (places.some(({ opened }) => opened.source === undefined)) return app;
  const sources = [
    ...places.flatMap(({ opened }) => opened.source ?? []),
    ...named.map(({ source }) => source),
  ];
  const names = sources.map(({ program, name }) =>
    program === 'file' ? `the program that wrote ${name}` : name,
  );
  return printable([...new Set(names)].join(' or '));
}

/** Returns why the user has to sign in again, and the provider's error code. */
function whyText(person: Person, now: number): string {
  const { status, refusal, account } = person;
  if (status.is !== 'Needs sign-in') return '';
  const when = moment(status.at, now);
  if (status.reason === 'expired' && status.code === null)
    return `: the last token expired ${when}, and no refresh token is left`;
  const told = refusal?.at === status.at ? refusal : undefined;
  const provider = told?.provider || hostOf(account.issuer) || account.environment || 'the provider';
  const app = told === undefined || told.client_id === '' ? '' : appOf(person, told.client_id);
  const whose = app === '' ? 'the refresh token' : `${app}’s refresh token`;
  const code = status.code === null ? '' : ` (${status.code})`;
  const meaning = { refused: '', expired: ', which has expired', revoked: ', which was revoked' }[
    status.reason
  ];
  return `: ${provider} refused ${whose}${meaning} ${when}${code}`;
}

function hostOf(issuer: string | undefined): string {
  return URL.canParse(issuer ?? '') ? new URL(issuer ?? '').host : '';
}

/** Seconds for which an expired token is still shown. */
const JUST_EXPIRED = 3600;

function isOfInterest({ type, expiresOn = Infinity }: TokenLine, now: number): boolean {
  return type !== 'ID' && expiresOn > now - JUST_EXPIRED;
}

/** What a token is for: an API by its name, "this app", "Microsoft app family". */
function purposeOf({ type, api, target, family }: TokenLine): string {
  if (type === 'refresh') return family === true ? 'Microsoft app family' : 'this app';
  if (type === 'ID') return 'identity';
  return api ?? (target === '' ? 'unknown' : target);
}

function timeLeft({ expiresOn, refused }: TokenLine, { status }: Person, now: number): string {
  if (refused === true)
    return status.is === 'Needs sign-in' ? `refused ${moment(status.at, now)}` : 'refused';
  if (expiresOn === undefined) return '–';
  return expiresOn > now ? duration(expiresOn - now) : `expired ${relative(expiresOn, now)}`;
}

export function sources(given: Given, world: World): Promise<number> {
  return withVault(given, world, async (vault) => {
    const found = await readSources(given, world);
    const { status } = vault;
    const own = !exists(vault) || status.state === 'ready' ? await vaultPlace(vault, world) : [];
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
      world.out.write(json(rows));
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

function stateText({ leaving, program }: FoundSource, reading: SourceReading, now: number): string {
  const { state, writtenAt } = reading;
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
  return isReadInPart(reading) ? `${words[state]}, read in part` : words[state];
}
