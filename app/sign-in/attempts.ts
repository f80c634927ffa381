/** The sign-in that is under way: one at a time, and its progress as the window shows it. */
import type { Vault } from 'tokenkeep';
import { plainErrorOf } from './plain.ts';
import { type CodeFlow, signInWithBrowser } from './code-flow.ts';
import type { AccountName, SignInProfile, SignInProgress, SignInWay } from './contract.ts';
import { signInWithDevice } from './device-flow.ts';
import { Cancelled } from './errors.ts';
import { signInError } from './failures.ts';
import { issuerOf } from './profile.ts';
import type { FindProvider, Provider } from './provider.ts';
import { knowsClient } from './probe.ts';
import { addTokens, eventOf } from './tokens.ts';

export interface AttemptDoors {
  vault: () => Promise<Pick<Vault, 'read' | 'update'>>;
  findProvider: FindProvider;
  /** Opens an https address in the user's browser. Rejects where there is none. */
  openBrowser: (url: string) => Promise<void>;
  /** Seconds since the epoch. */
  now: () => number;
  /** Milliseconds for the user to sign in. */
  patience: number;
  tell: (progress: SignInProgress) => void;
  /** Hears of faults that are none of the sign-in's own. */
  onUnexpected: (error: unknown) => void;
}

export interface Attempts {
  readonly progress: SignInProgress;
  begin(profile: SignInProfile, way: SignInWay): void;
  cancel(): void;
  /** Opens the page once more; nothing where there is none. */
  openPage(): Promise<void>;
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>;
}

export function attempts(doors: AttemptDoors): Attempts {
  let progress: SignInProgress = { step: 'none' };
  let page: string | undefined;
  let current: AbortController | undefined;
  let running: Promise<void> = Promise.resolve();

  async function run(profile: SignInProfile, way: SignInWay, { signal }: AbortController): Promise<void> {
    // What comes of an attempt that has given way to another is not told.
    const tell = (next: SignInProgress): void => {
      if (current?.signal !== signal) return;
      progress = next;
      doors.tell(next);
    };
    tell({ step: 'starting', profile, way });
    try {
      const provider = await doors.findProvider(issuerOf(profile), profile.client_id);
      signal.throwIfAborted();
      let account: AccountName | null = null;
      const onAnswer = (): void => tell({ step: 'finishing', profile, way });
      const take: CodeFlow['take'] = async (response) => {
        signal.throwIfAborted();
        const event = eventOf(provider, profile, response);
        account = await (await doors.vault()).update((cache) => addTokens(cache, event));
      };
      if (way === 'device') {
        const onCode = ({ userCode, link, direct, expiresIn }: Code): void => {
          page = direct;
          tell({ step: 'device', profile, userCode, link, direct, expiresAt: doors.now() + expiresIn });
        };
        await signInWithDevice({ provider, profile, signal, onCode, onAnswer, take });
      } else {
        const onPage = (url: string): void => {
          page = url;
          tell({ step: 'browser', profile });
          const mine = current;
          doors.openBrowser(url).catch(() => mine?.abort(signInError('no_browser', provider)));
          void probe(provider);
        };
        await signInWithBrowser({ provider, profile, signal, onPage, onAnswer, take });
      }
      tell({ step: 'done', profile, account });
    } catch (error) {
      if (error instanceof Cancelled) tell({ step: 'none' });
      else tell({ step: 'failed', profile, way, error: plainErrorOf(error, doors.onUnexpected) });
    } finally {
      if (current?.signal === signal) page = undefined;
    }
  }

  /**
   * A provider that does not know the client shows its error in the browser and never calls back. Where nothing of that
   * client was ever cached, the token endpoint is asked meanwhile.
   */
  async function probe(provider: Provider): Promise<void> {
    const mine = current;
    const { client_id } = provider;
    const vault = await doors.vault();
    const before = await vault
      .read((cache) => cache.find('RefreshToken', { query: { client_id } }).length)
      .catch(() => 1);
    if (before > 0 || (await knowsClient(provider)) || mine === undefined) return;
    mine.abort(signInError('client_unknown', provider));
  }

  return {
    get progress() {
      return progress;
    },
    begin(profile, way) {
      current?.abort(new Cancelled());
      const controller = new AbortController();
      current = controller;
      const limit = setTimeout(() => {
        controller.abort(
          signInError('sign_in_timeout', { issuer: issuerOf(profile), client_id: profile.client_id }),
        );
      }, doors.patience);
      const before = running;
      // The one before has closed its port when this one opens its own.
      running = before.then(() => run(profile, way, controller)).finally(() => clearTimeout(limit));
    },
    cancel() {
      current?.abort(new Cancelled());
      if (progress.step === 'failed' || progress.step === 'done') {
        progress = { step: 'none' };
        doors.tell(progress);
      }
    },
    async openPage() {
      if (page !== undefined) await doors.openBrowser(page);
    },
    idle: () => running,
  };
}

type Code = { userCode: string; link: string; direct: string; expiresIn: number };
