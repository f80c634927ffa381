import type { Notice, NoticeAction } from '../state/notices.ts';
import { Action } from './Action.tsx';
import { useModel, useStore } from './model.ts';

const LABELS: Readonly<Record<NoticeAction, string>> = {
  retry: 'Retry',
  recover: 'Keep what was recovered…',
  'start-fresh': 'Start fresh…',
  'show-file': 'Show the file',
};

/** What can be done about a notice; the first is the one to take. */
export function NoticeActions({ notice, screen = false }: { notice: Notice; screen?: boolean }) {
  const { vault, dialogs, doors } = useModel();
  const doing = useStore(vault.view, (view) => view.doing);
  // A banner has no room to spare, and the file is in the menu too.
  const actions = screen ? notice.actions : notice.actions.filter((action) => action !== 'show-file');
  if (actions.length === 0) return null;

  const act = (action: NoticeAction) => {
    if (action === 'retry') void vault.ask('retry');
    else if (action === 'show-file') void doors.app.showFile();
    else dialogs.open({ kind: action });
  };
  return (
    <div className="actions">
      {actions.map((action, index) => (
        <Action
          key={action}
          kind={index === 0 && action !== 'start-fresh' ? 'primary' : 'plain'}
          onPress={() => act(action)}
          pending={doing === 'retry' && action === 'retry' ? 'Retrying…' : null}
          autoFocus={screen && index === 0}
        >
          {LABELS[action]}
        </Action>
      ))}
    </div>
  );
}
