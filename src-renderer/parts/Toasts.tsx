import { Button } from 'react-aria-components';
import type { Toast } from '../state/toasts.ts';
import { Icon } from './Icon.tsx';
import { useModel, useStore, useTimed } from './model.ts';
import { UserText } from './UserText.tsx';

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

function Countdown({ until }: { until: NonNullable<Toast['until']> }) {
  const { doors } = useModel();
  const left = useTimed((now) => String(Math.max(0, Math.ceil(until / 1000) - now)));
  const whole = Math.round((until - doors.time.now()) / 1000);
  return (
    <>
      <span aria-hidden="true"> It leaves the clipboard in {left} s.</span>
      <span className="unseen" key={String(until)}>
        {' '}
        It leaves the clipboard by itself{whole > 0 ? ' in half a minute' : ''}.
      </span>
    </>
  );
}
