/** "Don't ask again for five minutes": for copies of access tokens in one window, until it loses the focus or the screen is locked. */

/** Seconds. */
const QUIET_FOR = 300;

export interface CopyConsent<Caller> {
  /** Whether the user has agreed not to be asked in this window for now. */
  isGiven(caller: Caller): boolean;
  give(caller: Caller): void;
  /** Ends all consents. Called when the screen is locked or the user is idle. */
  end(): void;
}

/**
 * @param now seconds since the epoch
 * @param onLeave calls its second argument once, when the window next loses the focus
 */
export function copyConsent<Caller>(
  now: () => number,
  onLeave: (caller: Caller, call: () => void) => void,
): CopyConsent<Caller> {
  const given = new Map<Caller, { from: number }>();
  return {
    isGiven(caller) {
      const { from } = given.get(caller) ?? { from: -Infinity };
      // Setting the clock back also ends the consent.
      const isQuiet = now() >= from && now() < from + QUIET_FOR;
      if (!isQuiet) given.delete(caller);
      return isQuiet;
    },
    give(caller) {
      const consent = { from: now() };
      given.set(caller, consent);
      onLeave(caller, () => {
        if (given.get(caller) === consent) given.delete(caller);
      });
    },
    end: () => given.clear(),
  };
}
