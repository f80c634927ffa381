import { useState } from 'react';
import { Button } from 'react-aria-components';
import { secondsUntil } from '../state/time.ts';
import { useModel, useStill, useStore, useTimed } from './hooks.ts';
import { Icon } from './Icon.tsx';
import { UserText } from './text.tsx';

/** Notifications. Screen readers announce each one once, without the countdown. */
export function Toasts() {
  const { toasts } = useModel();
  const all = useStill(useStore(toasts.view));
  return (
    <section className="toasts" aria-label="Notifications">
      <div role="status" aria-live="polite" aria-atomic="false">
        {all.map((toast) => (
          <div className="toast" key={toast.id}>
            <p>
              <UserText>{toast.text}</UserText>
              {toast.until !== null && <Countdown until={toast.until} />}
            </p>
            <Button className="clear" aria-label="Dismiss" onPress={() => toasts.dismiss(toast.id)}>
              <Icon name="close" size={12} />
            </Button>
          </div>
        ))}
      </div>
    </section>
  );
}

/** A visible countdown. Screen readers get the initial length, not every second. */
function Countdown({ until }: { until: number }) {
  const { ports } = useModel();
  const [whole] = useState(() => Math.round((until - ports.time.now()) / 1000));
  const left = useTimed((now) => String(secondsUntil(until, now)));
  return (
    <>
      <span aria-hidden="true"> Cleared from the clipboard in {left} s.</span>
      <span className="unseen"> Cleared from the clipboard in {whole} seconds.</span>
    </>
  );
}
