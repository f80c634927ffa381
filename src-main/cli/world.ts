/** What the command is given from outside: streams, the environment, the network, the keychain. A test passes its own. */
import type { Keychain } from '../keychain/keychain.ts';

/** A stream that is written to. */
export interface Output {
  write(text: string): void;
  /** A terminal: what is printed stays in its scrollback. */
  readonly isTerminal: boolean;
  /** Characters in a line; undefined for a pipe. */
  readonly columns?: number | undefined;
}

/** Everything the command touches. */
export interface World {
  readonly version: string;
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: Output;
  readonly err: Output;
  /** Whether a person can be asked. */
  readonly isInteractive: boolean;
  /** All of standard input. */
  input(): Promise<string>;
  /** Asks a person and gives the line they type; `hidden`: without showing it. */
  ask(question: string, options?: { hidden?: boolean }): Promise<string>;
  /** For refreshing tokens. */
  readonly fetch: typeof fetch;
  /** Seconds since the epoch. */
  now(): number;
  /** Default: the system's keychain. */
  readonly keychain?: Keychain;
}

/** The numbers the command ends with. They are part of its interface: scripts rely on them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  signInRequired: 4,
  stillSignedIn: 5,
  locked: 6,
  noKeychain: 7,
  findings: 8,
  notPrinted: 9,
  keyMissing: 10,
  wrongKey: 11,
  damaged: 12,
  newer: 13,
  readOnly: 14,
  unreadable: 15,
  busy: 16,
  older: 17,
  cancelled: 18,
  copy: 19,
} as const;

/** Ends the command with a message and a number. */
export class Stop extends Error {
  readonly exitCode: number;
  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
