import { useLayoutEffect, useRef } from 'react';
import { Message } from './text.tsx';

/**
 * Why something that the user asked for was not done: a sentence from the main process. It is scrolled into view, because the button may
 * be far from it, on a long page or below the fields of a dialog. Remove it when the action begins again: the same sentence is then said
 * and scrolled to once more.
 */
export function Problem({ children }: { children: string }) {
  const place = useRef<HTMLParagraphElement>(null);
  useLayoutEffect(() => place.current?.scrollIntoView({ block: 'nearest' }), [children]);
  return (
    <p className="problem" role="alert" ref={place}>
      <Message>{children}</Message>
    </p>
  );
}

/** Why something that nobody asked for just now failed, such as loading a page again: nothing scrolls under the user's hands. */
export function Unasked({ children }: { children: string }) {
  return (
    <p className="problem" role="alert">
      <Message>{children}</Message>
    </p>
  );
}
