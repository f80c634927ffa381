/** Reads the command line. Unknown words are refused: a misspelt option must not be ignored. */
import { EXIT, Stop } from './world.ts';

/** One option of a verb. */
export interface Option {
  /** The name of the option's value; absent for a switch. */
  readonly value?: string;
  /** Whether the option may be repeated. */
  readonly many?: boolean;
  readonly short?: string;
  readonly says: string;
}

/** A verb as `--help` and the completions describe it. */
export interface Verb {
  /** The operands after the verb, such as `ACCOUNT`. */
  readonly operands: string;
  readonly says: string;
  readonly details?: string;
  readonly options: Readonly<Record<string, Option>>;
  readonly least: number;
  readonly most: number;
}

/** The parsed arguments of a verb. */
export interface Given {
  readonly operands: readonly string[];
  has(option: string): boolean;
  /** Returns the last value of an option. */
  value(option: string): string | undefined;
  values(option: string): readonly string[];
}

/** @throws Stop (usage) that names the unknown argument */
export function parse(
  name: string,
  { options, least, most, operands: wanted }: Verb,
  words: readonly string[],
): Given {
  const found = new Map<string, string[]>();
  const operands: string[] = [];
  const wrong = (what: string): Stop => new Stop(EXIT.usage, `${what} See: tokenkeep ${name} --help`);
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (word === '--') {
      operands.push(...words.slice(index + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      operands.push(word);
      continue;
    }
    const [flag = '', inline] = word.split(/=(.*)/s);
    const option = Object.keys(options).find((one) => flag === `--${one}` || flag === options[one]?.short);
    const about = option === undefined ? undefined : options[option];
    if (option === undefined || about === undefined) throw wrong(`tokenkeep ${name} has no option ${flag}.`);
    const before = found.get(option) ?? [];
    if (about.value === undefined) {
      if (inline !== undefined) throw wrong(`--${option} takes no value.`);
      found.set(option, ['']);
      continue;
    }
    const value = inline ?? words[(index += 1)];
    if (value === undefined || value === '')
      throw wrong(`--${option} needs a value: --${option} ${about.value}.`);
    if (before.length > 0 && about.many !== true) throw wrong(`--${option} was given twice.`);
    found.set(option, [...before, value]);
  }
  if (operands.length < least) throw wrong(`tokenkeep ${name} needs ${wanted}.`);
  if (operands.length > most) throw wrong(`tokenkeep ${name} does not take “${operands[most] ?? ''}”.`);
  return {
    operands,
    has: (option) => found.has(option),
    value: (option) => found.get(option)?.at(-1),
    values: (option) => found.get(option) ?? [],
  };
}
