import type { Notice } from '../state/notices.ts';
import { Action } from './Action.tsx';
import { Icon } from './Icon.tsx';
import { useModel, useStore } from './model.ts';
import { NoticeActions } from './NoticeActions.tsx';

/** Above the accounts: what is the matter with the vault, and that this is the demo. */
export function Banners({ notice }: { notice: Notice | null }) {
  const { vault, doors } = useModel();
  const demo = useStore(vault.view, (view) => view.info?.demo === true);
  const error = useStore(vault.view, (view) => view.error);
  return (
    <div className="banners">
      {demo && (
        <section className="banner" data-tone="demo" aria-label="Demo">
          <p>
            <b>Demo: made-up accounts.</b> Try anything: the key is in memory, and all of it is gone when you
            leave. Your own sign-ins are untouched.
          </p>
          <div className="actions">
            <Action onPress={() => void doors.app.leaveDemo()}>Leave the demo</Action>
          </div>
        </section>
      )}
      {notice !== null && (
        <section className="banner" data-tone={notice.tone} aria-label={notice.title}>
          <Icon name={notice.tone === 'wait' ? 'wait' : 'warning'} />
          <p role="status">
            <b>{notice.title}.</b> {notice.text} <span className="consequence">{notice.consequence}</span>
            {error !== null && <span className="problem"> {error.message}</span>}
          </p>
          <NoticeActions notice={notice} />
        </section>
      )}
    </div>
  );
}
