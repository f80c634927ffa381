import type { UserInfo } from '../../app/contract.ts';
import type { PlainError } from '../../src-main/ipc/contract.ts';
import type { Ports } from './ports.ts';
import type { Selection } from './selection.ts';
import { createStore, type Store } from './store.ts';

export interface UserInfoView {
  /** The account that was asked about last; null if none was. */
  accountId: string | null;
  asking: boolean;
  info: UserInfo | null;
  error: PlainError | null;
}

export interface UserInfoRequests {
  view: Store<UserInfoView>;
  /** Has main ask the provider. Main asks the user first. */
  request: (accountId: string) => Promise<void>;
}

const NONE: UserInfoView = { accountId: null, asking: false, info: null, error: null };

/** Claims that the provider returns about the shown account, on request. They are kept until another account is shown. */
export function createUserInfo({ app }: Pick<Ports, 'app'>, selection: Selection): UserInfoRequests {
  const view = createStore<UserInfoView>(NONE);
  selection.view.subscribe(() => {
    const { accountId } = view.get();
    if (accountId !== null && selection.view.get().accountId !== accountId) view.set(NONE);
  });
  return {
    view,
    async request(accountId) {
      const before = view.get().accountId === accountId ? view.get().info : null;
      const mine: UserInfoView = { accountId, asking: true, info: before, error: null };
      view.set(mine);
      const answer = await app.userInfo(accountId);
      if (view.get() !== mine) return; // another account is shown
      view.set({
        accountId,
        asking: false,
        info: answer.ok ? (answer.value ?? before) : before,
        error: answer.ok ? null : answer.error,
      });
    },
  };
}
