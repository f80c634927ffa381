/**
 * The OS's secret store, as far as a vault needs it: one small secret per service and account. Anything that keeps
 * this contract can stand in for `systemKeychain()`.
 *
 * Every method rejects with a KeychainError and nothing else: `keychain_locked`, `keychain_unavailable`,
 * `keychain_timeout`, `keychain_mismatch`. A store that may wait for a person says `keychain_timeout` after about
 * ten seconds, by a KeychainTimeoutError, whose `answer` brings what the person decides later. A `set` or `delete`
 * that has timed out must not begin any more: by then another program may have put its own key in that place.
 */
export interface Keychain {
  /** What people call it, for status texts: "macOS Keychain". Default: "keychain". */
  readonly label?: string;

  /**
   * `null` means really absent, and must not be said on a guess: a key is made anew, or a vault called unreadable,
   * because of it. A store that answers the same for "locked" and "absent" has to find out which.
   */
  get(service: string, account: string): Promise<string | null>;

  /** Resolved = stored, and read back. `secret` is printable ASCII of at most 2,560 bytes (Windows' limit). */
  set(service: string, account: string, secret: string): Promise<void>;

  /** Resolved = really gone: overwritten, read back, and deleted. Resolves where there is nothing to delete. */
  delete(service: string, account: string): Promise<void>;
}
