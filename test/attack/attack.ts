/** The attack campaign: hostile windows, browsers and providers against the app. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Random } from '../torture/random.ts';
import { attackArguments } from './ipc-arguments.ts';
import { attackLoopback } from './loopback.ts';
import { attackAddresses } from './addresses.ts';
import { hostileProvider } from './hostile-provider.ts';
import { attackWindow } from './window.ts';
import type { Scene, Section } from './scene.ts';
import { Score } from './score.ts';

/** By name. The window needs Electron and the built app. */
export const PURE_SECTIONS: Readonly<Record<string, Section>> = {
  arguments: attackArguments,
  addresses: attackAddresses,
  loopback: attackLoopback,
  provider: hostileProvider,
};
const SECTIONS: Readonly<Record<string, Section>> = { ...PURE_SECTIONS, window: attackWindow };

/** Runs sections and returns what got through. */
export async function run(
  sections: Readonly<Record<string, Section>>,
  { seed, short, filter }: { seed: number; short: boolean; filter?: string | undefined },
): Promise<Score> {
  const score = new Score(filter);
  for (const [name, section] of Object.entries(sections)) {
    const scene: Scene = { score, short, random: new Random(seed).fork(name) };
    // A section that fails has not tried the rest.
    await section(scene).catch((error: unknown) => {
      const row = score.row(`${name}: the section itself`);
      row.tried += 1;
      row.through.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    });
  }
  return score;
}

/** Runs the campaign and prints the results. Returns the exit code: 0 if nothing got through. */
export async function attack(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      seed: { type: 'string', default: '1' },
      short: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      attack: { type: 'string' },
      report: { type: 'string' },
    },
  });
  const unknown = values.only.find((name) => !Object.hasOwn(SECTIONS, name));
  if (unknown !== undefined) throw new Error(`attack: --only takes ${Object.keys(SECTIONS).join(', ')}`);
  if (!/^\d+$/.test(values.seed)) throw new Error(`attack: --seed needs a number, not ${values.seed}`);
  const sections = Object.fromEntries(
    Object.entries(SECTIONS).filter(([name]) => values.only.length === 0 || values.only.includes(name)),
  );
  console.log(`seed ${values.seed}, ${values.short ? 'short' : 'long'} form`);
  const score = await run(sections, {
    seed: Number(values.seed),
    short: values.short,
    filter: values.attack,
  });
  for (const { name, through } of score.rows) for (const what of through) console.log(`  ${name}: ${what}`);
  console.log(`\n${score.table()}`);
  if (values.report !== undefined) {
    writeFileSync(values.report, JSON.stringify({ seed: Number(values.seed), rows: score.rows }));
  }
  return score.through === 0 ? 0 : 1;
}
