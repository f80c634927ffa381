import { type ReactNode, useEffect } from 'react';
import { reload } from '../bridge.ts';
import { Card } from '../parts/Card.tsx';
import { useModel, useStore, useTimed } from '../parts/hooks.ts';
import { UserText } from '../parts/text.tsx';
import { Problem } from '../parts/Problem.tsx';
import { trayName } from '../state/platform.ts';
import { localTime } from '../state/time.ts';

const TIMES = [
  { times: 'local', label: 'Local' },
  { times: 'utc', label: 'UTC' },
  { times: 'both', label: 'Both' },
] as const;

/** The settings, and the hosts that were contacted. */
export function SettingsPage() {
  const { settings, vault } = useModel();
  const tray = trayName(useStore(vault.view, (view) => view.info?.platform));
  const { times, closeWhenAway, menuBar, notify, asksRarely, startAtLogin, error } = useStore(settings.view);
  useEffect(() => void settings.load(), [settings]);
  const change = async (next: (typeof TIMES)[number]['times']) => {
    // Times appear all over the window, so it reloads.
    if (await settings.setTimes(next)) reload();
  };
  return (
    <main className="page">
      <div className="page-column settings">
        <h1>Settings</h1>
        {error !== null && <Problem>{error.message}</Problem>}
        <div className="settings-column">
          <Card title="Locking">
            <Choice
              label="Lock the vault"
              detail="You are away when the screen is locked, when the computer sleeps, and after 5 min without typing or clicking. Revealed tokens are always hidden then. While the vault is locked, no token is refreshed. Changes that could not be saved stay in memory until they are."
            >
              <Option on={!closeWhenAway} onChoose={() => void settings.setCloseWhenAway(false)}>
                Never
              </Option>
              <Option on={closeWhenAway} onChoose={() => void settings.setCloseWhenAway(true)}>
                When I am away
              </Option>
            </Choice>
          </Card>
          <Card title="Copying">
            <Choice
              label="Ask before a copy"
              detail="For access tokens. Refresh and ID tokens ask every time. Your consent ends when the window loses the focus or the screen is locked."
            >
              <Option on={!asksRarely} onChoose={() => void settings.setAsksRarely(false)}>
                Every time
              </Option>
              <Option on={asksRarely} onChoose={() => void settings.setAsksRarely(true)}>
                Every 5 min
              </Option>
            </Choice>
          </Card>
          <Card title="Time">
            <Choice label="Show times in" detail="With Both, full times are followed by UTC in parentheses.">
              {TIMES.map((one) => (
                <Option key={one.times} on={times === one.times} onChoose={() => void change(one.times)}>
                  {one.label}
                </Option>
              ))}
            </Choice>
          </Card>
        </div>
        <div className="settings-column">
          <Card title="Background">
            <Switch
              label={`Show in the ${tray}`}
              detail="Accounts by status, tokens to copy, sign-out. Auto-refresh and notifications continue when the window is closed."
              on={menuBar}
              onChange={(next) => void settings.setMenuBar(next)}
            />
            <Switch
              label="Start at login"
              detail={
                menuBar
                  ? `Starts in the ${tray}, without a window. Turn this off before you uninstall Tokenkeep.`
                  : 'Opens the window. Turn this off before you uninstall Tokenkeep.'
              }
              on={startAtLogin}
              onChange={(next) => void settings.setStartAtLogin(next)}
            />
            <Switch
              label="Notify before an account expires"
              detail="10 min before, if it can’t renew itself."
              on={notify}
              onChange={(next) => void settings.setNotify(next)}
            />
          </Card>
          <Network />
        </div>
      </div>
    </main>
  );
}

/** Lists the hosts that were contacted and why, and turns the check for updates on or off. */
function Network() {
  const { settings } = useModel();
  const { hosts, updates, updateHost } = useStore(settings.view);
  return (
    <Card title="Network">
      {hosts.length === 0 ? (
        <p>Tokenkeep has not contacted any host.</p>
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
      {updateHost !== null && (
        <Switch
          label="Updates"
          detail={`Asks ${updateHost} once a day, and sends nothing about you. If this is off, you don’t hear of security updates.`}
          on={updates}
          onChange={(next) => void settings.setUpdates(next)}
        />
      )}
      <p className="note">
        The window has no network access. A separate part of Tokenkeep makes these requests: for sign-ins,
        refreshes, sign-outs, signature keys, user info and updates. Pages that open in your browser are not
        in this list.
      </p>
    </Card>
  );
}

/** A setting with a few options. */
function Choice({ label, detail, children }: { label: string; detail: string; children: ReactNode }) {
  return (
    <div className="setting">
      <span>{label}</span>
      <div className="ranges" role="group" aria-label={label}>
        {children}
      </div>
      <p className="note">{detail}</p>
    </div>
  );
}

function Option({ on, onChoose, children }: { on: boolean; onChoose: () => void; children: string }) {
  return (
    <button type="button" aria-pressed={on} onClick={onChoose}>
      {children}
    </button>
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
