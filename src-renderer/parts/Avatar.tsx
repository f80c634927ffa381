import type { AccountItem } from '../../src-main/ipc/contract.ts';
import { accountName } from '../state/groups.ts';
import { initials } from '../state/text.ts';
import { Icon } from './Icon.tsx';

/** Initials of a user, a drawing for what is none. Says nothing that the name beside it doesn't. */
export function Avatar({ account, large = false }: { account: AccountItem; large?: boolean }) {
  return (
    <span className={large ? 'avatar large' : 'avatar'} data-kind={account.kind} aria-hidden="true">
      {account.kind === 'user' ? (
        initials(accountName(account))
      ) : (
        <Icon name={account.kind} size={large ? 22 : 16} />
      )}
    </span>
  );
}
