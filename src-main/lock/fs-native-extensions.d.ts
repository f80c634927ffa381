// The package has no types. Only what file-lock.ts uses.
declare module 'fs-native-extensions' {
  /** Never waits; false where another open file holds the lock. Throws what the system says otherwise. */
  export function tryLock(fd: number, offset?: number, length?: number): boolean;
  export function unlock(fd: number, offset?: number, length?: number): void;
}
