import type { PlainError } from '../../src-main/ipc/contract.ts';
import { Action } from '../parts/Action.tsx';
import { BlankScreen } from '../parts/BlankScreen.tsx';
import { useModel } from '../parts/model.ts';

/** Main could not say what is cached: its own sentence, and another try. */
export function ListFailed({ error }: { error: PlainError }) {
  const model = useModel();
  return (
    <BlankScreen icon="warning" tone="bad" title="Your sign-ins could not be listed">
      <p>{error.message}</p>
      <div className="actions">
        <Action kind="primary" onPress={() => void model.start()} autoFocus>
          Retry
        </Action>
      </div>
    </BlankScreen>
  );
}
