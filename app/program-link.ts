/** Opens a program by its own link, so that the user can sign out there. */
import { app, shell } from 'electron';
import { InvalidArgumentError } from 'tokenkeep';

/**
 * @param url from the table of programs, never from the window or a file
 * @throws InvalidArgumentError if no program is registered for the link
 */
export async function openProgram({
  name,
  url,
}: {
  readonly name: string;
  readonly url: string;
}): Promise<void> {
  // Without a handler, some systems open nothing and report no error.
  if (app.getApplicationNameForProtocol(url) === '')
    throw new InvalidArgumentError(
      `The system does not know how to open ${name}. Nothing was changed. Open it yourself.`,
    );
  await shell.openExternal(url);
}
