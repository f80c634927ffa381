/**
 * A token cache as the bench sees it: the same requests to each, through its public API. What a request finds is
 * returned, so that the bench can check it outside of the time that it measures.
 */
import type { TokenResponse } from './generate.ts';

export interface Subject {
  /** Replaces what is in the cache by what is in the document. */
  deserialize(text: string): void;
  /** What is done once after it, where that is not done by then. Not measured. */
  ready?(): Promise<unknown>;
  serialize(): string;
  /** Lists all accounts. @returns how many */
  accounts(): number | Promise<number>;
  /** The access token of an account for the scopes of `person(index)`. @returns its secret */
  find(index: number): string | Promise<string>;
  /** The account by its id alone. @returns its user name */
  findByAccount(index: number): string | Promise<string>;
  /** Takes in a token response for an account that is there. */
  add(index: number, response: TokenResponse): void | Promise<void>;
  signOut(index: number): void | Promise<void>;
}
