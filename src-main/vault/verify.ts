import { accountOf, recordsOf } from '../cache/records.ts';
import { isObject } from './json.ts';
import { look } from './open.ts';
import { sealedSecretOf } from './secret.ts';
import type { Settings } from './settings.ts';
import type { VaultReport } from './status.ts';

/** Looks at the file with its own eyes: nothing that is in memory counts, but the key. */
export async function verify(settings: Settings, known: Buffer | null): Promise<VaultReport> {
  const { state, error, contents, identity, slot, key } = await look(settings, known);
  const report: VaultReport = {
    sound: state === 'ready' || (state === 'read-only' && contents !== null),
    state,
    ...(error === null ? {} : { code: error.code }),
    bytes: Number(identity?.size ?? 0n),
    accounts: 0,
    entries: 0,
    secrets: 0,
    live: 1,
    keySlot: slot,
    keyMadeAt: null,
    generation: 0,
  };
  key?.fill(0);
  if (contents === null) return report;
  const accounts = new Set<string>();
  for (const record of recordsOf(contents.cache)) {
    report.entries += 1;
    const account = accountOf(record);
    if (account !== null) accounts.add(account);
    const sealed = isObject(record.value) ? sealedSecretOf(record.value) : undefined;
    if (sealed === undefined) continue;
    try {
      sealed.open();
      report.secrets += 1;
    } catch {
      report.sound = false;
      report.code ??= 'vault_damaged';
    }
  }
  return {
    ...report,
    accounts: accounts.size,
    live: contents.rows === 0 ? 1 : contents.live / contents.rows,
    keyMadeAt: contents.standing.keyMadeAt || null,
    generation: Number(contents.header.generation),
    ...(contents.recovered === null ? {} : { recovered: contents.recovered }),
  };
}
