/** The accepted command line and environment: the app's own arguments, and a few of Chromium's switches and variables. */
import { isAbsolute, resolve } from 'node:path';

/** The parsed command line. */
export interface Arguments {
  /** Absolute path of a cache document to import, or null. */
  importFile: string | null;
  demo: boolean;
  /** Whether the system started the app at login. Then no window opens, if the app has an item in the menu bar. */
  background: boolean;
}

/** Invalid arguments, or ones that a packaged app does not accept. The message is shown to users. */
export class ArgumentsError extends Error {}

/**
 * Parses `--import FILE` or `--import=FILE`, `--demo` and `--background`. Switches that are not the app's own are left to Chromium, which
 * reads the same line; `assertAccepted` refuses those that a packaged app does not take. Words are ignored, since desktops
 * add some.
 *
 * @param args without the executable and, in development, without the script
 * @param folder where relative paths start
 */
export function parseArguments(args: readonly string[], folder: string): Arguments {
  const files: string[] = [];
  let demo = false;
  let background = false;
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (arg === '--demo') demo = true;
    else if (arg === '--background') background = true;
    else if (arg === '--import') files.push(fileAfter(args, ++index));
    else if (arg.startsWith('--import=')) files.push(fileIn(arg.slice('--import='.length)));
    else if (arg.startsWith('--demo=')) throw new ArgumentsError('--demo takes no value.');
  }
  if (files.length > 1) throw new ArgumentsError('--import takes one file at a time.');
  return { importFile: files[0] === undefined ? null : resolve(folder, files[0]), demo, background };
}

function fileAfter(args: readonly string[], index: number): string {
  const file = args[index] ?? '';
  return fileIn(file.startsWith('--') ? '' : file);
}

function fileIn(file: string): string {
  if (file === '') throw new ArgumentsError('--import needs a file: --import FILE.');
  return file;
}

/**
 * Returns the arguments of a restart: the file was imported already, and a click on Restart is to show a window.
 *
 * @param args as the app was started with, after the executable
 */
export function argumentsAgain(args: readonly string[]): string[] {
  return args.filter(
    (arg, index) =>
      arg !== '--background' &&
      arg !== '--import' &&
      !arg.startsWith('--import=') &&
      args[index - 1] !== '--import',
  );
}

/** Whether a value is the arguments of a second instance. They come from another process, so they are validated. */
export function isArguments(value: unknown): value is Arguments {
  return (
    typeof value === 'object' &&
    value !== null &&
    'importFile' in value &&
    (value.importFile === null || isFile(value.importFile)) &&
    'demo' in value &&
    typeof value.demo === 'boolean' &&
    'background' in value &&
    typeof value.background === 'boolean'
  );
}

/** Longer than the longest path of any system. */
const LONGEST_PATH = 32_767;

/** Whether a value is an absolute path without NUL, as a second start sends it. */
const isFile = (value: unknown): boolean =>
  typeof value === 'string' && value.length <= LONGEST_PATH && isAbsolute(value) && !value.includes('\0');

/** A pattern for the whole value; null: the switch takes no value. */
type Value = RegExp | null;

const ANY = /^[^]*$/;

/** Switches of Chromium and Electron that change how the window looks, or where the data folder is, and nothing else. */
const SWITCHES: Readonly<Record<string, Value>> = {
  import: ANY,
  demo: ANY, // `--demo=x` has a message of its own
  background: null,
  'user-data-dir': ANY,
  class: ANY,
  lang: /^[\w-]{1,20}$/,
  'ozone-platform': /^(?:x11|wayland)$/,
  'ozone-platform-hint': /^(?:x11|wayland|auto)$/,
  'enable-features': /^(?:(?:UseOzonePlatform|WaylandWindowDecorations)(?:,|$))+$/,
  'enable-wayland-ime': ANY,
  'wayland-text-input-version': /^\d$/,
  'gtk-version': /^\d$/,
  'force-device-scale-factor': /^\d(?:\.\d+)?$/,
  'force-dark-mode': null,
  'force-high-contrast': null,
  'force-renderer-accessibility': /^(?:complete|basic|form-controls)?$/,
  'high-dpi-support': /^\d$/,
  'disable-gpu': null,
  'disable-gpu-compositing': null,
  'disable-dev-shm-usage': null,
  updated: null, // how an installer starts the app
};

/** Switches that only a development build accepts. Tests use them. */
const DEVELOPMENT_SWITCHES: Readonly<Record<string, Value>> = {
  'remote-debugging-port': /^0$/,
  inspect: /^0$/,
};

/**
 * Variables that Chromium, Electron, Node and their libraries read. Of these families only the listed ones are accepted; nothing in the app
 * reads other variables. `LD_LIBRARY_PATH` is not among them: the loader obeys it before this check, and an AppImage sets it.
 */
const OBEYED =
  /^(?:ELECTRON_|NODE_|CHROME_|CHROMIUM_|BREAKPAD_|V8_|UV_|OPENSSL_|SSLKEYLOGFILE$|SSL_CERT_|SSL_DIR$|NSS_|NSPR_|MOZ_|GOOGLE_(?:API_KEY|DEFAULT_CLIENT)|LIBGL_DEBUG|GTK_MODULES$|GTK3_MODULES$|GTK_PATH$|GTK_EXE_PREFIX$|GIO_EXTRA_MODULES$|GIO_MODULE_DIR$|GTK_IM_MODULE_FILE$|GDK_PIXBUF_MODULE|GCONV_PATH$|LIBGL_DRIVERS_|LIBVA_DRIVERS_|GBM_BACKENDS_|__EGL_VENDOR_|VK_(?:ICD|DRIVER|ADD_DRIVER|LAYER|ADD_LAYER|IMPLICIT_LAYER|ADD_IMPLICIT_LAYER|INSTANCE_LAYERS)|LD_PRELOAD$|LD_AUDIT$|DYLD_INSERT_LIBRARIES$|DYLD_FRAMEWORK_PATH$)/i;

/** Files and folders that only an administrator can change: a library that is loaded from there is the system's own. */
const SYSTEM_FOLDERS =
  /^(?:\/(?:usr|lib\w*|etc|opt|snap|app|nix\/store|gnu\/store|run\/(?:opengl-driver|current-system))(?:\/(?!\.\.?(?:[/:]|$))[^/:]*)*(?::|$))+$/;

/** Names that GTK looks up in its own folders. A path could load any library into the main process. */
const MODULE_NAMES = /^[\w:-]+$/;

const VARIABLES: Readonly<Record<string, RegExp>> = {
  ELECTRON_OZONE_PLATFORM_HINT: ANY,
  ELECTRON_FORCE_WINDOW_MENU_BAR: ANY,
  ELECTRON_TRASH: ANY,
  ELECTRON_NO_ATTACH_CONSOLE: ANY,
  // Read when npm installs Electron, but never by Electron itself.
  ELECTRON_OVERRIDE_DIST_PATH: ANY,
  ELECTRON_SKIP_BINARY_DOWNLOAD: ANY,
  ELECTRON_MIRROR: ANY,
  ELECTRON_CACHE: ANY,
  CHROME_DESKTOP: ANY, // Electron sets it itself and passes it to child processes
  NODE_ENV: ANY,
  NODE_VERSION: ANY,
  // Often set for all programs, for TLS inspection or Node development, but without effect in a packaged app: a fuse disables the first
  // two, and the app uses Chromium's network, which reads none of them.
  NODE_OPTIONS: ANY,
  NODE_EXTRA_CA_CERTS: ANY,
  SSL_CERT_FILE: ANY,
  SSL_CERT_DIR: ANY,
  GTK_MODULES: MODULE_NAMES, // accessibility buses and appmenus, set by desktops for every program
  GTK3_MODULES: MODULE_NAMES,
  // Snaps, Flatpak, Nix, and machines with two graphics cards.
  GTK_PATH: SYSTEM_FOLDERS,
  GTK_IM_MODULE_FILE: SYSTEM_FOLDERS,
  GDK_PIXBUF_MODULE_FILE: SYSTEM_FOLDERS,
  GDK_PIXBUF_MODULEDIR: SYSTEM_FOLDERS,
  GIO_MODULE_DIR: SYSTEM_FOLDERS,
  GCONV_PATH: SYSTEM_FOLDERS,
  LIBGL_DRIVERS_PATH: SYSTEM_FOLDERS,
  LIBVA_DRIVERS_PATH: SYSTEM_FOLDERS,
  GBM_BACKENDS_PATH: SYSTEM_FOLDERS,
  __EGL_VENDOR_LIBRARY_DIRS: SYSTEM_FOLDERS,
  __EGL_VENDOR_LIBRARY_FILENAMES: SYSTEM_FOLDERS,
  VK_ICD_FILENAMES: SYSTEM_FOLDERS,
  VK_DRIVER_FILES: SYSTEM_FOLDERS,
  VK_ADD_DRIVER_FILES: SYSTEM_FOLDERS,
};

export interface Start {
  /** Without the executable. */
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  platform: NodeJS.Platform;
  /** Whether this is a development build, as used by tests. */
  development: boolean;
}

/**
 * Refuses switches and variables that weaken a packaged app: anyone who can add one could read its network traffic,
 * impersonate a provider, or inspect its window.
 *
 * @throws ArgumentsError that names the first one
 */
export function assertAccepted({ args, env, platform, development }: Start): void {
  const accepted = development ? { ...SWITCHES, ...DEVELOPMENT_SWITCHES } : SWITCHES;
  for (const arg of args) {
    if (arg === '--') break; // exactly `--`: Chromium, too, takes everything after it as words
    const found = switchIn(arg, platform);
    if (found === null) continue;
    const pattern = Object.hasOwn(accepted, found.name) ? accepted[found.name] : undefined;
    const fits = pattern === null ? found.value === '' : pattern?.test(found.value) === true;
    if (!fits)
      throw refused(`with ${printableStart(arg.trim())}`, found.name === 'no-sandbox' ? APP_IMAGE : '');
  }
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '' || !OBEYED.test(name)) continue;
    const known = platform === 'win32' ? name.toUpperCase() : name;
    const fits = Object.hasOwn(VARIABLES, known) && VARIABLES[known]?.test(value) === true;
    if (!fits) throw refused(`with the environment variable ${printableStart(name)}`);
  }
}

/**
 * Parses a switch as Chromium does: without white space around it, after `--` or `-`, on Windows also `/` and in any case. null for a word.
 */
function switchIn(given: string, platform: NodeJS.Platform): { name: string; value: string } | null {
  const arg = given.trim();
  const prefix = (platform === 'win32' ? /^(?:--|-|\/)/ : /^(?:--|-)/).exec(arg)?.[0];
  if (prefix === undefined || arg.length === prefix.length) return null;
  // macOS hands these to every program that the Finder starts.
  if (platform === 'darwin' && /^-(?:psn_|NS[A-Z]|Apple[A-Z])/.test(arg)) return null;
  const text = arg.slice(prefix.length);
  const end = text.indexOf('=');
  const name = end === -1 ? text : text.slice(0, end);
  return {
    name: platform === 'win32' ? name.toLowerCase() : name,
    value: end === -1 ? '' : text.slice(end + 1),
  };
}

/** Returns the argument without its value, which may be sensitive. */
function printableStart(arg: string): string {
  const [name = ''] = arg.split('=', 1);
  return name.replace(/[^\x21-\x7e]/g, '�').slice(0, 60);
}

/** Its own starter adds the switch if `unshare --user` fails. */
const APP_IMAGE =
  ' If you did not add it, the AppImage did, because on this system a program can’t make a sandbox of its own: install the deb instead.';

function refused(how: string, advice = ''): ArgumentsError {
  return new ArgumentsError(
    `Tokenkeep was started ${how}, which it does not accept because it could give your sign-ins away. ` +
      `Nothing was opened, and your saved sign-ins are unchanged. Start Tokenkeep without it.${advice}`,
  );
}
