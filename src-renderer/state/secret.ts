import type { CopyForm } from '../../src-main/ipc/contract.ts';
import type { Ports } from './ports.ts';
import type { Dialogs } from './dialogs.ts';
import type { Selection } from './selection.ts';
import { createStore, type Store } from './store.ts';
import type { Toasts } from './toasts.ts';
import { count } from './words.ts';

/** Milliseconds that a revealed token stays visible. */
export const REVEALED_FOR = 30_000;

export interface SecretView {
  phase: 'masked' | 'asking' | 'shown';
  /** The token, only while `shown`. */
  text: string | null;
  /** Milliseconds since the epoch. */
  hidesAt: number | null;
}

export interface Secret {
  view: Store<SecretView>;
  reveal: () => Promise<void>;
  hide: () => void;
  /** Copies the token, or a form of it, through main. */
  copy: (form?: CopyForm) => Promise<void>;
  /** Removes tokens from the vault, after main's dialog. */
  remove: (tokenIds: readonly string[]) => Promise<void>;
}

const COPIED: Readonly<Record<CopyForm, string>> = {
  token: 'Token copied.',
  header: 'Authorization header copied.',
  curl: 'curl command copied.',
};

const MASKED: SecretView = { phase: 'masked', text: null, hidesAt: null };

/**
 * The selected token in plain text: requested on demand, shown for a while, dropped when the selection changes or the token is replaced.
 */
export function createSecret(ports: Ports, selection: Selection, toasts: Toasts, dialogs: Dialogs): Secret {
  const { tokenCache, time } = ports;
  const view = createStore<SecretView>(MASKED);
  let callOff = () => {};
  /** Incremented by each request and each hide, so that older answers are dropped. */
  let question = 0;
  let copyToast: number | null = null;

  const hide = () => {
    question += 1;
    callOff();
    view.set(MASKED);
  };

  let tokenId = selection.view.get().tokenId;
  let mark: string | null = null;
  selection.view.subscribe(() => {
    const { tokenId: next, claims } = selection.view.get();
    // A refresh, an import or another program may have replaced the token under the same id.
    const isReplaced = claims !== null && mark !== null && claims.mark !== mark;
    const isOther = next !== tokenId;
    mark = claims?.mark ?? (isOther ? null : mark);
    if (!isOther && !isReplaced) return;
    tokenId = next;
    hide();
  });

  ports.app.on('lock', hide);

  tokenCache.on('clipboardCleared', () => {
    if (copyToast !== null) toasts.dismiss(copyToast);
    copyToast = null;
    toasts.show('The token was cleared from the clipboard.');
  });

  return {
    view,
    hide,
    async reveal() {
      const asked = tokenId;
      if (asked === null || view.get().phase !== 'masked') return;
      view.set({ ...MASKED, phase: 'asking' });
      question += 1;
      const mine = question;
      const answer = await tokenCache.reveal(asked);
      if (mine !== question) return; // hidden meanwhile, by another selection or a lock
      if (!answer.ok || answer.value === null) {
        view.set(MASKED);
        if (!answer.ok) dialogs.fail('The token could not be shown', answer.error);
        return;
      }
      view.set({ phase: 'shown', text: answer.value, hidesAt: time.now() + REVEALED_FOR });
      callOff = time.after(REVEALED_FOR, hide);
    },
    async remove(tokenIds) {
      const answer = await tokenCache.removeTokens(tokenIds);
      if (!answer.ok) dialogs.fail('The token could not be removed', answer.error);
      else if (answer.value !== null) toasts.show(`${count(answer.value, 'token')} removed.`);
    },
    async copy(form = 'token') {
      const asked = tokenId;
      if (asked === null) return;
      const answer = await (form === 'token' ? tokenCache.copy(asked) : tokenCache.copy(asked, form));
      if (!answer.ok) dialogs.fail('The token could not be copied', answer.error);
      else if (answer.value !== null) {
        if (copyToast !== null) toasts.dismiss(copyToast);
        copyToast = toasts.show(COPIED[form], { until: answer.value.clearsAt });
      }
    },
  };
}
