/** The user's settings, and the hosts that Tokenkeep has contacted, as small JSON files in the data folder. */
import { join } from 'node:path';
import { smallFileError } from 'tokenkeep/ipc';
import * as v from 'valibot';
import { type ContactedHost, type Settings, TIMES_SHOWN, type TimesShown } from './contract.ts';
import { readJson, writeJson } from './data-folder.ts';
import type { LoginStart } from './login-start.ts';

export interface AppSettings {
  /** All settings, for the page. Looks at files and at the system's entry. */
  read(): Settings;
  /**
   * The settings that the main process follows: the defaults while the file can't be read, but without looking for updates, which the user may
   * have turned off. That is reported once. Reads the file once.
   */
  wants(): Pick<Settings, 'closeWhenAway' | 'menuBar' | 'notify' | 'asksRarely' | 'updates'>;
  /** @throws StorageError if it can't be saved; the setting is then unchanged */
  setTimes(times: TimesShown): Settings;
  /** @throws StorageError if it can't be saved; the setting is then unchanged */
  setCloseWhenAway(on: boolean): Settings;
  /** @throws StorageError if it can't be saved; the setting is then unchanged */
  setAsksRarely(asksRarely: boolean): Settings;
  /** @throws StorageError if it can't be saved; the setting is then unchanged */
  setBackground(changes: { menuBar?: boolean; notify?: boolean }): Settings;
  /** @throws StorageError if it can't be saved; the setting is then unchanged */
  setUpdates(updates: boolean): Settings;
  /** @throws StorageError if the system's entry can't be written or removed; it is then unchanged */
  setStartAtLogin(on: boolean): Settings;
  /**
   * Records a request, before it is made. `why`: by default from its address and grant type. Never throws: a full disk must not prevent a
   * sign-in.
   */
  contacted(url: string, init?: Pick<RequestInit, 'body' | 'headers'>, why?: string): void;
}

/** Milliseconds between two writes of the same host and purpose. */
const WRITTEN_EVERY = 3_600_000;

const preferences = v.object({
  /** Written by earlier versions, instead of `times`. */
  utc: v.optional(v.boolean()),
  times: v.optional(v.picklist(TIMES_SHOWN)),
  closeWhenAway: v.optional(v.boolean(), false),
  menuBar: v.optional(v.boolean(), false),
  notify: v.optional(v.boolean(), true),
  asksRarely: v.optional(v.boolean(), false),
  updates: v.optional(v.boolean(), true),
});
const hostList = v.array(v.object({ host: v.string(), why: v.array(v.string()), at: v.number() }));

/** What the settings need besides their files. */
export interface SettingsPorts {
  /** Milliseconds since the epoch. */
  now: () => number;
  loginStart: LoginStart;
  /** Returns the URL of the update server; null if this build has none. */
  feed: () => string | null;
  onUnexpected: (error: unknown) => void;
}

export function settingsAt(
  folder: string,
  { now, loginStart, feed, onUnexpected }: SettingsPorts,
): AppSettings {
  const file = join(folder, 'settings.json');
  const hostFile = join(folder, 'contacted-hosts.json');
  let preferred: v.InferOutput<typeof preferences> | undefined;
  let hosts: Map<string, ContactedHost> | undefined;

  const preference = (): v.InferOutput<typeof preferences> =>
    (preferred ??= readJson(file, (value) => v.parse(preferences, value), now) ?? v.parse(preferences, {}));
  let isReported = false;
  const wants: AppSettings['wants'] = () => {
    try {
      return preference();
    } catch (error) {
      if (!isReported) onUnexpected(error);
      isReported = true;
      return { ...v.parse(preferences, {}), updates: false };
    }
  };
  const prefer = (changes: Partial<v.InferOutput<typeof preferences>>): Settings => {
    const next = { ...preference(), ...changes };
    try {
      writeJson(file, next);
    } catch (cause) {
      throw smallFileError('The setting could not be saved and is unchanged.', file, cause);
    }
    preferred = next;
    return read();
  };
  const known = (): Map<string, ContactedHost> =>
    (hosts ??= new Map(
      (readJson(hostFile, (value) => v.parse(hostList, value), now) ?? []).map((one) => [one.host, one]),
    ));
  const read = (): Settings => {
    const { utc, times, ...others } = preference();
    return {
      ...others,
      times: times ?? (utc === true ? 'utc' : 'local'),
      startAtLogin: loginStart.isOn(),
      updateHost: hostOf(feed()),
      hosts: [...known().values()].sort((a, b) => b.at - a.at),
    };
  };
  return {
    read,
    wants,
    setTimes: (times) => prefer({ times, utc: times === 'utc' }),
    setCloseWhenAway: (closeWhenAway) => prefer({ closeWhenAway }),
    setAsksRarely: (asksRarely) => prefer({ asksRarely }),
    setBackground: prefer,
    setUpdates: (updates) => prefer({ updates }),
    setStartAtLogin(on) {
      loginStart.set(on);
      return read();
    },
    contacted(url, init, purpose) {
      try {
        const { host } = new URL(url);
        const before = known().get(host);
        const why = purpose ?? purposeOf(url, init);
        const at = Math.floor(now() / 1000);
        known().set(host, { host, at, why: [...new Set([...(before?.why ?? []), why])] });
        const isNew = before === undefined || !before.why.includes(why);
        if (isNew || at * 1000 - before.at * 1000 > WRITTEN_EVERY) writeJson(hostFile, [...known().values()]);
      } catch {
        // The list is only informative, so a failure to save it is ignored.
      }
    },
  };
}

function hostOf(url: string | null): string | null {
  return url === null || !URL.canParse(url) ? null : new URL(url).host;
}

/** Returns what a request is for, by its grant type (RFC 6749 §4) or its address. */
export function purposeOf(
  url: string,
  { body, headers }: Pick<RequestInit, 'body' | 'headers'> = {},
): string {
  const { pathname } = new URL(url);
  if (pathname.includes('/.well-known/')) return 'Provider metadata';
  const text = typeof body === 'string' ? body : body instanceof URLSearchParams ? body.toString() : '';
  // RFC 6750 §2.1; OpenID Connect Core §5.3.1.
  if (new Headers(headers).has('authorization') && text === '') return 'User info';
  if (text === '') return /jwks|keys|certs/i.test(pathname) ? 'Signature keys' : 'Other';
  const fields = new URLSearchParams(text);
  if (fields.get('grant_type') === 'refresh_token') return 'Refresh';
  if (fields.has('grant_type') || /device/i.test(pathname)) return 'Sign-in';
  return fields.has('token') ? 'Revocation' : 'Other';
}
