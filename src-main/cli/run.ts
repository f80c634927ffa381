/** Runs the command line and returns its exit code. Does not throw. */
import { codeOf } from '../error-code.ts';
import { TokenkeepError } from '../errors.ts';
import { list, show, sources } from './accounts.ts';
import { type Given, parse } from './arguments.ts';
import { doctor, exportVault, importInto, verify } from './maintenance.ts';
import { signOut } from './sign-out.ts';
import { credential, decode, get } from './tokens.ts';
import { printable } from './text.ts';
import { exitCodeOf } from './vault.ts';
import { completion, help, helpOf, isVerb, type VerbName, VERBS } from './verbs.ts';
import { EXIT, Stop, type World } from './world.ts';

const RUN: Readonly<Record<VerbName, (given: Given, world: World) => Promise<number>>> = {
  list,
  show,
  get,
  signout: signOut,
  decode,
  sources,
  doctor,
  export: exportVault,
  import: importInto,
  verify,
  credential,
  completion: (given, world) => {
    const script = completion(given.operands[0] ?? '');
    if (script === undefined)
      throw new Stop(EXIT.usage, 'Name a shell: bash, zsh or fish. There are no completions for others.');
    world.out.write(script);
    return Promise.resolve(EXIT.ok);
  },
};

/**
 * @param words the arguments after the command's name
 * @returns the exit code; see EXIT
 */
export async function run(words: readonly string[], world: World): Promise<number> {
  try {
    const [verb, ...rest] = words;
    if (verb === undefined || verb === 'help' || verb === '--help' || verb === '-h') {
      const [about] = rest;
      world.out.write(about !== undefined && isVerb(about) ? helpOf(about) : help());
      return verb === undefined ? EXIT.usage : EXIT.ok;
    }
    if (verb === '--version') {
      world.out.write(`${world.version}\n`);
      return EXIT.ok;
    }
    if (!isVerb(verb))
      throw new Stop(EXIT.usage, `There is no verb “${printable(verb)}”. See: tokenkeep --help`);
    if (rest.includes('--help') || rest.includes('-h')) {
      world.out.write(helpOf(verb));
      return EXIT.ok;
    }
    return await RUN[verb](parse(verb, VERBS[verb], rest), world);
  } catch (error) {
    const lines =
      error instanceof Stop
        ? error.lines
        : [error instanceof TokenkeepError ? error.message : unexpected(error)];
    world.err.write(`tokenkeep: ${lines.map(printable).join('\n')}\n`);
    return exitCodeOf(error);
  }
}

/** Leaves out the message, which may quote a document. */
function unexpected(error: unknown): string {
  const name = error instanceof Error ? error.name : typeof error;
  const code = codeOf(error);
  return `An unexpected error (${code === '' ? name : `${name}, ${code}`}) stopped the command, which may be done in part. See: tokenkeep list. Report the error if it comes back.`;
}
