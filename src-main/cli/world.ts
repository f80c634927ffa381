/** The ports of the command: streams, environment, network and keychain. Tests pass their own. */
import type { Keychain } from '../keychain/keychain.ts';
import type { openVault } from '../vault/vault.ts';

/** An output stream. */
export interface Output {
  write(text: string): void;
  /** Whether the stream is a terminal, whose scrollback keeps what is printed. */
  readonly isTerminal: boolean;
  /** Characters in a line; undefined for a pipe. */
  readonly columns?: number | undefined;
}

/** The ports of the command. */
export interface World {
  readonly version: string;
  readonly platform: NodeJS.Platform;
  /** The home folder of the user. Throws Stop if it is unknown. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: Output;
  readonly err: Output;
  /** Whether the user can be prompted. */
  readonly isInteractive: boolean;
  /** Reads standard input to its end. */
  input(): Promise<string>;
  /** Prompts the user and returns the line typed. `hidden` turns off echo. */
  ask(question: string, options?: { hidden?: boolean }): Promise<string>;
  /** For refreshing tokens. */
  readonly fetch: typeof fetch;
  /** Lets no signal end the process until the returned function is called. Default: none is held back. */
  readonly hold?: () => () => void;
  /** Seconds since the epoch. */
  now(): number;
  /** Default: the system's keychain. */
  readonly keychain?: Keychain;
  /** For tests. Default: `openVault` of the package. */
  readonly openVault?: typeof openVault;
}

/** Exit codes. They are part of the command's interface: scripts rely on them. */
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

/** Thrown to end the command with a message and an exit code. A line break in one of its lines is none: names come from files. */
export class Stop extends Error {
  readonly exitCode: number;
  readonly lines: readonly string[];
  constructor(exitCode: number, ...lines: readonly string[]) {
    super(lines.join('\n'));
    this.exitCode = exitCode;
    this.lines = lines;
  }
}

/** After a no to a question that had to be answered before a refresh token is sent. */
export const NOTHING_SENT = 'Cancelled. Nothing was sent, and the cached tokens are as they were.';

/** @throws Stop `cancelled` with this message unless the user answers the question with yes */
export async function assertAgreed(world: World, question: string, cancelled: string): Promise<void> {
  const answer = await world.ask(question);
  if (!/^y(?:es)?$/i.test(answer.trim())) throw new Stop(EXIT.cancelled, cancelled);
}
