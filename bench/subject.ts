/**
 * A token cache under test: the same requests for each, through its public API. Results are returned, so that the
 * bench can check them outside the measured time.
 */
import type { TokenResponse } from './generate.ts';

export interface Subject {
  /** Replaces the cache's contents with the document's. */
  deserialize(text: string): void;
  /** Finishes loading where that is a separate step. Not measured. */
  ready?(): Promise<unknown>;
  serialize(): string;
  /** Lists all accounts. @returns how many */
  accounts(): number | Promise<number>;
  /** Gets the access token of an account for the scopes of `person(index)`. @returns its secret */
  find(index: number): string | Promise<string>;
  /** Finds an account by its id alone. @returns its user name */
  findByAccount(index: number): string | Promise<string>;
  /** Stores a token response for an existing account. */
  add(index: number, response: TokenResponse): void | Promise<void>;
  signOut(index: number): void | Promise<void>;
}
