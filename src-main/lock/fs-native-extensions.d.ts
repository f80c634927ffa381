// The package has no types. Only what lock-thread.ts and its tests use.
declare module 'fs-native-extensions' {
  /** Never waits; returns false if another open file holds the lock. Throws any other error of the system. */
  export function tryLock(fd: number, offset?: number, length?: number): boolean;
  export function unlock(fd: number, offset?: number, length?: number): void;
}
