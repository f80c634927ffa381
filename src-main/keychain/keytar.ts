import { KeychainError, type KeychainErrorCode } from '../errors.ts';
import { openFilesMessage } from '../folders.ts';
import { nativeModule, NativeModuleFailure, RESTART_IF_UPDATED } from '../native-module.ts';
import { keychainError, NOTHING_CHANGED } from './keychain.ts';

/**
 * The three functions of keytar that may be used. Never call `findCredentials` or `findPassword`: they end the whole
 * process on a locked Secret Service, and match by prefix on Windows.
 *
 * @example
 * import { systemKeychain } from 'tokenkeep';
 * import type { Keytar } from 'tokenkeep/keychain';
 *
 * const load = async (): Promise<Keytar> => (await import('keytar')).default;
 * const keychain = systemKeychain({ load });
 */
export interface Keytar {
  /** Resolves with `null` when the password is absent, and also when the keychain is locked. */
  getPassword(service: string, account: string): Promise<string | null>;
  /** Replaces an existing secret. Rejects if the keychain is locked. */
  setPassword(service: string, account: string, password: string): Promise<void>;
  /** Resolves with `false` when there is nothing to delete, and also when the keychain is locked. */
  deletePassword(service: string, account: string): Promise<boolean>;
}

const load = nativeModule<Keytar>(
  'keytar',
  () => import('keytar'),
  `keytar/prebuilds/${process.platform}-${process.arch}/keytar.node`,
);

/**
 * Loads the native module at the first use and not before, so that a program starts and can report the problem on a machine without the
 * required library. A failure is not cached, because the library can be installed while the program runs.
 *
 * @throws KeychainError `keychain_library_missing`, `keychain_module_missing` or `keychain_module_failed`
 */
export function loadKeytar(): Promise<Keytar> {
  return load().catch((error: unknown) => {
    throw loadError(error);
  });
}

/** Converts a failure to load keytar to an error for the user. */
export function loadError(error: unknown): KeychainError {
  const reason = error instanceof NativeModuleFailure ? error.reason : 'not-loaded';
  const cause = error instanceof NativeModuleFailure ? error.cause : error;
  const tooMany = tooManyOpenFiles(cause);
  if (tooMany !== null) return tooMany;
  if (reason === 'runtime') {
    return keychainError(
      'keychain_module_failed',
      'The keychain can’t be used under Deno, which ends the process when it loads native modules of this kind.',
      'Run the program with Node.js.',
    );
  }
  if (reason === 'not-found') {
    return keychainError(
      'keychain_module_missing',
      'The native module that reaches the keychain (keytar) is not part of this program.',
      'Install the app again. Developers: mark keytar and fs-native-extensions as external in your bundler, and ship both packages in node_modules (docs/embedding.md).',
      cause,
    );
  }
  if (/libsecret-1\.so/.test(textOf(cause))) {
    return keychainError(
      'keychain_library_missing',
      'The system’s library for the keychain, libsecret, is not installed.',
      'Install it (Debian and Ubuntu: libsecret-1-0; Fedora, Arch and openSUSE: libsecret), then try again.',
      cause,
    );
  }
  return keychainError(
    'keychain_module_failed',
    'The native module that reaches the keychain (keytar) can’t be loaded on this system.',
    `${RESTART_IF_UPDATED} Otherwise install the app for this platform.`,
    cause,
  );
}

/** Alternatives for a machine without a keyring, which only the developer of an app can choose. */
const ALTERNATIVES =
  'Developers: on a machine without a keyring, an app can keep its key elsewhere: keyFile, passphrase, environmentKey or safeStorage (docs/keychains.md).';

interface Failure {
  readonly pattern: RegExp;
  readonly code: KeychainErrorCode;
  readonly what: string;
  readonly remedy: string;
}

/**
 * Native errors have only a message. The patterns match what GLib, libsecret, the D-Bus daemon, GNOME Keyring, macOS and Windows say in
 * English. Any other message becomes `keychain_failed`, and is quoted.
 */
const FAILURES: readonly Failure[] = [
  {
    // macOS: errSecUserCanceled, errSecInteractionNotAllowed, errSecAuthFailed, errSecInDarkWake.
    pattern:
      /\blocked collection|\bis locked\b|\bIsLocked\b|prompt (?:was )?dismissed|user cancell?ed the operation|operation was cancell?ed|user interaction is not allowed|user ?name or passphrase you entered is not correct|no UI possible|\(-(?:128|25293|25308|25320)\)/i,
    code: 'keychain_locked',
    what: 'The keychain is locked, or its prompt was dismissed.',
    remedy: 'Unlock it, then try again.',
  },
  {
    // D-Bus policy, AppArmor (snap), SELinux; macOS: errSecMissingEntitlement, wrPermErr; Windows: ERROR_ACCESS_DENIED.
    pattern:
      /DBus\.Error\.AccessDenied|Rejected send message|(?:AppArmor|SELinux) policy prevents|required entitlement|write permissions error|access is denied|permission denied|not permitted|\(-(?:34018|61)\)/i,
    code: 'keychain_refused',
    what: 'The system does not let this program use the keychain. A sandbox (Snap, Flatpak), a policy or missing rights can be the reason.',
    remedy:
      'Allow it: connect the Snap’s password-manager-service, give the Flatpak access to org.freedesktop.secrets, or sign the app with the keychain entitlement.',
  },
  {
    // libsecret and GNOME Keyring without a default keyring; macOS: errSecNoSuchKeychain, errSecNoDefaultKeychain.
    pattern:
      /does not exist at path .\/org\/freedesktop\/secrets\/(?:collection|aliases)\/|no such secret collection|default keychain could not be found|specified keychain could not be found|\(-(?:25294|25307)\)/i,
    code: 'keychain_no_collection',
    what: 'The keychain’s service is running, but it has no default keychain to keep secrets in.',
    remedy:
      'Create one and make it the default (GNOME: Passwords and Keys, New, Password keyring; KeePassXC: open a database and expose it; macOS: Keychain Access), then try again.',
  },
  {
    // macOS: errSecDskFull; Windows: ERROR_NOT_ENOUGH_QUOTA, RPC_X_BAD_STUB_DATA; Linux: ENOSPC, EDQUOT, D-Bus limits.
    pattern:
      /no space left|disk quota exceeded|disk is full|not enough (?:quota|storage|space|memory)|stub received bad data|LimitsExceeded|\(-34\)/i,
    code: 'keychain_full',
    what: 'The keychain has no room for another secret.',
    remedy: 'Free some space on its disk, or remove entries that are no longer needed, then try again.',
  },
  {
    // Where there is no session bus, Electron sets the address to `disabled:`.
    pattern: /autolaunch|\$DISPLAY|DBUS_SESSION_BUS_ADDRESS|machine-id|transport .disabled/i,
    code: 'keychain_unavailable',
    what: 'There is no D-Bus session, through which the keychain is reached.',
    remedy: `Start the app from a desktop session. ${ALTERNATIVES}`,
  },
  {
    // libsecret keeps using the service that it first connected to, and notices its end only if a GLib main loop runs.
    pattern: /name :\d+\.\d+ was not provided|session wrapping the secret does not exist/,
    code: 'keychain_unavailable',
    what: 'The keychain’s service was restarted since this program first used it, and can’t be reached from here any more.',
    remedy: 'Restart this program.',
  },
  {
    pattern: /org\.freedesktop\.secrets|ServiceUnknown|not provided by any|not activatable/i,
    code: 'keychain_unavailable',
    what: 'No Secret Service is running in this session.',
    remedy: `Enable GNOME Keyring, KWallet (KDE Wallet, with its Secret Service interface) or KeePassXC (Settings, Secret Service Integration). ${ALTERNATIVES}`,
  },
  {
    pattern:
      /message recipient disconnected|remote peer disconnected|Error\.NoReply|did not receive a reply/i,
    code: 'keychain_unavailable',
    what: 'The keychain’s service ended or did not reply while it was asked.',
    remedy: 'Try again. If it happens again, restart the service or log in again.',
  },
  {
    pattern: /could not connect|connection refused|no such file|connection is closed/i,
    code: 'keychain_unavailable',
    what: 'This program was given a D-Bus session that has ended: its socket doesn’t answer.',
    remedy: `Log in again, or start the app from a session that is running. ${ALTERNATIVES}`,
  },
  {
    // macOS: errSecNotAvailable; Windows: ERROR_NO_SUCH_LOGON_SESSION, as for a service or over SSH.
    pattern: /no keychain is available|logon session does not exist|\(-25291\)/i,
    code: 'keychain_unavailable',
    what: 'The system offers no keychain to this session.',
    remedy: `Start the app from a desktop session of this user. ${ALTERNATIVES}`,
  },
];

/** Converts a keytar failure. The outcome is `locked` only if the system says that something is locked. */
export function keytarError(cause: unknown): KeychainError {
  const tooMany = tooManyOpenFiles(cause);
  if (tooMany !== null) return tooMany;
  const known = FAILURES.find(({ pattern }) => pattern.test(textOf(cause)));
  if (known !== undefined) return keychainError(known.code, known.what, known.remedy, cause);
  return keychainError(
    'keychain_failed',
    'The system’s keychain failed in a way that this program does not know.',
    'Check in your system’s own settings that the keychain works, then try again.',
    cause,
  );
}

/** The keychain is not to blame, whether it could not be loaded or did not answer. */
function tooManyOpenFiles(cause: unknown): KeychainError | null {
  const message = openFilesMessage(cause, NOTHING_CHANGED);
  return message === undefined ? null : new KeychainError('keychain_failed', message, { cause });
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
