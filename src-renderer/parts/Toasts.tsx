import { useState } from 'react';
import { Button } from 'react-aria-components';
import { secondsUntil } from '../state/time.ts';
import { Icon } from './Icon.tsx';
import { useModel, useStore, useTimed } from './hooks.ts';
import { UserText } from './text.tsx';

/** What just happened, for a few seconds. Read out once; the countdown in it is for the eyes only. */
export function Toasts() {
  const { toasts } = useModel();
  const all = useStore(toasts.view);
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

/** Counts for the eyes; for those who listen it says once how long it takes, or each second would be read out. */
function Countdown({ until }: { until: number }) {
  const { ports } = useModel();
  const [whole] = useState(() => Math.round((until - ports.time.now()) / 1000));
  const left = useTimed((now) => String(secondsUntil(until, now)));
  return (
    <>
      <span aria-hidden="true"> It leaves the clipboard in {left} s.</span>
      <span className="unseen"> It leaves the clipboard in {whole} seconds.</span>
    </>
  );
}
