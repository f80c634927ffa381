import { BlankScreen } from '../parts/BlankScreen.tsx';
import type { IconName } from '../parts/Icon.tsx';
import { NoticeActions } from '../parts/NoticeActions.tsx';
import { useModel, useStore } from '../parts/model.ts';
import type { Notice } from '../state/notices.ts';

const ICONS: Readonly<Partial<Record<Notice['id'], IconName>>> = {
  locked: 'lock',
  waiting: 'wait',
  busy: 'wait',
};

/** A state of the vault while there is nothing to show: cause, consequence, one thing to do. */
export function NoticeScreen({ notice }: { notice: Notice }) {
  const { vault } = useModel();
  const file = useStore(vault.view, (view) => view.status?.file ?? null);
  const error = useStore(vault.view, (view) => view.error);
  return (
    <BlankScreen icon={ICONS[notice.id] ?? 'warning'} tone={notice.tone} title={notice.title}>
      <div role="status">
        <p>{notice.text}</p>
        {notice.consequence !== '' && <p className="consequence">{notice.consequence}</p>}
      </div>
      {error !== null && (
        <p className="problem" role="alert">
          {error.message}
        </p>
      )}
      <NoticeActions notice={notice} screen />
      {file !== null && (
        <p className="path">
          <bdi>{file}</bdi>
        </p>
      )}
    </BlankScreen>
  );
}
