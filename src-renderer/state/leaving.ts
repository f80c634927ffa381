import type { LeaveReport } from '../../app/contract.ts';
import type { PlainError } from '../../src-main/ipc/contract.ts';
import { count } from './words.ts';

/** How the part of a sign-out beyond this computer went. `pending`: it is under way. */
export type LeavingView = 'pending' | { report: LeaveReport } | { problem: PlainError };

export interface LeavingLine {
  says: string;
  value: string;
  tone: 'ok' | 'bad' | 'plain';
}

/** One line for each thing that was wished, each with its own outcome. */
export function leavingLines(view: LeavingView | null): LeavingLine[] {
  if (view === null) return [];
  if (view === 'pending') return [{ says: 'Provider', value: 'Being told…', tone: 'plain' }];
  if ('problem' in view)
    return [{ says: 'Provider', value: `Not told. ${view.problem.message}`, tone: 'bad' }];
  const { revoked, session } = view.report;
  const lines: LeavingLine[] = [];
  if (revoked !== null) {
    const done = revoked.count === 0 ? '' : `${count(revoked.count, 'refresh token')} revoked. `;
    lines.push(
      revoked.problem === null
        ? {
            says: 'Revoked',
            value: revoked.count === 0 ? 'There was none to revoke' : done.trim(),
            tone: 'ok',
          }
        : {
            says: 'Not revoked',
            value: `${done}${revoked.problem.message} It is gone from this computer all the same.`,
            tone: 'bad',
          },
    );
  }
  if (session !== null) {
    lines.push(
      session.problem === null
        ? { says: 'Session', value: 'Its sign-out page is open in your browser: finish there', tone: 'plain' }
        : { says: 'Session', value: `Not ended. ${session.problem.message}`, tone: 'bad' },
    );
  }
  return lines;
}
