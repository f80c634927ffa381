import { must } from '../tally.ts';
import { counted, placeOf, REGISTERS, tornIn, type Values, WRITERS } from './register.ts';

/** The possible values of each place: the last acknowledged one, or one that was being written when its writer was killed. */
export class Ledger {
  readonly #possible = new Map<string, Set<string>>();
  acknowledged = 0;
  #counted = 0;
  #uncertain = 0;

  constructor() {
    for (let slot = 0; slot < WRITERS; slot += 1) {
      for (let register = 0; register < REGISTERS; register += 1) {
        this.#possible.set(placeOf(slot, register), new Set(['-']));
      }
    }
  }

  begin(kind: string, place: string, value: string): void {
    if (kind === 'compact' || kind === 'rotate') return;
    this.#possible.get(place)?.add(value);
    if (value !== '-') this.#uncertain += 1;
  }

  done(kind: string, place: string, value: string): void {
    this.acknowledged += 1;
    if (kind === 'compact' || kind === 'rotate') return;
    this.#possible.set(place, new Set([value]));
    if (value === '-') return;
    this.#counted += 1;
    this.#uncertain -= 1;
  }

  /** Checks the values that were found, which are certain from then on. */
  check(values: Values): void {
    for (const [place, possible] of this.#possible) {
      const value = values[place] ?? '-';
      must(possible.has(value), `${place} is ${value}, and should be ${[...possible].join(' or ')}`);
      this.#possible.set(place, new Set([value]));
    }
    const torn = tornIn(values);
    must(torn.length === 0, `half of an update is there: ${torn.join('; ')}`);
    const count = counted(values);
    const most = this.#counted + this.#uncertain;
    must(
      count >= this.#counted && count <= most,
      `${count} updates are in the vault, of ${this.#counted} that were acknowledged and ${this.#uncertain} that were under way`,
    );
    this.#counted = count;
    this.#uncertain = 0;
  }
}
