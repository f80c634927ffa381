/** A program that looks at the sources of a home folder and signs one account out, for tests that run it as another user. */
import { findSources } from '../../src-main/sources/find.ts';
import { removeLeftovers } from '../../src-main/sources/program-lock.ts';
import { readSource } from '../../src-main/sources/read.ts';
import { signOutAtSource } from '../../src-main/sources/sign-out.ts';

const [home = '', name = ''] = process.argv.slice(2);
const said: { state: string; problem: string; signOut?: string }[] = [];
const found = await findSources({ home, platform: 'linux' });
await removeLeftovers(found);
for (const source of found) {
  const { state, problem = '', accounts } = await readSource(source, { pause: 1 });
  const account = accounts.find(({ username }) => username.startsWith(`${name}@`));
  const signOut =
    account &&
    (await signOutAtSource(source, account).then(
      ({ left = '' }) => `done ${left}`.trim(),
      (error: unknown) => String(Object(error)['code']),
    ));
  said.push({ state, problem, ...(signOut === undefined ? {} : { signOut }) });
}
process.stdout.write(JSON.stringify(said));
