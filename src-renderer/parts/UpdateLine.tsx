import { updateLine } from '../state/update.ts';
import { Action } from './Action.tsx';
import { useModel, useStore } from './model.ts';

/** That there is a newer version. It waits until the user wants it. */
export function UpdateLine() {
  const { update } = useModel();
  const line = updateLine(useStore(update.view));
  return (
    <span className="update" role="status">
      {line !== null && (
        <>
          {line.text}
          {line.action !== null && (
            <Action kind="quiet" onPress={() => void update.go()}>
              {line.action}
            </Action>
          )}
        </>
      )}
    </span>
  );
}
