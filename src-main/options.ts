import { InvalidArgumentError } from './errors.ts';

/** What the value of an option must be. `what` completes the sentence "The option must be …". */
export interface Kind {
  readonly is: (value: unknown) => boolean;
  readonly what: string;
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isName = (value: unknown): boolean => isText(value) && value !== '';
const isTexts = (value: unknown): boolean => isText(value) || (Array.isArray(value) && value.every(isText));

export const TEXT: Kind = { is: isText, what: 'text' };
export const TEXT_OR_NULL: Kind = { is: (value) => value === null || isText(value), what: 'text or null' };
/** Text that is not empty. */
export const NAME: Kind = { is: isName, what: 'text that is not empty' };
export const TEXTS: Kind = { is: isTexts, what: 'text or a list of texts' };
/** The environment of an entity: `login.example` or `login.example:8443`, not a URL. */
export const HOST: Kind = {
  is: (value) => isText(value) && /^[^\s/\\?#@]*$/.test(value),
  what: 'a host, without a scheme and a path',
};
/** Text that is not empty, or a list of such texts. */
export const NAMES: Kind = {
  is: (value) => isName(value) || (Array.isArray(value) && value.every(isName)),
  what: 'text that is not empty, or a list of such',
};
export const LIST_OF_TEXTS: Kind = {
  is: (value) => Array.isArray(value) && value.every(isText),
  what: 'a list of texts',
};
export const FLAG: Kind = { is: (value) => typeof value === 'boolean', what: 'true or false' };
export const AMOUNT: Kind = {
  is: (value) => Number.isFinite(value) && (value as number) >= 0,
  what: 'a finite number of at least 0',
};
/** Infinity is no bound. */
export const BOUND: Kind = {
  is: (value) => typeof value === 'number' && value >= 0,
  what: 'a number of at least 0, or Infinity',
};
export const FUNCTION: Kind = { is: (value) => typeof value === 'function', what: 'a function' };
/** A function that is given a cache. The body of a generator runs later, when nothing would be stored any more. */
export const CACHE_FUNCTION: Kind = {
  is: (value) => typeof value === 'function' && !/Generator/.test(Object.prototype.toString.call(value)),
  what: 'a function, and not a generator',
};
export const RECORD: Kind = {
  is: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  what: 'an object',
};
export const TEXT_RECORD: Kind = {
  is: (value) => RECORD.is(value) && Object.values(value as object).every(isText),
  what: 'an object of texts',
};
/** Fields of an entity and what they must be. */
export const QUERY: Kind = {
  is: (value) => RECORD.is(value) && Object.values(value as object).every(TEXT_OR_NULL.is),
  what: 'an object of texts and nulls',
};
/** An AbortSignal of any realm. */
export const SIGNAL: Kind = {
  is: (value) => RECORD.is(value) && typeof (value as AbortSignal).aborted === 'boolean',
  what: 'an AbortSignal',
};

/** An object that has these functions, such as a keychain or a cache handle. */
export function having(what: string, ...names: readonly string[]): Kind {
  const is = (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
  return { is, what };
}
export const KEYCHAIN: Kind = having(
  'a keychain, with the functions `get`, `set` and `delete`',
  ...['get', 'set', 'delete'],
);
/** One of the given words. */
export const oneOf = (...words: readonly string[]): Kind => ({
  is: (value) => words.includes(value as string),
  what: `one of ${words.map((word) => `'${word}'`).join(', ')}`,
});

/**
 * The options of `T`, each with the kind of value that it takes. true: the value is checked where it is used. A missing name does not
 * compile.
 */
export type OptionNames<T> = { readonly [Name in keyof T]-?: true | Kind };

/**
 * Refuses values that are not objects, names that are not options, and options of the wrong kind. Otherwise a misspelt option or a `URL` in
 * place of a string would be ignored silently. Missing options are an empty object, so that the function itself reports which option it
 * needs. An option that is `undefined` is missing.
 *
 * @param caller the function that takes the options, for the message
 * @param consequence what was not done, as a sentence
 * @returns the options
 * @throws InvalidArgumentError with the name in `field`
 */
export function checkOptions<T extends object>(
  caller: string,
  options: T | undefined,
  names: OptionNames<T>,
  consequence = 'Nothing was done.',
): T {
  if (options === undefined) return {} as T;
  if (typeof options !== 'object' || (options as unknown) === null) {
    throw new InvalidArgumentError(`${caller}: the options must be an object. ${consequence}`);
  }
  for (const name in options) {
    if (!Object.hasOwn(names, name)) refuse(caller, name, names, consequence);
    const kind: true | Kind = names[name];
    const value: unknown = options[name];
    if (kind !== true && value !== undefined && !kind.is(value))
      throw new InvalidArgumentError(`${caller}: \`${name}\` must be ${kind.what}. ${consequence}`, {
        field: name,
      });
  }
  return options;
}

/**
 * Refuses an argument of the wrong kind, as `checkOptions` refuses an option.
 *
 * @throws InvalidArgumentError with the name in `field`
 */
export function checkArgument(caller: string, name: string, value: unknown, kind: Kind): void {
  if (!kind.is(value))
    throw new InvalidArgumentError(`${caller}: \`${name}\` must be ${kind.what}. Nothing was done.`, {
      field: name,
    });
}

/**
 * Refuses options that lack one that is needed.
 *
 * @throws InvalidArgumentError with the name in `field`
 */
export function requireOptions<T extends object>(
  caller: string,
  options: T,
  needed: readonly (string & keyof T)[],
  consequence = 'Nothing was done.',
): void {
  for (const name of needed)
    if (options[name] === undefined)
      throw new InvalidArgumentError(`${caller}: \`${name}\` is missing. ${consequence}`, { field: name });
}

function refuse(caller: string, name: string, names: object, consequence: string): never {
  const known = Object.keys(names)
    .map((each) => `\`${each}\``)
    .join(', ');
  throw new InvalidArgumentError(
    `${caller}: there is no option \`${name.slice(0, 60)}\`. Known options: ${known}. ${consequence}`,
    { field: name },
  );
}
