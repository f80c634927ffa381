// The rooms of the code, and what each may import. `knows` names rooms, and `packages` names npm packages; nothing else may be imported.
// `why` is the sentence in the error about a forbidden import.

/**
 * @typedef {object} Room
 * @property {string} room a folder with everything below it, or one file; if two match, the longer one applies
 * @property {readonly string[]} knows folders or files it may import from, beside its own
 * @property {readonly string[]} [typesOnly] those of which it may import types only
 * @property {boolean} [node] whether it may use Node's own modules; default: true
 * @property {readonly string[]} [packages] npm packages it may import; default: all but Electron and the clients below
 * @property {boolean} [entries] whether it may import the package by its name, as an embedder does
 * @property {string} why
 */

const pure = ['error-code', 'errors', 'options', 'waiting'].map((name) => `src-main/${name}.ts`);
const cache = [...pure, 'src-main/cache'];

/** @type {readonly Room[]} */
export const rooms = [
  {
    room: 'src-main/errors.ts',
    knows: [],
    node: false,
    packages: [],
    why: 'Every room imports errors.ts, so it imports none.',
  },
  {
    room: 'src-main/error-code.ts',
    knows: [],
    node: false,
    packages: [],
    why: 'Every room reads codes of errors, so error-code.ts knows none.',
  },
  {
    room: 'src-main/options.ts',
    knows: ['src-main/errors.ts'],
    node: false,
    packages: [],
    why: 'Every room may check options, so options.ts knows only errors.ts.',
  },
  {
    room: 'src-main/diagnostics.ts',
    knows: ['src-main/errors.ts'],
    packages: [],
    why: 'diagnostics.ts publishes what others do, so it knows none of them.',
  },
  {
    room: 'src-main/waiting.ts',
    knows: [],
    node: false,
    packages: [],
    why: 'Every room may wait, so waiting.ts knows none.',
  },
  {
    room: 'src-main/cache',
    knows: pure,
    node: false,
    packages: ['@noble/hashes'],
    why: 'cache/ is pure: it knows only itself, errors.ts, options.ts and waiting.ts, and does no I/O. Pass in what it needs.',
  },
  {
    room: 'src-main/doctor',
    knows: cache,
    node: false,
    packages: [],
    why: 'doctor/ is pure: it examines a cache that it is given, wherever that is kept.',
  },
  {
    room: 'src-main/native-module.ts',
    knows: ['src-main/error-code.ts', 'src-main/errors.ts'],
    why: 'native-module.ts loads a native module for keychain/ and lock/, and knows neither.',
  },
  {
    room: 'src-main/folders.ts',
    knows: ['src-main/error-code.ts', 'src-main/errors.ts'],
    packages: [],
    why: 'folders.ts creates folders for vault/, keychain/, lock/ and native-code/, names what is wrong with a path for accounts/ too, and knows none of them.',
  },
  {
    room: 'src-main/keychain',
    knows: [...pure, 'src-main/diagnostics.ts', 'src-main/folders.ts', 'src-main/native-module.ts'],
    why: 'keychain/ knows only errors.ts, error-code.ts, options.ts, waiting.ts, diagnostics.ts, folders.ts and native-module.ts: it keeps one small secret, whatever that is for.',
  },
  {
    room: 'src-main/lock',
    knows: [...pure, 'src-main/folders.ts', 'src-main/native-module.ts'],
    why: 'lock/ knows only errors.ts, error-code.ts, options.ts, waiting.ts, folders.ts and native-module.ts: it does not know what it guards.',
  },
  {
    room: 'src-main/accounts',
    knows: [...cache, 'src-main/oauth', 'src-main/folders.ts'],
    packages: [],
    why: 'accounts/ says who is in a cache and what happened to them: vault/, ipc/ and cli/ are built on it.',
  },
  {
    room: 'src-main/vault',
    knows: [
      ...cache,
      'src-main/accounts',
      'src-main/diagnostics.ts',
      'src-main/folders.ts',
      'src-main/keychain',
      'src-main/lock',
      'src-main/native-module.ts',
    ],
    why: 'vault/ is built on cache, accounts, keychain, lock, folders.ts and native-module.ts; it must not know what is built on it (ipc, electron, msal).',
  },
  {
    room: 'src-main/vault/format',
    knows: cache,
    why: 'vault/format/ is FORMAT.md in code: it turns bytes into frames and back, and knows neither disk nor keychain.',
  },
  {
    room: 'src-main/vault/disk',
    knows: [...pure, 'src-main/folders.ts'],
    why: 'vault/disk/ writes bytes safely and does not know what they mean.',
  },
  {
    room: 'src-main/msal',
    knows: cache,
    packages: [],
    why: 'msal/ works with any cache handle; MSAL itself belongs to the embedder, whatever version that has.',
  },
  {
    room: 'src-main/native-code',
    knows: ['src-main/errors.ts', 'src-main/folders.ts'],
    packages: [],
    why: 'native-code/ compares files before anything is loaded, so it knows only errors.ts and folders.ts.',
  },
  {
    room: 'src-main/oauth',
    knows: cache,
    packages: [],
    why: 'oauth/ works with any cache handle; the OAuth library belongs to the embedder, whatever version that has.',
  },
  {
    room: 'src-main/partitions',
    knows: [...cache, 'src-main/diagnostics.ts'],
    packages: [],
    why: 'partitions/ knows only cache/: web apps have no vault and no keychain, and pass in their own clients.',
  },
  {
    room: 'src-main/partitions/stores/sqlite-store.ts',
    knows: [...cache, 'src-main/partitions'],
    packages: ['node:sqlite', 'better-sqlite3'],
    why: 'sqlite-store.ts opens a file itself, so it loads what opens it, and nothing else.',
  },
  {
    room: 'src-main/express',
    knows: [...cache, 'src-main/partitions'],
    packages: [],
    why: 'express/ is built on partitions; Express and its session belong to the embedder, whatever version that has.',
  },
  {
    room: 'src-main/ipc',
    knows: [...cache, 'src-main/accounts', 'src-main/doctor', 'src-main/vault', 'src-main/oauth'],
    why: 'ipc/ is built on cache, accounts, doctor, vault and oauth; it knows neither Electron nor the keychain.',
  },
  {
    room: 'src-main/sources',
    knows: [
      ...cache,
      'src-main/accounts',
      'src-main/doctor',
      'src-main/vault',
      'src-main/msal',
      'src-main/oauth',
      'src-main/keychain',
      'src-main/lock',
      'src-main/folders.ts',
    ],
    why: "sources/ reads other programs' caches; it knows neither a window nor the command that shows them.",
  },
  {
    room: 'src-main/cli',
    knows: [
      ...cache,
      'src-main/accounts',
      'src-main/doctor',
      'src-main/vault',
      'src-main/msal',
      'src-main/oauth',
      'src-main/keychain',
      'src-main/lock',
      'src-main/sources',
      'src-main/ipc', // the activity, which the window shows
    ],
    why: 'cli/ runs in plain Node without a window: it does not know Electron.',
  },
  {
    room: 'src-main/testing',
    knows: [...cache, 'src-main/vault', 'src-main/keychain', 'src-main/lock'],
    packages: [],
    why: 'testing/ prepares vaults for the tests of embedders; nothing of the library may depend on it.',
  },
  {
    room: 'src-main/electron',
    knows: [...cache, 'src-main/doctor', 'src-main/vault', 'src-main/ipc', 'src-main/sources'],
    packages: ['electron'],
    why: 'electron/ connects ipc/ with Electron; the app is built on it and must not be known here.',
  },
  {
    room: 'src-main/index.ts',
    knows: [...cache, 'src-main/doctor', 'src-main/vault', 'src-main/keychain', 'src-main/lock'],
    why: "index.ts is the entry 'tokenkeep': what has an entry of its own (msal, partitions, electron, …) is not re-exported here.",
  },
  {
    room: 'app',
    knows: [],
    entries: true,
    packages: ['*', 'electron', 'openid-client'],
    why: "The app is the first embedder: it imports 'tokenkeep' and its entries, as a stranger's app would.",
  },
  {
    room: 'app/command.ts',
    knows: ['app', 'src-main/cli/process.ts'],
    entries: true,
    packages: ['electron'],
    why: 'app/command.ts runs the command, which is no entry of the package: embedders have their own.',
  },
  {
    room: 'src-renderer',
    // Rules that the window shares with the command or the main process: ambiguous JSON, published names, the names and order of accounts,
    // and the texts of a status and of another program's copy.
    knows: [
      'src-renderer',
      'src-main/cache/json.ts',
      'src-main/cache/schema/well-known.ts',
      'src-main/cache/shown-names.ts',
      'src-main/cache/shown-status.ts',
      'src-main/sources/own-copy.ts',
    ],
    typesOnly: ['src-main/ipc/contract.ts', 'app/contract.ts', 'app/sign-in/contract.ts'],
    node: false,
    packages: ['*'],
    why: 'The window is sandboxed and knows the main process by types of its contracts only.',
  },
  {
    room: 'src-renderer/state',
    knows: [
      'src-renderer/bridge.ts',
      'src-main/cache/json.ts',
      'src-main/cache/schema/well-known.ts',
      'src-main/cache/shown-names.ts',
      'src-main/cache/shown-status.ts',
      'src-main/sources/own-copy.ts',
    ],
    typesOnly: ['src-main/ipc/contract.ts', 'app/contract.ts', 'app/sign-in/contract.ts'],
    node: false,
    packages: [],
    why: 'state/ is plain functions and stores without JSX: it knows neither screens nor parts.',
  },
  {
    room: 'examples',
    knows: [],
    entries: true,
    packages: ['*', 'electron', 'clients'],
    why: "An example is somebody else's app: it imports 'tokenkeep' and its entries only.",
  },
];

/** Packages that only the rooms that name them may import, with the reason. */
export const guarded = [
  {
    name: 'electron',
    packages: ['electron'],
    why: "Only src-main/electron and app may import 'electron': the rest runs in plain Node and in other people's web apps.",
  },
  {
    name: 'clients',
    packages: ['redis', 'ioredis', 'pg', 'express', 'express-session', '@azure/msal-node', 'openid-client'],
    why: 'Clients are passed in, in whatever version the app has: describe what is used of them in an interface.',
  },
];

/** Returns the room that a file belongs to: the longest path that contains it. */
export function roomOf(file) {
  return rooms
    .filter(({ room }) => isIn(file, room))
    .reduce((best, room) => (best && best.room.length > room.room.length ? best : room), undefined);
}

export const isIn = (file, room) => file === room || file.startsWith(`${room}/`);

/**
 * Returns why a room may not import a target; undefined if it may.
 *
 * @param {Room} room
 * @param {{ kind: string, name: string }} target
 * @param {boolean} isType
 */
export function refusal(room, target, isType) {
  if (target.kind === 'entry') return room.entries ? undefined : room.why;
  if (target.kind === 'builtin') return room.node === false ? room.why : undefined;
  if (target.kind === 'package') return packageRefusal(room, target.name);
  if (roomOf(target.name) === room || room.knows.some((known) => isIn(target.name, known))) return undefined;
  // A sub-room is part of its room, unless it has a wall of its own.
  if (isIn(target.name, room.room)) return undefined;
  if (!room.typesOnly?.includes(target.name)) return room.why;
  return isType ? undefined : 'A contract is types only: use `import type`.';
}

function packageRefusal(room, name) {
  const allowed = room.packages ?? ['*'];
  const guard = guarded.find(({ packages }) => packages.includes(name));
  if (guard) return allowed.includes(guard.name) || allowed.includes(name) ? undefined : guard.why;
  return allowed.includes('*') || allowed.includes(name) ? undefined : room.why;
}
