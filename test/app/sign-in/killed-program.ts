/**
 * Runs the app's sign-out in a process of its own, with a vault, a key and other programs' caches on the disk. It kills itself with SIGKILL
 * at the step whose number is given, and prints the name of each step. With the step "start", it acts as the next start, and prints what
 * that finds. Usage: FOLDER ISSUER CA STEP [ACCOUNT]
 */
import { appendFileSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { trustingFetch } from '../../../examples/provider/trusting-fetch.ts';
import { keyFile } from '../../../src-main/keychain/index.ts';
import { CACHES, otherPrograms, stepping, type Steps } from './sign-out-steps.ts';
import { stage } from './stage.ts';

const [folder = '', issuer = '', ca = '', last = '', accountId = ''] = process.argv.slice(2);
const isNextStart = last === 'start';

let count = 0;
let isOn = false;
function step(name: string): void {
  if (!isOn) return;
  count += 1;
  writeSync(1, `${name}\n`);
  if (count === Number(last)) process.kill(process.pid, 'SIGKILL');
}
const steps: Steps = {
  async around(name, work) {
    step(`before ${name}`);
    const result = await work();
    step(`after ${name}`);
    return result;
  },
};

const caches = join(folder, 'caches');
const left = {
  *[Symbol.iterator]() {
    yield* readdirSync(caches);
  },
  delete(id: string) {
    rmSync(join(caches, id));
    return true;
  },
};
const trusting = trustingFetch(ca);
const here = await stage(
  { issuer, ca },
  {},
  {
    fetch: (input, init) =>
      steps.around(`the call of ${new URL(new Request(input).url).pathname}`, () => trusting(input, init)),
    // Nothing is given up because the machine is slow.
    after: () => () => undefined,
    sources: otherPrograms(left, steps),
    vault: () => Promise.resolve(stepping(here.vault, steps)),
    openBrowser: (url) =>
      steps.around('the browser', () => appendFileSync(join(folder, 'opened'), `${new URL(url).pathname}\n`)),
  },
  folder,
  keyFile(join(folder, 'key')),
);

if (isNextStart) {
  await here.signing.start();
  await here.signing.idle();
  const accounts = await here.vault.read((cache) => cache.accounts().length);
  const reports = await here.signing.handlers.signOuts(null);
  writeSync(1, JSON.stringify({ accounts, reports, faults: here.faults.map(String) }));
} else {
  isOn = true;
  const wishes = { vault: true, revoke: true, endSession: true, places: CACHES };
  await here.signing.handlers.signOut(null, [accountId], wishes);
  isOn = false;
}
await here.close();
