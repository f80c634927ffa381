import type { Notice, NoticeAction } from '../state/notices.ts';
import { Action } from './Action.tsx';
import { useModel, useStill, useStore } from './hooks.ts';
import { Icon } from './Icon.tsx';
import { Message, UserText } from './text.tsx';

/** Banners above the accounts: sample data, and a vault state that needs attention. */
export function Banners({ notice: latest }: { notice: Notice | null }) {
  const { vault, ports } = useModel();
  const demo = useStore(vault.view, (view) => view.info?.demo === true);
  const error = useStill(useStore(vault.view, (view) => view.error));
  const notice = useStill(latest);
  return (
    <div className="banners">
      {demo && (
        <section className="banner" data-tone="demo" aria-label="Demo">
          <p>
            <b>Sample data.</b> These accounts are made up, and all changes are deleted when you leave. Your
            own vault is not affected.
          </p>
          <div className="actions">
            <Action onPress={() => void ports.app.leaveDemo()}>Leave sample data</Action>
          </div>
        </section>
      )}
      {notice !== null && (
        <section className="banner" data-tone={notice.tone} aria-label={notice.title}>
          <Icon name={notice.tone === 'wait' ? 'wait' : 'warning'} />
          <p role="status">
            <b>{notice.title}.</b> <Message>{notice.text}</Message>{' '}
            <span className="consequence">
              <UserText>{notice.consequence}</UserText>
            </span>
            {error !== null && (
              <span className="problem">
                {' '}
                <Message>{error.message}</Message>
              </span>
            )}
          </p>
          <NoticeActions notice={notice} />
        </section>
      )}
    </div>
  );
}

const LABELS: Readonly<Record<NoticeAction, string>> = {
  'keep-mine': 'Keep these accounts…',
  compare: 'Compare',
  'take-file': 'Use the file…',
  'make-own': 'Make independent…',
  retry: 'Retry',
  recover: 'Keep recovered accounts…',
  restore: 'Restore from an export…',
  'start-fresh': 'Start fresh…',
  'show-file': 'Show vault file',
};

/** Actions that send one request each. Main asks the user before a request that replaces a file. */
const REQUESTS: Readonly<Partial<Record<NoticeAction, 'retry' | 'keepMine' | 'takeFile' | 'makeOwn'>>> = {
  retry: 'retry',
  'keep-mine': 'keepMine',
  'take-file': 'takeFile',
  'make-own': 'makeOwn',
};

const PENDING = { retry: 'Retrying…', keepMine: 'Keeping…', takeFile: 'Reading…', makeOwn: 'Rewriting…' };

/** Actions of a notice. The first one is the recommended action. */
export function NoticeActions({
  notice,
  screen = false,
  compared = false,
}: {
  notice: Notice;
  screen?: boolean;
  /** The page compares the versions itself. */
  compared?: boolean;
}) {
  const { vault, dialogs, maintenance, pages } = useModel();
  const doing = useStore(vault.view, (view) => view.doing);
  // A banner has little room, and the menu has "Show vault file" too.
  const actions = notice.actions.filter(
    (action) => (screen || action !== 'show-file') && !(compared && action === 'compare'),
  );
  if (actions.length === 0) return null;

  const act = (action: NoticeAction) => {
    const request = REQUESTS[action];
    if (request !== undefined) void vault.ask(request);
    else if (action === 'compare') pages.show('security');
    else if (action === 'show-file') void maintenance.showFile();
    else if (action === 'recover') dialogs.open({ kind: action });
    else dialogs.open({ kind: 'start-fresh', restore: action === 'restore' });
  };
  return (
    <div className="actions">
      {actions.map((action, index) => (
        <Action
          key={action}
          kind={action === notice.actions[0] && action !== 'start-fresh' ? 'primary' : 'plain'}
          onPress={() => act(action)}
          pending={doing !== null && doing === REQUESTS[action] ? PENDING[doing] : null}
          autoFocus={screen && index === 0}
        >
          {action === 'keep-mine' && notice.id === 'older' ? 'Keep mine…' : LABELS[action]}
        </Action>
      ))}
    </div>
  );
}
