import { rmSync, writeFileSync } from 'node:fs';
import { readArguments, type SectionName } from './arguments.ts';
import { killWriters } from './kill/kill.ts';
import { inject } from './inject/inject.ts';
import { killRescuers } from './kill/rescue.ts';
import { changeBytes } from './bytes/bytes.ts';
import { troubleKeyring } from './keyring/keyring.ts';
import { losePower } from './power/power.ts';
import { race } from './race/race.ts';
import { putBackOlder } from './older/older.ts';
import { useCopies } from './copies/copies.ts';
import { useFileSystems } from './filesystems/filesystems.ts';
import { troubleStores } from './partitions/partitions.ts';
import { Random } from './random.ts';
import { newFolder, type Scene, type Section } from './section.ts';
import { Tally } from './tally.ts';

const PARTS: Readonly<Record<SectionName, readonly Section[]>> = {
  kill: [killWriters, killRescuers],
  inject: [inject],
  bytes: [changeBytes],
  race: [race],
  keyring: [troubleKeyring],
  power: [losePower],
  older: [putBackOlder],
  copies: [useCopies],
  filesystems: [useFileSystems],
  partitions: [troubleStores],
};

/** Runs the campaign and prints the results. `program`: the bundled program.ts. Returns the exit code: 0 if nothing was lost. */
export async function campaign(words: readonly string[], program: string): Promise<number> {
  const given = readArguments(words);
  const tally = new Tally();
  const folders: string[] = [];
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      console.log('\nBroken off.');
      tellLosses(tally, folders);
      process.exit(1);
    });
  }
  console.log(`seed ${given.seed}, ${given.short ? 'short' : 'long'} form`);
  for (const name of given.only) {
    const scene: Scene = {
      ...given,
      tally,
      program,
      random: new Random(given.seed).fork(name),
      folder: () => {
        const folder = newFolder();
        folders.push(folder);
        return folder;
      },
    };
    const begun = performance.now();
    for (const section of PARTS[name]) {
      // If a section fails, the faults that it did not try count as lost.
      await section(scene).catch((error: unknown) => {
        tally.row(`${name}: the section itself`).tried += 1;
        tally
          .row(`${name}: the section itself`)
          .lost.push(String(error instanceof Error ? error.stack : error));
      });
    }
    console.log(`${name}: ${Math.round((performance.now() - begun) / 1000)} s`);
  }
  if (tally.lost === 0) for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  tellLosses(tally, folders);
  if (given.report !== undefined)
    writeFileSync(given.report, JSON.stringify({ seed: given.seed, rows: tally.rows }));
  return tally.lost === 0 ? 0 : 1;
}

function tellLosses(tally: Tally, folders: readonly string[]): void {
  if (tally.lost > 0) console.log(`\nWhat was lost. The vaults are in ${folders.join(', ')}`);
  for (const { name, lost } of tally.rows) for (const what of lost) console.log(`  ${name}: ${what}`);
  console.log(`\n${tally.table()}`);
}
