import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openVault } from '../../../src-main/vault/vault.ts';
import { homeOf, signIn, usersIn } from '../../vault/people.ts';
import { Child } from '../child.ts';
import { FolderKeychain } from '../folder-keychain.ts';
import type { Scene } from '../section.ts';
import { must } from '../tally.ts';

type Rescue = 'recover' | 'startFresh';

/** Two processes recover the same damaged vault, or begin a fresh one, and one of them is killed. */
export async function killRescuers(scene: Scene): Promise<void> {
  const { tally, random, kills } = scene;
  const spare: Child[] = [];
  try {
    for (const kind of ['recover', 'startFresh'] as const) {
      const template = await wreck(scene, kind);
      for (let round = 0; round < Math.ceil(kills / 20); round += 1) {
        while (spare.length < 4) spare.push(new Child(scene.program, ['rescuer']));
        const pair = spare.splice(0, 2);
        const after = random.below(30);
        await tally.try(`kill: ${kind}`, `round ${round}, after ${after} ms`, () =>
          killOneOf(pair, after, kind, template, scene.folder()),
        );
        await Promise.all(pair.map((child) => child.kill()));
      }
    }
  } finally {
    await Promise.all(spare.map((child) => child.kill()));
  }
}

/** A vault with three accounts, one of which is damaged, or a vault whose key is missing. */
async function wreck(scene: Scene, kind: Rescue): Promise<string> {
  const folder = scene.folder();
  const file = join(folder, 'cache.vault');
  const vault = await openVault({ file, keychain: new FolderKeychain(join(folder, 'keys')) });
  await vault.update((cache) => ['ada', 'ben', 'cas'].forEach((user) => signIn(cache, user)));
  await vault.close();
  if (kind === 'startFresh') {
    new FolderKeychain(join(folder, 'keys')).lose('a');
    return folder;
  }
  const bytes = readFileSync(file);
  const frames = [4224];
  for (let at = 4224; at < bytes.length; ) {
    at += 84 + bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4);
    frames.push(at);
  }
  const inBen = (frames[2] ?? 0) + 100;
  bytes.writeUInt8(bytes.readUInt8(inBen) ^ 1, inBen);
  writeFileSync(file, bytes);
  return folder;
}

async function killOneOf(
  pair: readonly Child[],
  after: number,
  kind: Rescue,
  template: string,
  folder: string,
): Promise<void> {
  cpSync(template, folder, { recursive: true });
  new FolderKeychain(join(folder, 'keys')).moveTo(join(folder, 'cache.vault'));
  const original = readFileSync(join(folder, 'cache.vault'));
  const [victim, other] = pair;
  if (victim === undefined || other === undefined) throw new Error('two are needed');
  for (const child of pair) must((await child.next()) === 'standby', `did not start: ${child.complaint}`);
  victim.tell(`${kind} ${folder} victim`);
  other.tell(`${kind} ${folder} other`);
  const said = { victim: new Set<string>(), other: new Set<string>() };
  said.victim.add((await victim.next()) ?? 'nothing');
  await delay(after);
  await victim.kill();
  for (let line = await victim.next(); line !== null; line = await victim.next()) said.victim.add(line);
  for (let line = await other.next(); line !== null && line !== 'end'; line = await other.next())
    said.other.add(line);
  const failed = [...said.other].filter((line) => line.startsWith('failed'));
  must(failed.length === 0, `the one that was not killed ${failed.join(', ')}`);
  must(said.other.has('saved'), `the one that was not killed could not save: ${other.complaint}`);

  const keychain = new FolderKeychain(join(folder, 'keys'));
  const vault = await openVault({ file: join(folder, 'cache.vault'), keychain });
  must(vault.status.state === 'ready', `the vault is ${vault.status.state}`);
  const users = Object.keys(await vault.read(usersIn));
  const kept = kind === 'recover' ? ['ada', 'cas', 'other'] : ['other'];
  if (said.victim.has('saved')) kept.push('victim');
  for (const user of kept) must(users.includes(homeOf(user)), `${user} is not there`);
  must(users.length <= kept.length + 1, `there are ${users.join(', ')}`);
  await vault.compact();
  await vault.close();
  const names = readdirSync(folder);
  const aside = names.filter((name) => /\.(damaged|orphan)-/.test(name));
  must(
    aside.some((name) => readFileSync(join(folder, name)).equals(original)),
    `the file as it was is not kept: ${aside.join(', ')}`,
  );
  must(!names.some((name) => name.includes('.new-')), `${names.join(', ')}: a temporary file is left`);
}
