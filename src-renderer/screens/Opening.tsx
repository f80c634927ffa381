import { useEffect, useState } from 'react';
import { useModel } from '../parts/model.ts';

/** Opening takes a moment at most; only where it takes longer than that is something said. Milliseconds. */
const QUIET = 300;

export function Opening() {
  const { doors } = useModel();
  const [said, setSaid] = useState(false);
  useEffect(() => doors.time.after(QUIET, () => setSaid(true)), [doors]);
  return (
    <main className="blank" aria-busy="true">
      {said && (
        <p className="opening" role="status">
          Opening your sign-ins…
        </p>
      )}
    </main>
  );
}
