import { useEffect, useState } from 'react';
import { onFiles } from '../bridge.ts';
import { Icon } from './Icon.tsx';
import { useModel } from './hooks.ts';

/** The whole window takes a dropped document. By keyboard the same is done with Import…. */
export function DropZone() {
  const { importing } = useModel();
  const [over, setOver] = useState(false);
  useEffect(() => onFiles({ over: setOver, drop: (files) => void importing.drop(files) }), [importing]);
  if (!over) return null;
  return (
    <div className="drop">
      <div>
        <Icon name="file" size={28} />
        <b>Drop the cache document here</b>
        <span>You see what is in it before anything is merged.</span>
      </div>
    </div>
  );
}
