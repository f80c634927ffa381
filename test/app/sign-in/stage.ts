/** The app's sign-in, without Electron and its window: a real provider, a browser that fills in forms, a vault in memory. */
import { join } from 'node:path';
import type { ProfileDraft, SignInProfile, SignInProgress, SignInWay } from '../../../app/contract.ts';
import { type SignIn, type SignInPorts, signIn } from '../../../app/sign-in/sign-in.ts';
import { DESKTOP_APP } from '../../../examples/provider/clients.ts';
import type { RunningProvider } from '../../../examples/provider/provider.ts';
import { trustingFetch } from '../../../examples/provider/trusting-fetch.ts';
import { type Keychain, memoryKeychain, openVault, type Vault } from '../../../src-main/index.ts';
import { tokenText } from '../../../src-main/ipc/places.ts';
import { type Arrived, type Browser, browser, type Person } from '../../support/browser.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

export interface Stage {
  signing: SignIn<null>;
  vault: Vault;
  folder: string;
  profile: SignInProfile;
  /** The user who goes through the next page in the browser; null: nobody does. */
  person: Person | null;
  browser: Browser;
  /** What the browser was shown, and where it ended. */
  opened: string[];
  arrived: Promise<Arrived>[];
  told: SignInProgress[];
  /** Errors that were none of ours. */
  faults: unknown[];
  /** Begins, and waits for an end. */
  go(way?: SignInWay): Promise<SignInProgress>;
  until(step: SignInProgress['step']): Promise<SignInProgress>;
  close(): Promise<void>;
}

/** One keychain for each folder: a second stage in it is the next start. */
const keychains = new Map<string, Keychain>();

export async function stage(
  provider: Pick<RunningProvider, 'issuer' | 'ca'>,
  changes: Partial<ProfileDraft> = {},
  ports: Partial<SignInPorts<null>> = {},
  folder = temporaryFolder(),
  /** One that outlives the process, for a start in another one. */
  ownKeychain?: Keychain,
): Promise<Stage> {
  const keychain = ownKeychain ?? keychains.get(folder) ?? memoryKeychain();
  keychains.set(folder, keychain);
  const vault = await openVault({ file: join(folder, 'accounts.vault'), keychain });
  const trusting = trustingFetch(provider.ca);
  const told: SignInProgress[] = [];
  const listeners = new Set<() => void>();
  const signing = signIn<null>({
    folder,
    vault: () => Promise.resolve(vault),
    ownVault: () => Promise.resolve(vault),
    fetch: trusting,
    tokenText: (id) => vault.read((cache) => tokenText(cache, [], id)),
    openBrowser(url) {
      here.opened.push(url);
      if (here.person !== null) here.arrived.push(here.browser.visit(url, here.person));
      return Promise.resolve();
    },
    isDemo: () => false,
    useGesture: () => undefined,
    confirm: () => Promise.resolve(true),
    copyText: () => undefined,
    now: () => Date.now(),
    after(milliseconds, work) {
      const timer = setTimeout(work, milliseconds);
      return () => clearTimeout(timer);
    },
    emit: {
      signIn(progress) {
        told.push(progress);
        for (const listener of listeners) listener();
      },
      refreshStatus: () => undefined,
      signOuts: () => undefined,
      profiles: () => undefined,
    },
    onUnexpected: (error) => here.faults.push(error),
    ...ports,
  });
  const profile = await signing.handlers.saveProfile(
    null,
    {
      kind: 'oidc',
      name: 'The example provider',
      authority: provider.issuer,
      client_id: DESKTOP_APP.client_id,
      scopes: ['profile', 'email', 'offline_access', 'orders.read'],
      redirect_uri: 'http://127.0.0.1',
      ...changes,
    },
    null,
  );
  const until: Stage['until'] = (step) =>
    new Promise((resolve) => {
      const look = (): void => {
        const last = told.at(-1);
        if (last?.step === step || (last?.step === 'failed' && step !== 'none')) {
          listeners.delete(look);
          resolve(last);
        }
      };
      listeners.add(look);
      look();
    });
  const here: Stage = {
    signing,
    vault,
    folder,
    profile,
    person: { user: 'noor' },
    browser: browser(trusting),
    opened: [],
    arrived: [],
    told,
    faults: [],
    until,
    async go(way = 'browser') {
      told.splice(0);
      await signing.handlers.signIn(null, profile.id, way, null);
      return until('done');
    },
    async close() {
      signing.stop();
      await vault.close();
    },
  };
  return here;
}

export const codeOf = (progress: SignInProgress): string | undefined =>
  progress.step === 'failed' ? progress.error.code : undefined;
