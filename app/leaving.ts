/** Tells when the user leaves the computer: the screen is locked, the computer sleeps, or nobody is there. */

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
 * @param leave called with each event, and once each time that nobody was there for five minutes, however late a look comes
 * @returns ends the looks
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
