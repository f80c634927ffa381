/** Prints one line for the user: what is being done, with what, and where. */
export function say(line) {
  process.stdout.write(`tokenkeep: ${line}\n`);
}

/** A failure whose message ends with what to do. Entry scripts print the message without a stack. */
export class SetUpError extends Error {}

/**
 * Runs an entry script and exits with the number that it resolves to. A SetUpError is printed as a sentence; any other error is a defect of
 * these scripts and is printed with its stack.
 */
export async function runEntry(main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof SetUpError ? `tokenkeep: ${error.message}` : error);
    process.exitCode = 1;
  }
}
