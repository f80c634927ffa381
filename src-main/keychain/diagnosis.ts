import type { KeychainErrorCode } from '../errors.ts';

export interface Diagnosis {
  code: Extract<KeychainErrorCode, 'keychain_locked' | 'keychain_unavailable'>;
  /** What is wrong, what it means, what to do. */
  message: string;
  cause: unknown;
}

/** What was being done: a store that could be read a moment ago and can't be written is locked, not absent. */
export type Attempt = 'load' | 'read' | 'write';

const NOTHING_LOST = 'Nothing was changed, and nothing is saved until it is there.';

const LOCKED =
  /locked|dismissed|cancell?ed|interaction is not allowed|not correct|authorization|denied|-128|-25293|-25308/i;

/**
 * Native errors carry a text and nothing else. The patterns are what GLib, the D-Bus daemon, GNOME Keyring and macOS
 * say; where a system says it in another language, the kind of attempt decides.
 */
const CAUSES: readonly { pattern: RegExp; on: readonly Attempt[]; message: string }[] = [
  {
    on: ['load'],
    pattern: /libsecret-1\.so/,
    message: `The system library for the keychain is not installed. ${NOTHING_LOST} Install libsecret (Debian and Ubuntu: libsecret-1-0; Fedora, Arch, openSUSE: libsecret), then try again.`,
  },
  {
    on: ['load'],
    pattern: /(?:)/,
    message: `The keychain's native module (keytar) can't be loaded on this system. ${NOTHING_LOST} Reinstall the app for this platform.`,
  },
  {
    on: ['read', 'write'],
    // Where there is none, Electron itself sets the address to `disabled:`.
    pattern: /autolaunch|DISPLAY|DBUS_SESSION_BUS_ADDRESS|machine-id|transport .disabled/i,
    message: `There is no D-Bus session, through which the keychain is reached. ${NOTHING_LOST} Start the app from a desktop session, or with dbus-run-session.`,
  },
  {
    on: ['read', 'write'],
    pattern: /could not connect|connection refused|no such file|connection is closed/i,
    message: `The D-Bus session that this program was given is gone: its socket doesn't answer. ${NOTHING_LOST} Log in again, or start the app from a session that is alive.`,
  },
  {
    on: ['read', 'write'],
    // libsecret keeps to the service that it first spoke to, and learns of its end only where a GLib main loop runs.
    pattern: /name :\d+\.\d+ was not provided|session wrapping the secret does not exist/,
    message: `The keychain's service has been started anew since this program first used it, and can't be reached from here any more. ${NOTHING_LOST} Restart this program.`,
  },
  {
    on: ['read', 'write'],
    pattern: /org\.freedesktop\.secrets|ServiceUnknown|not provided by any|not activatable/i,
    message: `No Secret Service is running in this session. ${NOTHING_LOST} Enable GNOME Keyring, KWallet (KDE Wallet, with its Secret Service interface) or KeePassXC (Settings, Secret Service Integration).`,
  },
];

export function diagnose(attempt: Attempt, cause: unknown): Diagnosis {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (attempt !== 'load' && LOCKED.test(text)) return { ...locked, cause };
  const known = CAUSES.find(({ on, pattern }) => on.includes(attempt) && pattern.test(text));
  if (known !== undefined) return { code: 'keychain_unavailable', message: known.message, cause };
  if (attempt === 'write') return { ...locked, cause };
  return {
    code: 'keychain_unavailable',
    message: `The system's keychain can't be used. ${NOTHING_LOST} See that it works in your system's own settings, then try again.`,
    cause,
  };
}

const locked = {
  code: 'keychain_locked',
  message:
    'The keychain is locked, or its prompt was dismissed. Nothing was changed. Unlock it, then try again.',
} as const;
