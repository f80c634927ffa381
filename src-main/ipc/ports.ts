/** The ports of the request handlers. */
import type { Vault } from '../vault/api.ts';
import type { CopiedSecrets } from './clipboard.ts';
import type { TokenCacheEvents } from './contract.ts';
import type { PlaceCache } from './places.ts';
import type { Question } from './questions.ts';

/** The members of a vault that a window's requests need. The app closes the vault. */
export type ServedVault = Pick<
  Vault,
  | 'status'
  | 'read'
  | 'update'
  | 'epoch'
  | 'erase'
  | 'retry'
  | 'recover'
  | 'startFresh'
  | 'keepMine'
  | 'takeFile'
  | 'makeOwn'
  | 'forget'
  | 'verify'
  | 'compact'
  | 'exportTo'
>;

/** The ports of the request handlers. `Caller` represents the requesting window. */
export interface Ports<Caller> {
  /** Requests wait for it. One that could not be opened is opened again by the next request. */
  vault: () => Promise<ServedVault>;
  /** The caches whose accounts are shown beside the vault's. */
  places: () => readonly PlaceCache[];
  copied: CopiedSecrets;
  /** Seconds since the epoch. */
  now: () => number;
  /** Asks the user in a dialog that no script of the window can answer; false if the user declined. */
  /** @param onOption called if the user agreed and ticked the question's option */
  confirm: (caller: Caller, question: Question, onOption?: () => void) => Promise<boolean>;
  /** @throws QuestionError if the user did not just click or type in the window */
  useGesture: (caller: Caller) => void;
  /** Whether consent to copy an access token is valid for five minutes, without a box to tick. */
  asksRarely: () => boolean;
  /** Runs `call` once, when the window next loses the focus. */
  onLeave: (caller: Caller, call: () => void) => void;
  /** Returns an absolute path; null if the dialog was dismissed. */
  chooseFile: (caller: Caller) => Promise<string | null>;
  /** Asks where to save and suggests `name`. Returns an absolute path; null if the dialog was dismissed. */
  chooseTarget: (caller: Caller, name: string) => Promise<string | null>;
  /** Sends an event to all windows. */
  emit: <Name extends keyof TokenCacheEvents>(name: Name, event: TokenCacheEvents[Name]) => void;
  /** Called before the vault is retried at the user's request. */
  beforeRetry: () => void;
  /** Called after the vault was deleted at the user's request. */
  afterForget: () => void;
  /** Returns a sentence on what `afterForget` will do; null if it does nothing. */
  alsoForgets: () => string | null;
  /** Returns the error that the window gets in place of one that an import failed with. */
  explain?: (error: unknown) => unknown;
}
