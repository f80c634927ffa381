/** `doctor`, `export`, `import` and `verify`: the verbs about the vault as a whole. */
import { lstat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { examine, repair } from '../doctor/doctor.ts';
import type { Difference, Finding } from '../doctor/finding.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { recordActivity } from '../ipc/activity.ts';
import { cachedAccounts } from '../accounts/cached-accounts.ts';
import { mergeImport } from '../ipc/imports.ts';
import type { Vault } from '../vault/api.ts';
import { readDocumentFile } from '../vault/exchange/document-file.ts';
import { openDocument } from '../vault/exchange/import.ts';
import { note } from './activity.ts';
import type { Given } from './arguments.ts';
import { json, printable } from './text.ts';
import { assertStored, codeOfState, shownCode, verified, withVault } from './vault.ts';
import { assertAgreed, EXIT, Stop, type World } from './world.ts';

export function doctor(given: Given, world: World): Promise<number> {
  return withVault(given, world, async (vault) => {
    assertStored(vault, world);
    const repaired = given.has('repair')
      ? await vault.update((cache) => repairAndRecord(cache, world.now()))
      : [];
    const findings = await vault.read((cache) => examine(cache, { now: world.now() }));
    const code = shownCode(vault, world) || (findings.length === 0 ? EXIT.ok : EXIT.findings);
    if (given.has('json')) {
      world.out.write(json(given.has('repair') ? { repaired, left: findings } : findings));
      return code;
    }
    for (const { says, repair: mends } of repaired)
      world.out.write(`Repaired: ${printable(says)}${mends === null ? '' : ` (${changesText(mends)})`}\n`);
    for (const { says, repair: mends } of findings)
      world.out.write(`${printable(says)}${mends === null ? '' : ' (can be repaired)'}\n`);
    const canBeRepaired = findings.some(({ repair: mends }) => mends !== null);
    const next = canBeRepaired ? ' To repair what can be repaired: tokenkeep doctor --repair' : '';
    if (findings.length > 0)
      world.out.write(
        `${counted(findings.length, 'finding')}${repaired.length > 0 ? ' left' : ''}.${next}\n`,
      );
    else if (repaired.length === 0) world.out.write('No duplicates, stale tokens or broken entries.\n');
    return code;
  });
}

/** "3 removed, 1 changed": numbers of entries. */
function changesText({ removed, added, changed }: Difference): string {
  const parts = Object.entries({ removed, added, changed }).filter(([, { length }]) => length > 0);
  return parts.map(([what, { length }]) => `${length.toLocaleString('en')} ${what}`).join(', ');
}

/** Repairs what can be repaired, and returns what was: a repair leaves a finding whose entries an earlier one has changed. */
function repairAndRecord(cache: TokenCache, now: number): Finding[] {
  const found = examine(cache, { now }).filter(({ repair: mends }) => mends !== null);
  const { removed, added, changed } = repair(cache, found, now).difference;
  const entries = removed.length + added.length + changed.length;
  if (entries > 0) recordActivity(cache, Math.floor(now), [], { kind: 'repair', entries, undo: false });
  const left = new Set(examine(cache, { now }).map(({ id }) => id));
  return found.filter(({ id }) => !left.has(id));
}

export function exportVault(given: Given, world: World): Promise<number> {
  return withVault(given, world, async (vault) => {
    assertStored(vault, world);
    const file = resolve(given.operands[0] ?? '');
    if (!given.has('replace')) await agreeToReplace(file, world);
    const passphrase = await passphraseFrom(given, world, true);
    const accountsExported = await vault.read((cache) => cachedAccounts(cache).byId.size);
    await vault.exportTo(file, passphrase);
    await note(vault, world, [], { kind: 'export', file, accountsExported });
    world.err.write(
      `Exported ${counted(accountsExported, 'account')}. Anyone with the file and the passphrase can use every token in it.\n`,
    );
    return shownCode(vault, world);
  });
}

/** The path is typed, and no system dialog asks. An export replaces a file, and a link by a file. */
async function agreeToReplace(file: string, world: World): Promise<void> {
  const isThere = await lstat(file).then(
    (found) => found.isFile() || found.isSymbolicLink(), // what else is there is refused by the export
    () => false,
  );
  if (!isThere) return;
  const says = `${printable(file)} exists already.`;
  if (!world.isInteractive)
    throw new Stop(
      EXIT.cancelled,
      `${says} Nothing was exported, and the file is unchanged. Choose another name, or add --replace.`,
    );
  const cancelled = 'Cancelled. Nothing was exported, and the file is unchanged.';
  await assertAgreed(world, `${says} Replace it? [y/N] `, cancelled);
}

export function importInto(given: Given, world: World): Promise<number> {
  const task = async (vault: Vault): Promise<number> => {
    const file = resolve(given.operands[0] ?? '');
    // Not `vault.importFrom`: the event is recorded in the same update.
    const at = Math.floor(world.now());
    const content = await readDocumentFile(file);
    const document = await openDocument(content, undefined, () => at).catch(async (error: unknown) => {
      if (!isWithoutPassphrase(error)) throw error;
      return openDocument(content, await passphraseFrom(given, world, false), () => at);
    });
    const report = await vault.update((cache) => mergeImport(cache, document, { path: file, at }));
    const { accountsAdded, tokensAdded } = report;
    world.out.write(
      `${counted(accountsAdded, 'account')} and ${counted(tokensAdded, 'token')} added, ${counted(report.tokensReplaced, 'token')} replaced.\n`,
    );
    return EXIT.ok;
  };
  return withVault(given, world, task, { isMade: true });
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function isWithoutPassphrase(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'passphrase_needed';
}

async function passphraseFrom(given: Given, world: World, isNew: boolean): Promise<string> {
  if (given.has('passphrase-stdin')) return (await world.input()).split(/\r?\n/)[0] ?? '';
  if (!world.isInteractive)
    throw new Stop(
      EXIT.usage,
      `There is no terminal to ask for the passphrase in. Nothing was ${isNew ? 'exported' : 'imported'}. Give --passphrase-stdin.`,
    );
  const passphrase = await world.ask('Passphrase: ', { hidden: true });
  if (isNew && (await world.ask('Confirm passphrase: ', { hidden: true })) !== passphrase)
    throw new Stop(EXIT.cancelled, 'The two passphrases differ. Nothing was written.');
  return passphrase;
}

export function verify(given: Given, world: World): Promise<number> {
  return withVault(given, world, async (vault) => {
    assertStored(vault, world);
    const report = await vault.verify();
    if (given.has('json')) world.out.write(json(report));
    else world.out.write(`${printable(verified(vault, report, world))}\n`);
    return report.sound ? EXIT.ok : codeOfState(report.state);
  });
}
