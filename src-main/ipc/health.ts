/** Findings of the doctor, repairs, and undo until the next start. */
import { setImmediate } from 'node:timers/promises';
import { accountsToExamine, examine, repair, type RepairUndo, undoRepair } from '../doctor/doctor.ts';
import { bySeverity, type Difference, type Finding } from '../doctor/finding.ts';
import { InvalidArgumentError } from '../errors.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { recordActivity } from './activity.ts';
import type { HealthReport, RepairReport, TokenCacheRequests } from './contract.ts';
import type { Ports } from './ports.ts';
import type { Handlers } from './requests.ts';

type Health = Pick<TokenCacheRequests, 'examine' | 'repair' | 'undoRepair'>;

/** The maximum number of findings that are sent. The rest are only counted; "repair all" does not need them. */
const MOST_FINDINGS = 1_000;

/** Accounts examined between two pauses: a few milliseconds of work. */
const ACCOUNTS_A_TURN = 100;

export function health<Caller>({
  vault,
  now,
}: Pick<Ports<Caller>, 'vault' | 'now'>): Handlers<Health, Caller> {
  /** Undo data of each repair, the last at the end. It holds tokens and stays in this process. */
  const done: { report: RepairReport; undo: RepairUndo; since: number }[] = [];
  /** The findings that were sent last. */
  let known: ReadonlyMap<string, Finding> = new Map();

  return {
    async examine(): Promise<HealthReport> {
      const opened = await vault();
      const at = now();
      const findings: Finding[] = [];
      const accounts = await opened.read(accountsToExamine, { held: true });
      while (accounts.length > 0) {
        const next = accounts.splice(0, ACCOUNTS_A_TURN);
        const found = await opened.read(
          (cache) => next.flatMap((account) => examine(cache, { account, now: at })),
          { held: true },
        );
        findings.push(...found);
        await setImmediate();
      }
      findings.sort(bySeverity);
      known = new Map(findings.map((finding) => [finding.id, finding]));
      return {
        findings: findings.slice(0, MOST_FINDINGS),
        total: findings.length,
        repairable: findings.filter((finding) => finding.repair !== null).length,
        last: done.at(-1)?.report ?? null,
      };
    },

    async repair(_caller, ids) {
      const at = now();
      const wanted = ids === null ? 'all' : ids.map((id) => known.get(id) ?? { id });
      const opened = await vault();
      const { difference, undo } = await opened.update((cache) => {
        const repaired = repair(cache, wanted, at);
        recordRepair(cache, at, repaired.difference, false);
        return repaired;
      });
      const report = { at, difference };
      done.push({ report, undo, since: opened.epoch }); // A repair may remove the last entry of an account, as a sign-out does.
      return report;
    },

    async undoRepair() {
      const last = done.at(-1);
      if (last === undefined) {
        throw new InvalidArgumentError('There is no repair to undo. Nothing was changed.');
      }
      const undo = (cache: TokenCache): Difference => {
        const undone = undoRepair(cache, last.undo);
        recordRepair(cache, now(), undone, true);
        return undone;
      };
      const difference = await (await vault()).update(undo, { since: last.since });
      // After the update, so that a refused update can be retried.
      const at = done.indexOf(last);
      if (at !== -1) done.splice(at, 1); // unless a call at the same time has undone it, too
      return { at: now(), difference };
    },
  };
}

function recordRepair(
  cache: TokenCache,
  at: number,
  { removed, added, changed }: Difference,
  undo: boolean,
): void {
  const entries = removed.length + added.length + changed.length;
  if (entries > 0) recordActivity(cache, at, [], { kind: 'repair', entries, undo });
}
