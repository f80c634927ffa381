import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Keychain, memoryKeychain } from '../../../src-main/keychain/keychain.ts';
import { openFile } from '../../../src-main/vault/open.ts';
import { openVault, openVaultIn } from '../../../src-main/vault/vault.ts';
import { FakeDisk, placeOf } from '../../vault/disk.ts';
import { FolderKeychain } from '../folder-keychain.ts';
import { EXPORT, OPERATIONS, type Operation } from '../inject/operations.ts';
import { usersFound } from '../look.ts';
import type { Scene } from '../section.ts';
import { must } from '../tally.ts';
import { type Disk, PowerModel } from './disk-after.ts';
import { RecordingIo, type Step } from './recording-io.ts';

/** Records each operation's writes, and simulates a power cut after each of them: every disk that may result is opened. */
export async function losePower(scene: Scene): Promise<void> {
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    const recorded = await record(scene, operation);
    await tryAll(scene, name, operation, recorded);
  }
}

interface Recorded {
  before: Map<string, Buffer>;
  keys: Map<string, string>;
  steps: readonly Step[];
  /** The file of an export. */
  exported: Buffer | null;
}

async function record(scene: Scene, operation: Operation): Promise<Recorded> {
  const folder = scene.folder();
  const file = join(folder, 'cache.vault');
  const folderKeychain = new FolderKeychain(join(folder, 'keys'));
  folderKeychain.before = () => undefined;
  const vault = await openVault({ file, keychain: folderKeychain });
  await operation.start(vault);
  await vault.close();
  operation.spoil?.(folder);
  const before = new Map(
    readdirSync(folder)
      .filter((name) => /^cache\.vault|\.age$/.test(name) && !name.endsWith('lock'))
      .map((name) => [name, readFileSync(join(folder, name))]),
  );
  const keys = folderKeychain.items();
  const io = new RecordingIo(folder);
  const again = await openVaultIn(
    { file, keychain: recording(folderKeychain, io.steps) },
    { io, scryptWork: 1 },
  );
  await operation.run(again);
  io.steps.push({ kind: 'acknowledged', state: 1 });
  await again.close();
  const made = join(folder, EXPORT);
  return { before, keys, steps: io.steps, exported: existsSync(made) ? readFileSync(made) : null };
}

function recording(keychain: Keychain, steps: Step[]): Keychain {
  return {
    get: (service, account) => keychain.get(service, account),
    set: async (service, account, secret) => {
      await keychain.set(service, account, secret);
      steps.push({ kind: 'key', account, secret });
    },
    delete: async (service, account) => {
      await keychain.delete(service, account);
      steps.push({ kind: 'key', account, secret: null });
    },
  };
}

async function tryAll(
  scene: Scene,
  name: string,
  operation: Operation,
  { before, keys, steps, exported }: Recorded,
): Promise<void> {
  const { tally, random, short, fault } = scene;
  const original = before.get('cache.vault') ?? null;
  const model = new PowerModel(before);
  const keychain = new Map(keys);
  let acknowledged = false;
  for (const [index, step] of [null, ...steps].entries()) {
    if (step?.kind === 'acknowledged') acknowledged = true;
    else if (step?.kind === 'key') {
      if (step.secret === null) keychain.delete(step.account);
      else keychain.set(step.account, step.secret);
    } else if (step !== null) model.take(step);
    let number = 0;
    for (const disk of model.disks(random, short ? 12 : 400)) {
      number += 1;
      const title = `${name}, after step ${index} (${step?.kind ?? 'none'}), disk ${number}`;
      if (!title.includes(fault)) continue;
      const durable = acknowledged;
      await tally.try(`power: ${name}`, title, () =>
        judge(operation, disk, keychain, { original, durable, exported }),
      );
    }
  }
}

async function judge(
  { before, after, rescue }: Operation,
  disk: Disk,
  keys: ReadonlyMap<string, string>,
  { original, durable, exported }: { original: Buffer | null; durable: boolean; exported: Buffer | null },
): Promise<void> {
  const found = disk.get(EXPORT);
  if (found === undefined) must(exported === null || !durable, 'the export is not there');
  else must(exported?.equals(found) === true, 'the export is there, and not whole');
  const io = new FakeDisk();
  for (const [name, bytes] of disk) io.put(`/${name}`, bytes);
  const keychain = memoryKeychain();
  for (const [account, secret] of keys) await keychain.set('Tokenkeep', account, secret);
  if (rescue === true && original !== null) {
    const kept = [...disk].some(([name, bytes]) => !name.includes('.new-') && bytes.equals(original));
    must(kept, 'the file as it was is gone');
    if (!durable && disk.get('cache.vault')?.equals(original) === true) return;
  }
  const opening = await openFile(placeOf(io, '/cache.vault', keychain));
  must(opening.state === 'ready', `the vault is ${opening.state}`);
  const users = usersFound(opening);
  for (const home of new Set([...Object.keys(before), ...Object.keys(after), ...Object.keys(users)])) {
    const possible = durable ? [after[home]] : [before[home], after[home]];
    must(
      possible.includes(users[home]),
      `${home} is ${users[home] ?? 'gone'}, and should be ${possible.join(' or ')}`,
    );
  }
}
