import { useEffect } from 'react';
import { reload } from '../bridge.ts';
import { Card } from '../parts/Card.tsx';
import { useModel, useStore, useTimed } from '../parts/hooks.ts';
import { UserText } from '../parts/text.tsx';
import { localTime } from '../state/time.ts';

/** How times are shown, and which hosts were contacted. */
export function SettingsPage() {
  const { settings } = useModel();
  const { utc, closeWhenAway, menuBar, notify, asksRarely, hosts, error } = useStore(settings.view);
  useEffect(() => void settings.load(), [settings]);
  const change = async (next: boolean) => {
    // Every text on the screen has a time in it.
    if (await settings.setUtc(next)) reload();
  };
  return (
    <main className="page">
      <div className="page-column">
        <h1>Settings</h1>
        {error !== null && (
          <p className="problem" role="alert">
            {error.message}
          </p>
        )}
        <Card title="Time" wide>
          <div className="setting">
            <span>Show times in</span>
            <div className="ranges" role="group" aria-label="Show times in">
              <button type="button" aria-pressed={!utc} onClick={() => void change(false)}>
                Local time
              </button>
              <button type="button" aria-pressed={utc} onClick={() => void change(true)}>
                UTC
              </button>
            </div>
          </div>
        </Card>
        <Card title="When you are away" wide>
          <div className="setting">
            <span>Lock the vault</span>
            <div className="ranges" role="group" aria-label="Lock the vault">
              <button
                type="button"
                aria-pressed={!closeWhenAway}
                onClick={() => void settings.setCloseWhenAway(false)}
              >
                Never
              </button>
              <button
                type="button"
                aria-pressed={closeWhenAway}
                onClick={() => void settings.setCloseWhenAway(true)}
              >
                When I am away
              </button>
            </div>
          </div>
          <p className="note">
            You are away when the screen is locked, the computer sleeps, or nothing was typed or clicked for 5
            minutes. Revealed tokens are hidden then in any case. While the vault is locked, no token is
            refreshed.
          </p>
        </Card>
        <Card title="Copying" wide>
          <div className="setting">
            <span className="two-lines">
              <span>Ask before a copy</span>
              <span className="second">
                For access tokens. Refresh and ID tokens ask every time. A yes ends when the window loses the
                focus or the screen is locked.
              </span>
            </span>
            <div className="ranges" role="group" aria-label="Ask before a copy">
              <button
                type="button"
                aria-pressed={!asksRarely}
                onClick={() => void settings.setAsksRarely(false)}
              >
                Every time
              </button>
              <button
                type="button"
                aria-pressed={asksRarely}
                onClick={() => void settings.setAsksRarely(true)}
              >
                Every 5 min
              </button>
            </div>
          </div>
        </Card>
        <Card title="Background" wide>
          <Switch
            label="Show in the menu bar"
            detail="Accounts by status, tokens to copy, sign-out. Auto-refresh and notifications continue when the window is closed."
            on={menuBar}
            onChange={(next) => void settings.setMenuBar(next)}
          />
          <Switch
            label="Notify before an account expires"
            detail="10 min before, if it can’t renew itself."
            on={notify}
            onChange={(next) => void settings.setNotify(next)}
          />
        </Card>
        <Card title="Network" wide>
          {hosts.length === 0 ? (
            <p>Tokenkeep has not contacted any provider.</p>
          ) : (
            <table className="hosts">
              <thead>
                <tr>
                  <th scope="col">Host contacted</th>
                  <th scope="col">Why</th>
                  <th scope="col">Last</th>
                </tr>
              </thead>
              <tbody>
                {hosts.map(({ host, why, at }) => (
                  <tr key={host}>
                    <th scope="row">
                      <UserText>{host}</UserText>
                    </th>
                    <td>{why.join(', ')}</td>
                    <td>
                      <Time at={at} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
          <p className="note">
            The window has no network access. A separate part of Tokenkeep makes these requests: for sign-ins,
            refreshes, sign-outs, signature keys, user info and updates. Pages that open in your browser are
            not in this list.
          </p>
        </Card>
      </div>
    </main>
  );
}

function Switch({
  label,
  detail,
  on,
  onChange,
}: {
  label: string;
  detail: string;
  on: boolean;
  onChange: (on: boolean) => void;
}) {
  return (
    <label className="setting">
      <span className="two-lines">
        <span>{label}</span>
        <span className="second">{detail}</span>
      </span>
      <input
        type="checkbox"
        role="switch"
        aria-label={label}
        checked={on}
        onChange={(event) => onChange(event.target.checked)}
      />
    </label>
  );
}

function Time({ at }: { at: number }) {
  return <>{useTimed((now) => localTime(at, now))}</>;
}
