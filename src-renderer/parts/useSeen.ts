import { type RefObject, useLayoutEffect, useState } from 'react';

/** Which part of a scrolling element is seen: pixels from its top, and its height. Follows scrolling and resizing. */
export function useSeen(box: RefObject<HTMLElement | null>): { top: number; height: number } {
  const [seen, setSeen] = useState({ top: 0, height: 800 });
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = () => setSeen({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, [box]);
  return seen;
}
