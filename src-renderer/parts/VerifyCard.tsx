import { ProgressBar } from 'react-aria-components';
import type { VaultStatus } from '../../src-main/ipc/contract.ts';
import { relative } from '../state/time.ts';
import { findings } from '../state/vaultFacts.ts';
import { number } from '../state/words.ts';
import { Action } from './Action.tsx';
import { Card } from './Card.tsx';
import { Icon } from './Icon.tsx';
import { useModel, useStore } from './model.ts';
import { Pairs } from './Pairs.tsx';

/** Reads every byte, opens every secret, and says what was found. */
export function VerifyCard({ status, now }: { status: VaultStatus; now: number }) {
  const { security } = useModel();
  const { verifying, verified } = useStore(security.view);
  const found = verified === null ? null : findings(verified.report);
  return (
    <Card
      title="Verification"
      actions={
        <Action
          onPress={() => void security.verify()}
          isDisabled={status.bytes === null}
          pending={verifying === null ? null : 'Verifying…'}
        >
          Verify now
        </Action>
      }
    >
      {verifying !== null ? (
        <Progress done={verifying.done} of={verifying.of} />
      ) : found === null || verified === null ? (
        <p>Reads every byte of the file, checks every seal and opens every secret. Nothing is changed.</p>
      ) : (
        <div role="status">
          <p className="found-title" data-sound={found.sound}>
            <Icon name={found.sound ? 'check' : 'warning'} />
            <b>{found.title}</b>
          </p>
          <Pairs facts={found.rows} />
          <p className="note">
            {verified.at >= now - 1 ? 'Just now' : `Verified ${relative(verified.at, now)}`}
            {status.savedAt !== null && status.savedAt > verified.at && '; the file has changed since'}.
          </p>
        </div>
      )}
    </Card>
  );
}

function Progress({ done, of }: { done: number; of: number }) {
  return (
    <ProgressBar
      className="progress"
      aria-label="Verifying"
      value={done}
      maxValue={Math.max(1, of)}
      isIndeterminate={of === 0}
    >
      {({ percentage = 0 }) => (
        <>
          <p className="note">
            {of === 0 ? 'Reading the file…' : `${number(done)} of ${number(of)} entries`}
          </p>
          <svg className="progress-scale" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
            <rect className="bar-track" width="100" height="4" />
            <rect className="progress-done" width={percentage} height="4" />
          </svg>
        </>
      )}
    </ProgressBar>
  );
}
