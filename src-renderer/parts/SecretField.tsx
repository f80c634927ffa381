import { useEffect, useRef } from 'react';
import { TextArea, TextField } from 'react-aria-components';
import type { TokenItem } from '../../src-main/ipc/contract.ts';
import { onLeave } from '../bridge.ts';
import { secondsUntil } from '../state/time.ts';
import { tokenTitle } from '../state/tokens.ts';
import { Action } from './Action.tsx';
import { useModel, useStore, useTimed } from './model.ts';

/** The secret itself: masked, and not in the window at all, until the user has told the main process to show it. */
export function SecretField({ token }: { token: TokenItem }) {
  const { secret } = useModel();
  const { phase, text, hidesAt } = useStore(secret.view);
  const { kind, subject } = tokenTitle(token);
  const hides = useTimed((now) => (hidesAt === null ? '' : String(secondsUntil(hidesAt, now))));

  const actions = useRef<HTMLDivElement>(null);
  // Whoever hides it, the user or the clock: the focus that was in it goes to the button that shows it again.
  const hadFocus = useRef(false);
  useEffect(() => {
    if (phase === 'masked' && hadFocus.current) actions.current?.querySelector('button')?.focus();
    hadFocus.current = false;
  }, [phase]);
  useEffect(() => onLeave(() => secret.view.get().phase === 'shown' && secret.hide()), [secret]);

  return (
    <section className="secret" aria-label="Secret" data-phase={phase}>
      {phase === 'shown' && text !== null ? (
        <TextField
          className="secret-text"
          aria-label={`Secret of ${kind} ${subject}`}
          value={text}
          isReadOnly
          autoFocus
          onFocusChange={(has) => (hadFocus.current = has)}
          onKeyDown={({ key }) => {
            if (key === 'Escape') secret.hide();
          }}
        >
          <TextArea spellCheck={false} rows={4} onFocus={(event) => event.currentTarget.select()} />
        </TextField>
      ) : (
        <span className="mask" aria-hidden="true">
          ••••••••••••
        </span>
      )}
      <div className="secret-actions" ref={actions}>
        {phase === 'shown' ? (
          <Action onPress={secret.hide}>Hide</Action>
        ) : (
          <Action onPress={() => void secret.reveal()} isDisabled={phase === 'asking'}>
            Reveal…
          </Action>
        )}
        <Action onPress={() => void secret.copy()}>Copy…</Action>
      </div>
      <p className="note">
        {phase === 'shown'
          ? `Hides again in ${hides} s.`
          : 'Whoever has it can use it. A copy leaves the clipboard after 30 s.'}
      </p>
    </section>
  );
}
