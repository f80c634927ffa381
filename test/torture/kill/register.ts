import type { TokenCache } from '../../../src-main/cache/token-cache.ts';
import { homeOf, signIn, usersIn } from '../../vault/people.ts';

/** Number of places that each of the four writers writes to. */
export const REGISTERS = 6;
export const WRITERS = 4;

export type Values = Record<string, string>;

const COUNTER = homeOf('counter');

export function placeOf(slot: number, register: number): string {
  return homeOf(`s${slot}-r${register}`);
}

function twinOf(slot: number, register: number): string {
  return homeOf(`s${slot}-t${register}`);
}

/**
 * One update: a place of the writer's own and its twin get the same value, in which a torn update would show, and all
 * writers count in one place, in which a lost one would.
 */
export function put(cache: TokenCache, slot: number, register: number, value: string): void {
  const count = counted(valuesIn(cache));
  signIn(cache, `s${slot}-r${register}`, value);
  signIn(cache, `s${slot}-t${register}`, value);
  signIn(cache, 'counter', String(count + 1));
}

export function valuesIn(cache: TokenCache): Values {
  return Object.fromEntries(
    Object.entries(usersIn(cache)).map(([home, secret]) => [home, secret.replace(/^access /, '')]),
  );
}

export function counted(values: Values): number {
  return Number(values[COUNTER] ?? '0');
}

/** Returns the places that have only half of an update. */
export function tornIn(values: Values): string[] {
  const torn: string[] = [];
  for (let slot = 0; slot < WRITERS; slot += 1) {
    for (let register = 0; register < REGISTERS; register += 1) {
      const value = values[placeOf(slot, register)];
      const twin = values[twinOf(slot, register)];
      // The place may be signed out without its twin.
      if (value !== undefined && twin !== value) torn.push(`${slot}/${register}: ${value} and ${twin}`);
    }
  }
  return torn;
}
