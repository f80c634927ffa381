import { InvalidArgumentError } from './errors.ts';

/** The names of the options of `T`. A name that is missing here does not compile. */
export type OptionNames<T> = { readonly [Name in keyof T]-?: true };

/**
 * Refuses values that are not objects, and names that are not options. Otherwise a misspelt option would be ignored silently. Missing
 * options are an empty object, so that the function itself reports which option it needs.
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
  for (const name in options) if (!Object.hasOwn(names, name)) refuse(caller, name, names, consequence);
  return options;
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
