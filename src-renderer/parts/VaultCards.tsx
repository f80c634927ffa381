import type { VaultStatus } from '../../src-main/ipc/contract.ts';
import { fileFacts, keyFacts } from '../state/vaultFacts.ts';
import { Action } from './Action.tsx';
import { Card } from './Card.tsx';
import { useModel, useStore } from './model.ts';
import { Pairs } from './Pairs.tsx';

/** Where the file is, how large, how much of it is live. */
export function FileCard({ status, now }: { status: VaultStatus; now: number }) {
  const { doors, security } = useModel();
  const compacting = useStore(security.view, (view) => view.compacting);
  const dead = status.live !== undefined && status.live < 1;
  return (
    <Card
      title="The file"
      actions={
        <>
          <Action onPress={() => void doors.app.showFile()} isDisabled={status.bytes === null}>
            Show in folder
          </Action>
          {status.state === 'ready' && dead && (
            <Action onPress={() => void security.compact()} pending={compacting ? 'Compacting…' : null}>
              Compact
            </Action>
          )}
        </>
      }
    >
      <p className="path">
        <bdi>{status.file}</bdi>
      </p>
      <Pairs facts={fileFacts(status, now)} />
    </Card>
  );
}

/** Where the key is, and since when. */
export function KeyCard({ status, demo, now }: { status: VaultStatus; demo: boolean; now: number }) {
  const { dialogs } = useModel();
  const can = status.state === 'ready' && status.bytes !== null;
  return (
    <Card
      title="Its key"
      actions={
        <Action
          onPress={() => dialogs.open({ kind: 'rotate-key', working: false, receipt: null })}
          isDisabled={!can}
        >
          Rotate key…
        </Action>
      }
    >
      <Pairs facts={keyFacts(status, demo, now)} />
      <p className="note">
        {can
          ? 'A new key closes every older copy of the file. A sign-out does it by itself.'
          : 'It can be replaced once the file is open for writing.'}
      </p>
    </Card>
  );
}
