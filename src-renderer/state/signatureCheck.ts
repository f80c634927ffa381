import type { SignatureResult, TokenToCheck } from '../../app/contract.ts';
import type { Dialogs } from './dialogs.ts';
import type { Ports } from './ports.ts';
import { createStore, type Store } from './store.ts';
import { visible } from './text.ts';
import { localTime } from './time.ts';

export interface SignatureView {
  /** The token that was checked last: its text or its id; null if none. */
  of: string | null;
  /** The mark of the token that was checked last; null for a text. Under the same id, another token may be there now. */
  mark: string | null;
  checking: boolean;
  result: SignatureResult | null;
}

export interface SignatureChecks {
  view: Store<SignatureView>;
  /**
   * Has main check the signature. Main asks the user first.
   *
   * @param mark of the token with this id that is shown
   */
  check: (token: TokenToCheck, mark?: string | null) => Promise<void>;
  /** Forgets the last token and its result. */
  clear: () => void;
}

const NONE: SignatureView = { of: null, mark: null, checking: false, result: null };

/** Checks the signature of one token at a time. The result is kept until another token is checked or the page is left. */
export function createSignatureChecks({ app }: Pick<Ports, 'app'>, dialogs: Dialogs): SignatureChecks {
  const view = createStore<SignatureView>(NONE);
  return {
    view,
    async check(token, mark = null) {
      const of = 'text' in token ? token.text : token.tokenId;
      const last = view.get();
      const before = last.of === of && last.mark === mark ? last.result : null;
      const mine: SignatureView = { of, mark, checking: true, result: before };
      view.set(mine);
      const answer = await app.checkSignature(token);
      if (view.get() !== mine) return; // another token was checked meanwhile, or the page was left
      view.set({ of, mark, checking: false, result: answer.ok ? (answer.value ?? before) : null });
      if (!answer.ok) dialogs.fail('The signature could not be checked', answer.error);
    },
    clear: () => view.set(NONE),
  };
}

/** The result of a signature check, as shown to the user. */
export interface SignatureSays {
  tone: 'good' | 'bad' | 'warn' | 'plain';
  title: string;
  text: string;
  facts: readonly { name: string; value: string }[];
}

type Why = Extract<SignatureResult, { result: 'uncheckable' }>['why'];

const UNCHECKABLE: Readonly<Record<Why, string>> = {
  opaque: 'Only a JWT has a signature that others can check.',
  encrypted: 'The token is encrypted for the API, which alone can check it.',
  unsigned: 'The token has no signature: anyone could have made it.',
  'shared-secret': 'It was made with a secret that only the issuer and the app know.',
  'no-issuer': 'The token names no issuer with an https address whose keys could be requested.',
  graph: 'Graph’s access tokens can’t be checked by others.',
  algorithm: 'Tokenkeep doesn’t support its algorithm, or the key is too weak.',
  sample: 'Sample tokens are made up, so no issuer has a key for them.',
};

/** Describes the result of a check for the user. */
export function signatureSays(result: SignatureResult, now: number, timeZone?: string): SignatureSays {
  if (result.result === 'uncheckable') {
    return {
      tone: result.why === 'unsigned' ? 'bad' : 'plain',
      title: result.why === 'unsigned' ? 'Not signed' : 'Signature can’t be checked',
      text: UNCHECKABLE[result.why],
      facts: [],
    };
  }
  const facts = [
    { name: 'Key', value: result.key_id === null ? 'Not named' : visible(result.key_id) },
    { name: 'Algorithm', value: visible(result.algorithm) },
    { name: 'Keys from', value: visible(result.keysFrom.replace(/^https:\/\//, '')) },
    { name: 'Checked', value: localTime(result.at, now, timeZone) },
  ];
  switch (result.result) {
    case 'valid':
      return { tone: 'good', title: 'Signature valid', text: '', facts };
    case 'invalid':
      return {
        tone: 'bad',
        title: 'Signature not valid',
        text: 'The token was changed, or someone other than the issuer made it.',
        facts,
      };
    case 'key-not-found':
      return {
        tone: 'warn',
        title: 'Key not found',
        text: 'The issuer doesn’t publish the key that the token names. It may have been replaced since.',
        facts,
      };
  }
}
