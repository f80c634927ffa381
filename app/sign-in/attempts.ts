/** Runs one sign-in at a time and reports its progress to the window. */
import * as oidc from 'openid-client';
import type { Vault } from 'tokenkeep';
import { activityAccount, recordActivity } from 'tokenkeep/ipc';
import { aborted, type CodeFlow, signInWithBrowser } from './code-flow.ts';
import type { Ask, Consent } from './consent.ts';
import type { SignInProfile, SignInProgress, SignInWay } from './contract.ts';
import { signInWithDevice } from './device-flow.ts';
import { Cancelled, plainErrorOf, signInError } from './failures.ts';
import { issuerOfProfile } from './profiles.ts';
import type { Provider } from './provider.ts';
import { checkReceived } from './received.ts';
import { addTokens, eventOf, fieldsOf } from './tokens.ts';

export interface AttemptPorts {
  vault: () => Promise<Pick<Vault, 'read' | 'update'>>;
  consent: Consent;
  /** Opens an https URL in the user's browser. Rejects if there is no browser. */
  openBrowser: (url: string) => Promise<void>;
  /** Seconds since the epoch. */
  now: () => number;
  /** Milliseconds for the user to sign in. */
  deadline: number;
  emit: (progress: SignInProgress) => void;
  /** Called with unexpected errors. */
  onUnexpected: (error: unknown) => void;
  /** See `ErrorPorts.explain`. */
  explain?: (error: unknown) => unknown;
}

export interface Attempt {
  profile: SignInProfile;
  way: SignInWay;
  loginHint: string | null;
  ask: Ask;
}

export interface Attempts {
  readonly progress: SignInProgress;
  begin(attempt: Attempt): void;
  cancel(): void;
  /** Opens the provider's page again; does nothing if there is none. */
  openPage(): Promise<void>;
  /** Resolves when no sign-in is running. */
  idle(): Promise<void>;
}

export function attempts(ports: AttemptPorts): Attempts {
  let progress: SignInProgress = { step: 'none' };
  let page: string | undefined;
  let current: AbortController | undefined;
  let running: Promise<void> = Promise.resolve();

  /** @param until when the attempt ends, in seconds since the epoch */
  async function run(
    { profile, way, loginHint, ask }: Attempt,
    { signal }: AbortController,
    until: number,
  ): Promise<void> {
    // A replaced attempt no longer reports progress.
    const report = (next: SignInProgress): void => {
      if (current?.signal !== signal) return;
      progress = next;
      ports.emit(next);
    };
    report({ step: 'starting', profile, way });
    try {
      const issuer = issuerOfProfile(profile);
      const why = 'Tokenkeep is about to sign you in at this provider.';
      // One that is cancelled asks nothing more, and doesn't hold up the next one until its provider has answered.
      const askMeanwhile: Ask =
        ask && ((question) => (signal.aborted ? Promise.resolve(null) : ask(question, signal)));
      const provider = await Promise.race([
        ports.consent.findAllowed(issuer, profile.client_id, askMeanwhile, why),
        aborted(signal),
      ]);
      let accountId: string | null = null;
      const onAnswer = (): void => report({ step: 'finishing', profile, way });
      const take: CodeFlow['take'] = async (response) => {
        signal.throwIfAborted();
        const verified = checkReceived(fieldsOf(response), provider);
        const event = eventOf(provider, profile, response);
        const vault = await ports.vault();
        const at = ports.now();
        accountId = await vault.update((cache) => {
          const account = addTokens(cache, event, provider, verified, at);
          if (account === null) return null;
          recordActivity(cache, at, [activityAccount(account)], {
            kind: 'sign-in',
            client_id: profile.client_id,
            way,
            provider: new URL(issuer).host,
          });
          return account.id;
        });
      };
      if (way === 'device') {
        const onCode = ({ userCode, link, direct, expiresIn }: Code): void => {
          page = direct;
          const expiresAt = Math.min(ports.now() + expiresIn, until);
          report({ step: 'device', profile, userCode, link, direct, expiresAt });
        };
        await signInWithDevice({ provider, profile, signal, onCode, onAnswer, take });
      } else {
        const onPage = (url: string): void => {
          page = url;
          report({ step: 'browser', profile });
          const mine = current;
          ports.openBrowser(url).catch(() => mine?.abort(signInError('no_browser', provider)));
          void probe(provider);
        };
        await signInWithBrowser({ provider, profile, loginHint, signal, onPage, onAnswer, take });
      }
      report({ step: 'done', profile, accountId });
    } catch (error) {
      if (error instanceof Cancelled) report({ step: 'none' });
      else report({ step: 'failed', profile, way, error: plainErrorOf(error, ports) });
    } finally {
      if (current?.signal === signal) page = undefined;
    }
  }

  /**
   * A provider that does not know the client shows its error in the browser and never redirects back. If nothing of that
   * client was ever cached, the token endpoint is asked meanwhile.
   */
  async function probe(provider: Provider): Promise<void> {
    const mine = current;
    const { client_id } = provider;
    const countCached = async (): Promise<number> => {
      const vault = await ports.vault();
      return vault.read((cache) => cache.find('RefreshToken', { query: { client_id } }).length);
    };
    // While the vault can't be read, such as after it was locked, nobody knows.
    const before = await countCached().catch(() => 1);
    if (before > 0 || mine === undefined || (await knowsClient(provider))) return;
    mine.abort(signInError('client_unknown', provider));
  }

  return {
    get progress() {
      return progress;
    },
    begin(attempt) {
      current?.abort(new Cancelled());
      const controller = new AbortController();
      current = controller;
      const { profile } = attempt;
      const limit = setTimeout(() => {
        controller.abort(
          signInError('sign_in_timeout', { issuer: issuerOfProfile(profile), client_id: profile.client_id }),
        );
      }, ports.deadline);
      const until = ports.now() + Math.floor(ports.deadline / 1000);
      const before = running;
      // The previous attempt has closed its port when this one opens its own.
      running = before.then(() => run(attempt, controller, until)).finally(() => clearTimeout(limit));
    },
    cancel() {
      current?.abort(new Cancelled());
      if (progress.step === 'failed' || progress.step === 'done') {
        progress = { step: 'none' };
        ports.emit(progress);
      }
    },
    async openPage() {
      if (page !== undefined) await ports.openBrowser(page);
    },
    idle: () => running,
  };
}

type Code = { userCode: string; link: string; direct: string; expiresIn: number };

/**
 * Whether the provider knows the client, asked with a code that was never issued: it answers `invalid_grant` to a client
 * that it knows, and `invalid_client` or `unauthorized_client` to one that it doesn't (RFC 6749 §5.2). True if that can't be determined.
 */
async function knowsClient({ config }: Provider): Promise<boolean> {
  const parameters = {
    code: 'not-a-code',
    redirect_uri: 'http://localhost',
    code_verifier: oidc.randomPKCECodeVerifier(),
  };
  try {
    await oidc.genericGrantRequest(config, 'authorization_code', parameters);
    return true;
  } catch (error) {
    const name = error instanceof oidc.ResponseBodyError ? error.error : '';
    return name !== 'invalid_client' && name !== 'unauthorized_client';
  }
}
