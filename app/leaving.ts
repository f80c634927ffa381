/** Tells when the user leaves the computer: the screen is locked, the computer sleeps, or the user is idle. */

export interface LeavingMonitor {
  on(event: 'lock-screen' | 'suspend' | 'user-did-resign-active', listener: () => void): unknown;
  /** Seconds since the last input. */
  getSystemIdleTime(): number;
}

const EVENTS = ['lock-screen', 'suspend', 'user-did-resign-active'] as const;

/** Seconds without input after which the user counts as away, and the interval of the check. */
const IDLE = 300;
const LOOK_EVERY = 60;

/**
 * @param leave called for each event, and once each time the user was idle for five minutes, however late a check runs
 * @returns a function that ends the checks
 */
export function watchLeaving(monitor: LeavingMonitor, leave: () => void): () => void {
  for (const event of EVENTS) monitor.on(event, leave);
  // Linux does not report a locked screen, but it does report idle time.
  let wasIdle = false;
  const timer = setInterval(() => {
    const isIdle = monitor.getSystemIdleTime() >= IDLE;
    if (isIdle && !wasIdle) leave();
    wasIdle = isIdle;
  }, LOOK_EVERY * 1000);
  return () => clearInterval(timer);
}
