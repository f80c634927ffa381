import { useState } from 'react';
import { Action } from '../parts/Action.tsx';
import { DialogFrame } from '../parts/DialogFrame.tsx';
import { useModel, useStore } from '../parts/model.ts';
import { UserText } from '../parts/UserText.tsx';
import { placeOf } from '../state/profileDraft.ts';

/** Where to sign in, and how. */
export function SignInDialog() {
  const { dialogs, signIn } = useModel();
  const profiles = useStore(signIn.view, (view) => view.profiles) ?? [];
  const [chosen, choose] = useState(profiles[0]?.id ?? '');
  const profile = profiles.find(({ id }) => id === chosen) ?? profiles[0];
  return (
    <DialogFrame
      title="Sign in"
      buttons={
        <>
          <Action onPress={dialogs.close}>Cancel</Action>
          <Action
            isDisabled={profile === undefined}
            onPress={() => void (profile && signIn.begin(profile.id, 'device'))}
          >
            With a code…
          </Action>
          <Action
            kind="primary"
            autoFocus
            isDisabled={profile === undefined}
            onPress={() => void (profile && signIn.begin(profile.id, 'browser'))}
          >
            In the browser
          </Action>
        </>
      }
    >
      <ul className="profiles" aria-label="Sign-in profiles">
        {profiles.map((each) => (
          <li key={each.id} data-chosen={each.id === profile?.id}>
            <label>
              <input
                type="radio"
                name="profile"
                checked={each.id === profile?.id}
                onChange={() => choose(each.id)}
              />
              <span>
                <b>
                  <UserText>{each.name}</UserText>
                </b>
                <span className="place">
                  <UserText>{placeOf(each)}</UserText>
                </span>
              </span>
            </label>
            <Action kind="quiet" aria-label={`Edit ${each.name}`} onPress={() => signIn.edit(each)}>
              Edit…
            </Action>
          </li>
        ))}
      </ul>
      <p>
        <Action kind="quiet" onPress={() => signIn.edit(null)}>
          Add a profile…
        </Action>
      </p>
      <p className="note">
        You sign in on the provider’s own page; Tokenkeep never sees your password. With a code, you can do it
        on another device.
      </p>
    </DialogFrame>
  );
}
