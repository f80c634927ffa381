import { Action } from './Action.tsx';
import { useModel, useStore } from './model.ts';
import { UserText } from './UserText.tsx';

/** In place of the list, when a search finds nothing or could not be made. */
export function NoMatch() {
  const { accounts } = useModel();
  const { text, error } = useStore(accounts.view);
  return (
    <div className="no-match">
      {error !== null ? (
        <p role="alert">{error.message}</p>
      ) : (
        <p role="status">
          Nothing matches “<UserText>{text.trim()}</UserText>”.
        </p>
      )}
      <p>Names, tenants, apps, scopes, audiences and claims are searched; secrets are not.</p>
      <Action onPress={() => accounts.search('')}>Clear the search</Action>
    </div>
  );
}
