/** One plain line for the person at the terminal: what is being done, with what, and where. */
export function say(line) {
  process.stdout.write(`tokenkeep: ${line}\n`);
}

/** What went wrong, in words that end with something to do. Entry scripts print the message and no stack. */
export class SetUpError extends Error {}

/**
 * Runs an entry script: exits with the number it resolves to; a SetUpError is printed as a sentence, and anything
 * else, being a defect of these scripts, with its stack.
 */
export async function runEntry(main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof SetUpError ? `tokenkeep: ${error.message}` : error);
    process.exitCode = 1;
  }
}
