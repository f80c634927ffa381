import { join } from 'node:path';
import { openVault } from '../../../src-main/vault/vault.ts';
import { Child } from '../child.ts';
import { FolderKeychain } from '../folder-keychain.ts';
import { inParallel, type Scene } from '../section.ts';
import { must } from '../tally.ts';
import { effectsOn, type Fault, nameOf } from './faulty-io.ts';
import { OPERATIONS } from './operations.ts';
import { callsOf, trial } from './trial.ts';

interface Case {
  operation: string;
  call: string;
  fault: Fault;
}

/** How many of each operation's faults the short form tries. */
const SAMPLE = 3;

/** Every kind of fault in every call of each operation. */
export async function inject(scene: Scene): Promise<void> {
  const { tally, random, short, fault: wanted } = scene;
  const templates = new Map<string, string>();
  const cases: Case[] = [];
  const first = new Child(scene.program, ['victim']);
  await first.next();
  for (const operation of Object.keys(OPERATIONS)) {
    const template = await makeTemplate(scene, operation);
    templates.set(operation, template);
    const calls = await callsOf(first, operation, template, scene.folder());
    if (OPERATIONS[operation]?.replaces === true) {
      must(calls.includes('rename new'), `${operation} does not replace the file: its faults are not tried`);
    }
    const all = calls.flatMap((call, at) =>
      effectsOn(call).map((effect) => ({ operation, call, fault: { at, effect } })),
    );
    const chosen = all.filter((one) => nameOfCase(one).includes(wanted));
    cases.push(...(short && wanted === '' ? random.sample(chosen, SAMPLE) : chosen));
  }
  await first.kill();

  const victims: (Child | undefined)[] = [];
  await inParallel(cases, 2, async (one, lane) => {
    const { operation, fault } = one;
    const template = templates.get(operation) ?? '';
    await tally.try(`inject: ${operation}`, nameOfCase(one), async () => {
      let child = victims[lane];
      if (child === undefined || child.hasEnded) {
        child = victims[lane] = new Child(scene.program, ['victim']);
        must((await child.next()) !== null, `a victim did not start: ${child.complaint}`);
      }
      await trial(child, { folder: scene.folder(), operation, fault }, template);
    });
    // The output about one fault must not be taken for that of the next.
    if (tally.row(`inject: ${operation}`).lost.some((line) => line.startsWith(nameOfCase(one)))) {
      await victims[lane]?.kill();
    }
  });
  await Promise.all(victims.flatMap((child) => child?.kill() ?? []));
}

function nameOfCase({ operation, call, fault }: Case): string {
  return `${operation}, call ${fault.at} (${call}), ${nameOf(fault.effect)}`;
}

async function makeTemplate(scene: Scene, name: string): Promise<string> {
  const folder = scene.folder();
  const operation = OPERATIONS[name];
  const keychain = new FolderKeychain(join(folder, 'keys'));
  const vault = await openVault({ file: join(folder, 'cache.vault'), keychain });
  await operation?.start(vault);
  await vault.close();
  operation?.spoil?.(folder);
  return folder;
}
