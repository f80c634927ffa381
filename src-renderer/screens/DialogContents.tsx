import { Fragment, type ReactNode } from 'react';
import { Action } from '../parts/Action.tsx';
import { DialogFrame } from '../parts/DialogFrames.tsx';
import { useModel } from '../parts/hooks.ts';
import { Message, UserText } from '../parts/text.tsx';
import type { Dialog, DialogOf } from '../state/dialogs.ts';
import { count, number } from '../state/words.ts';
import { AboutDialog } from './AboutDialog.tsx';
import { ExportDialog } from './ExportDialog.tsx';
import { RepairDialog } from './HealthPage.tsx';
import { ImportDialog, LockedImportDialog, ReadingDialog } from './ImportDialogs.tsx';
import { ProfileDialog } from './ProfileDialog.tsx';
import { SignInAgainDialog, SignInDialog, SigningInDialog } from './SignInDialog.tsx';
import { ReceiptDialog, SignOutDialog } from './SignOutDialog.tsx';
import { TenantNameDialog } from './TenantNameDialog.tsx';
import { RecoverDialog, RotateKeyDialog, StartFreshDialog } from './VaultDialogs.tsx';

/** Renders the contents of the open dialog. */
export function DialogContents({ dialog }: { dialog: Dialog }): ReactNode {
  switch (dialog.kind) {
    case 'about':
      return <AboutDialog dialog={dialog} />;
    case 'tenant-name':
      return <TenantNameDialog dialog={dialog} />;
    case 'sign-in':
      return <SignInDialog />;
    case 'sign-in-again':
      return <SignInAgainDialog dialog={dialog} />;
    case 'profile':
      return <ProfileDialog dialog={dialog} />;
    case 'signing-in':
      return <SigningInDialog />;
    case 'start-fresh':
      return <StartFreshDialog dialog={dialog} />;
    case 'recover':
      return <RecoverDialog dialog={dialog} />;
    case 'rotate-key':
      return <RotateKeyDialog dialog={dialog} />;
    case 'export':
      return <ExportDialog dialog={dialog} />;
    case 'repair':
      return <RepairDialog dialog={dialog} />;
    case 'failure':
      return <FailureDialog dialog={dialog} />;
    case 'not-refreshed':
      return <NotRefreshedDialog dialog={dialog} />;
    case 'import-reading':
      return <ReadingDialog dialog={dialog} />;
    case 'import-locked':
      return <LockedImportDialog dialog={dialog} />;
    case 'import-plan':
      return <ImportDialog dialog={dialog} />;
    case 'sign-out':
      return <SignOutDialog dialog={dialog} />;
    case 'receipt':
      return <ReceiptDialog dialog={dialog} />;
  }
}

/** Shows main's message after an action failed. */
function FailureDialog({ dialog }: { dialog: DialogOf<'failure'> }) {
  const { dialogs } = useModel();
  return (
    <DialogFrame
      alert
      title={dialog.title}
      buttons={
        <Action kind="primary" onPress={dialogs.close} autoFocus>
          Close
        </Action>
      }
    >
      <p>
        <Message>{dialog.error.message}</Message>
      </p>
    </DialogFrame>
  );
}

/** Maximum number of accounts named for each reason. */
const MOST_LISTED = 100;

/** Lists why some of several accounts were not refreshed: each reason with the names of its accounts. */
function NotRefreshedDialog({
  dialog: { refreshed, problems, left },
}: {
  dialog: DialogOf<'not-refreshed'>;
}) {
  const { dialogs } = useModel();
  const refused = problems.reduce((sum, { names }) => sum + names.length, 0);
  return (
    <DialogFrame
      alert
      title={`${count(refused, 'account')} not refreshed`}
      buttons={
        <Action kind="primary" onPress={dialogs.close} autoFocus>
          Close
        </Action>
      }
    >
      {refreshed > 0 && <p>{`${count(refreshed, 'account')} refreshed.`}</p>}
      {left > 0 && <p>{`${count(left, 'account')} not tried, because you stopped.`}</p>}
      <ul className="lost" aria-label="Not refreshed" tabIndex={0}>
        {problems.map(({ message, names }) => (
          <li key={message}>
            <b>
              {names.slice(0, MOST_LISTED).map((name, index) => (
                <Fragment key={`${String(index)} ${name}`}>
                  {index > 0 && ', '}
                  <UserText>{name}</UserText>
                </Fragment>
              ))}
              {names.length > MOST_LISTED && ` and ${number(names.length - MOST_LISTED)} more`}
            </b>
            : <Message>{message}</Message>
          </li>
        ))}
      </ul>
      <p className="note">
        Refresh an imported account on its own page. Tokenkeep asks there, because the program that it came
        from may be signed out.
      </p>
    </DialogFrame>
  );
}
