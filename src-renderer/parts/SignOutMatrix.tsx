import { isChosen, matrixColumns, matrixLines, matrixTotal, withChoice } from '../state/signOutMatrix.ts';
import type { DialogOf } from '../state/dialogs.ts';
import { useModel } from './hooks.ts';
import { UserText } from './text.tsx';

/** A checkbox for each account at each place that has it, and what is removed at each place. */
export function SignOutMatrix({ dialog }: { dialog: DialogOf<'sign-out'> }) {
  const { signOut } = useModel();
  const { accounts, wishes, working } = dialog;
  const columns = matrixColumns(dialog);
  return (
    <>
      <p>Choose where to sign out. Other accounts stay signed in.</p>
      <div className="sign-out-matrix">
        <table>
          <thead>
            <tr>
              <th scope="col">Account</th>
              {columns.map(({ id, name }) => (
                <th scope="col" key={id}>
                  <UserText>{name}</UserText>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {accounts.map((account) => (
              <tr key={account.id}>
                <th scope="row">
                  <UserText>{account.name}</UserText>
                  {account.username !== '' && (
                    <span className="second">
                      <UserText>{account.username}</UserText>
                    </span>
                  )}
                </th>
                {columns.map((column) => (
                  <td key={column.id}>
                    {column.has.has(account.id) ? (
                      <input
                        type="checkbox"
                        aria-label={`${account.name}: ${column.name}`}
                        checked={!column.viewOnly && isChosen(wishes, account.id, column.id)}
                        disabled={
                          working ||
                          column.viewOnly ||
                          (column.id === 'provider' && !isChosen(wishes, account.id, 'vault'))
                        }
                        onChange={(event) =>
                          signOut.wish(withChoice(column, wishes, account.id, event.target.checked))
                        }
                      />
                    ) : (
                      <span aria-hidden>–</span>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <dl className="pairs sign-out-lines">
        {matrixLines(dialog).map(({ id, name, says }) => (
          <div className="pair" key={id}>
            <dt>
              <UserText>{name}</UserText>
            </dt>
            <dd>
              <UserText>{says}</UserText>
            </dd>
          </div>
        ))}
      </dl>
      <p className="note" role="status">
        <UserText>{matrixTotal(dialog).says}</UserText>
      </p>
    </>
  );
}
