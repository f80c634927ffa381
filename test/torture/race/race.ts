import { statSync } from 'node:fs';
import { join } from 'node:path';
import { openVault } from '../../../src-main/vault/vault.ts';
import { homeOf, usersIn } from '../../vault/people.ts';
import { Child } from '../child.ts';
import { FolderKeychain } from '../folder-keychain.ts';
import { lookAt, mustBeClean, usersFound } from '../look.ts';
import type { Scene } from '../section.ts';
import { must } from '../tally.ts';

const PROCESSES = 8;

/** Eight processes start at the same moment, on a vault that does not exist yet. Every update must be in it. */
export async function race(scene: Scene): Promise<void> {
  const { tally, short } = scene;
  const each = short ? 40 : 500;
  const row = `race: ${PROCESSES} processes × ${each} updates (failure 14)`;
  const folder = scene.folder();
  const names = Array.from({ length: PROCESSES }, (_, index) => `p${index}`);
  const begun = performance.now();
  const racers = names.map((name) => new Child(scene.program, ['racer', folder, name, String(each)]));
  let worst = 0;
  try {
    for (const child of racers) must((await child.next()) === 'ready', `did not start: ${child.complaint}`);
    for (const child of racers) child.tell('go');
    const said = await Promise.all(racers.map((child) => child.next()));
    for (const [index, line] of said.entries()) {
      const [word, waited, seen, own] = line?.split(' ') ?? [];
      must(
        word === 'done',
        `${names[index] ?? ''} ended with ${line ?? racers[index]?.complaint ?? 'nothing'}`,
      );
      must(Number(seen) >= each && own === 'true', `${names[index] ?? ''} does not see its own updates`);
      worst = Math.max(worst, Number(waited));
    }
  } finally {
    await Promise.all(racers.map((child) => child.kill()));
  }
  const users = usersFound(await lookAt(folder));
  for (const name of names) {
    for (let n = 0; n < each; n += 1) {
      await tally.try(row, `${name}-${n}`, () =>
        must(users[homeOf(`${name}-${n}`)] === `access secret of ${name}-${n}`, 'lost'),
      );
    }
  }
  const keychain = new FolderKeychain(join(folder, 'keys'));
  await tally.try(`${row}: at the end`, 'the vault', async () => {
    const vault = await openVault({ file: join(folder, 'cache.vault'), keychain });
    must((await vault.verify()).sound, 'the vault is not sound');
    must(Object.keys(await vault.read(usersIn)).length === PROCESSES * each, 'there are others');
    await vault.close();
    must(keychain.slots().length === 1, 'more than one key was made');
    mustBeClean(folder);
    must((statSync(join(folder, 'cache.vault')).mode & 0o777) === 0o600, 'others may read the file');
  });
  tally.note(row, `${((performance.now() - begun) / 1000).toFixed(0)} s, the longest update ${worst} ms`);
}
