import { useEffect, useState } from 'react';
import { onFiles } from '../bridge.ts';
import { Icon } from './Icon.tsx';
import { useModel } from './hooks.ts';

/** Accepts files dropped anywhere on the window. The keyboard alternative is Import…. */
export function DropZone() {
  const { importing } = useModel();
  const [over, setOver] = useState(false);
  useEffect(() => onFiles({ over: setOver, drop: (files) => void importing.drop(files) }), [importing]);
  if (!over) return null;
  return (
    <div className="drop">
      <div>
        <Icon name="file" size={28} />
        <b>Drop a cache document here</b>
        <span>You see its contents before anything is imported.</span>
      </div>
    </div>
  );
}
