import type { SourceItem, SourceList } from '../../app/contract.ts';
import type { AccountItem, Outcome } from '../../src-main/ipc/contract.ts';
import type { Dialogs } from './dialogs.ts';
import { kept } from './kept.ts';
import type { Ports } from './ports.ts';
import { parseSearch } from './search.ts';
import { createStore, type Store } from './store.ts';
import { plainText, visible } from './text.ts';
import { changesAt, isPast, relative } from './time.ts';
import type { Toasts } from './toasts.ts';
import { count, listing } from './words.ts';

export interface SourcesView extends SourceList {
  /** The sources that are being opened, by ID. */
  opening: ReadonlySet<string>;
  finding: boolean;
  /** The user went back from the caches that were found to the ways to start. */
  left: boolean;
}

export interface Sources {
  view: Store<SourcesView>;
  load: () => Promise<void>;
  find: () => Promise<void>;
  /** Goes back to the ways to start, until the next search. */
  leave: () => void;
  open: (id: string) => Promise<void>;
  openAll: () => Promise<void>;
  close: (id: string) => Promise<void>;
  /** Asks for a file and opens it. */
  add: () => Promise<void>;
  /** Plans an import into the vault; the import dialog follows. */
  import: (id: string) => Promise<void>;
  show: (id: string) => Promise<void>;
  /** Opens the program in which the user signs out. */
  openProgram: (id: string) => Promise<void>;
}

/** The caches of other programs. Main looks for them, opens and follows them when the user asks. */
export function createSources({ app }: Ports, dialogs: Dialogs, toasts: Toasts): Sources {
  const view = createStore<SourcesView>({
    searched: false,
    notFound: [],
    items: [],
    opening: new Set(),
    finding: false,
    left: false,
  });
  const patch = (changes: Partial<SourcesView>) => view.set({ ...view.get(), ...changes });
  const take = (answer: Outcome<SourceList | null>, title: string) => {
    if (!answer.ok) dialogs.fail(title, answer.error);
    else if (answer.value !== null) patch(answer.value);
  };
  const load = async () => {
    const answer = await app.sources();
    if (answer.ok) patch(answer.value);
  };
  app.on('sources', () => void load());

  const open = async (id: string) => {
    patch({ opening: new Set([...view.get().opening, id]) });
    const answer = await app.openSource(id);
    patch({ opening: new Set([...view.get().opening].filter((other) => other !== id)) });
    take(answer, 'The cache could not be opened');
  };
  return {
    view,
    load,
    async find() {
      patch({ finding: true });
      const answer = await app.findSources();
      patch({ finding: false, left: false });
      take(answer, 'The search for caches failed');
    },
    leave: () => patch({ left: true }),
    open,
    async openAll() {
      // Main accepts one such request for each click, so that a script in the window can't open caches by itself.
      const answer = await app.openAllSources();
      take(answer, 'The caches could not be opened');
    },
    async close(id) {
      take(await app.closeSource(id), 'The cache could not be closed');
    },
    async add() {
      const answer = await app.addSource();
      if (answer.ok && answer.value !== null) patch({ left: false });
      take(answer, 'The file could not be opened');
    },
    async import(id) {
      const answer = await app.importSource(id);
      if (!answer.ok) dialogs.fail('The cache could not be imported', answer.error);
    },
    async show(id) {
      const answer = await app.showSource(id);
      if (!answer.ok) dialogs.fail('The file could not be shown', answer.error);
    },
    async openProgram(id) {
      const answer = await app.openProgram(id);
      if (!answer.ok) toasts.show(answer.error.message);
    },
  };
}

/** Seconds for which a change counts as new. */
const JUST_NOW = 60;

/** The second line of a source: "Open", "Changed just now", "Locked by the system". */
export function sourceState(
  { state, viewOnly, changedAt, name, names }: SourceItem,
  now: number,
): { text: string; tone: 'live' | 'plain' | 'off' } {
  switch (state) {
    case 'found':
      return { text: 'Not opened', tone: 'plain' };
    case 'empty':
      return { text: 'Nobody signed in', tone: 'plain' };
    case 'accounts':
      if (changedAt !== null && !isPast(changedAt + JUST_NOW, now))
        return { text: 'Changed just now', tone: 'live' };
      return { text: viewOnly || names.length > 0 ? 'Open, view only' : 'Open', tone: 'plain' };
    case 'locked':
      return { text: 'Locked by the system', tone: 'plain' };
    case 'no-permission':
      return { text: 'No permission', tone: 'off' };
    case 'sealed':
      return { text: `Can’t be read: use ${name}`, tone: 'off' };
    case 'not-understood':
      return { text: 'Not understood', tone: 'off' };
    case 'in-use':
      return { text: 'In use by its program', tone: 'plain' };
    case 'gone':
      return { text: 'File is gone', tone: 'off' };
  }
}

/** The button of a source in the list; null if its row is selected instead. */
export function sourceAction({ state, asksFirst }: SourceItem): string | null {
  if (state === 'found') return asksFirst ? 'Open…' : 'Open';
  if (state === 'locked') return 'Unlock…';
  if (state === 'in-use') return 'Retry';
  return state === 'gone' ? 'Remove' : null;
}

/** "Plain file, changed 12 min ago". */
export function sourceFacts(
  { sealing, asksFirst, writtenAt, viewOnly, sharedBy }: SourceItem,
  now: number,
): string {
  const SEALED = {
    none: 'Plain file',
    dpapi: 'Encrypted by Windows',
    'secret-service': 'In the system keyring',
    keychain: 'In the macOS keychain',
    'key-in-keyring': 'Encrypted by the program, its key in the system keyring',
    vault: 'Vault of Tokenkeep',
    program: 'Encrypted by the program',
  };
  return [
    `${SEALED[sealing]}${writtenAt === null ? '' : `, changed ${relative(writtenAt, now)}`}`,
    ...(viewOnly ? ['view only'] : []),
    ...(asksFirst ? ['may ask for your password'] : []),
    ...(sharedBy.length > 0 ? [`also used by ${sharedBy.map(visible).join(', ')}`] : []),
  ].join(' · ');
}

/** "Opened read-only and followed live. Azure CLI wrote to it 4 s ago: Mara Lindqvist, 1 token refreshed." */
export function sourceBanner(
  { name, writtenAt, problem, viewOnly, leave, changedHere, lastChange }: SourceItem,
  now: number,
): string {
  if (problem !== null) return problem;
  const what = lastChange === null ? '.' : `: ${lastChange}`;
  const who = changedHere ? 'Tokenkeep' : name;
  const wrote = writtenAt === null ? '' : ` ${who} wrote to it ${relative(writtenAt, now)}${what}`;
  return `Opened read-only and followed live.${wrote}${viewOnly ? ` ${leave}` : ''}`;
}

/** What a screen reader announces of a source: `sourceBanner` without the time, which changes every second. */
export function sourceNews({ name, problem, lastChange }: SourceItem): string {
  return problem ?? (lastChange === null ? '' : `${name} wrote to it: ${lastChange}`);
}

/**
 * Returns the IDs of the places that have an account, including programs that only name it and whose tokens are not read. Only an email
 * address names the same user everywhere.
 */
export function placesOf(
  { places, username }: Pick<AccountItem, 'places' | 'username'>,
  items: readonly SourceItem[],
): readonly string[] {
  const wanted = username.toLowerCase();
  if (!wanted.includes('@')) return places;
  const naming = items.filter(
    ({ id, names }) => !places.includes(id) && names.some(({ name }) => name.toLowerCase() === wanted),
  );
  return naming.length === 0 ? places : [...places, ...naming.map(({ id }) => id)];
}

/** A user named only by programs whose tokens Tokenkeep doesn't read, so there is no account and no token to show. */
export interface NamedUser {
  name: string;
  /** The opened programs that name this user, by ID; the first one is shown on request. */
  programs: readonly { id: string; name: string }[];
  /** Hosts; may be empty. */
  at: readonly string[];
}

/** The usernames of the accounts in lower case. */
const usernamesOf = kept(
  (accounts: readonly Pick<AccountItem, 'username'>[]): ReadonlySet<string> =>
    new Set(accounts.map(({ username }) => username.toLowerCase())),
);

/** Returns the named users without an account, each once: an email address names the same user everywhere. */
export function namedUsers(
  items: readonly SourceItem[],
  accounts: readonly Pick<AccountItem, 'username'>[],
): NamedUser[] {
  if (items.every(({ names }) => names.length === 0)) return [];
  const known = usernamesOf(accounts);
  const found = new Map<string, NamedUser>();
  for (const { id, name: program, names } of items) {
    for (const { name, at } of names) {
      const wanted = name.toLowerCase();
      const isAddress = wanted.includes('@');
      if (isAddress && known.has(wanted)) continue; // the account's row names the program
      const key = isAddress ? wanted : JSON.stringify([id, at, name]);
      const before: NamedUser = found.get(key) ?? { name, programs: [], at: [] };
      const isListed = before.programs.some((one) => one.id === id);
      found.set(key, {
        name: before.name,
        programs: isListed ? before.programs : [...before.programs, { id, name: program }],
        at: at === undefined || before.at.includes(at) ? before.at : [...before.at, at],
      });
    }
  }
  return [...found.values()];
}

/** "GitHub CLI and VS Code · github.com". */
export function namedUserPlace({ programs, at }: NamedUser): string {
  return [listing(programs.map(({ name }) => name)), ...(at.length > 0 ? [listing(at)] : [])]
    .map(visible)
    .join(' · ');
}

/** Whether a named user matches a search: by name, program and host. Apps, tenants and states are not known. */
export function matchesNamed(user: NamedUser, search: string): boolean {
  const all = plainText(`${user.name}\n${namedUserPlace(user)}`);
  const programs = plainText(user.programs.map(({ name }) => name).join('\n'));
  return parseSearch(search).every(({ field, text }) =>
    field === 'any' ? all.includes(text) : field === 'source' && programs.includes(text),
  );
}

/** "2 sources, 1 open". */
export function sourcesSum(items: readonly SourceItem[]): string {
  const open = items.filter(({ state }) => state === 'accounts' || state === 'empty').length;
  return `${count(items.length + 1, 'source')}, ${String(open + 1)} open`;
}

/** Returns when a sign-in ends whose tokens can't be read: "expires in 3 h". Empty if that is not known. */
export function nameExpiry(expiresOn: number | undefined, now: number): string {
  if (expiresOn === undefined) return '';
  changesAt(expiresOn, now);
  return `${expiresOn <= now ? 'expired' : 'expires'} ${relative(expiresOn, now)}`;
}
