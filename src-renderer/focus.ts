/**
 * Moves the focus when the focused element is removed: the Undo button of a repair, the first-run screen, a dialog.
 * Browsers then focus nothing, and keyboard and screen reader users start again at the top.
 *
 * React Aria sets and restores the focus of dialogs too, but after a click without a pointer (Enter in a form) it
 * waits a frame, in which its focus trap may choose another element. The functions below act in the same commit.
 */

const FOCUSABLE = 'button:not([disabled]), [tabindex="0"], input:not([disabled])';

/** Frames after which a closed dialog has been removed and the page is no longer inert, unless the machine is busy. */
const FRAMES = 4;
/** Frames for which the focus waits on a busy machine. A page that is inert for longer has another dialog. */
const MOST_FRAMES = 120;

/** Moves the focus to an element in the same place whenever it is lost, until the page is unloaded. */
export function keepFocus(): void {
  let around: Element[] = [];
  document.addEventListener('focusin', ({ target }) => {
    around = [];
    for (let each = target instanceof Element ? target : null; each !== null; each = each.parentElement)
      around.push(each);
  });
  const isLost = () => document.activeElement === document.body && around[0]?.isConnected === false;
  const find = () => {
    if (!isLost()) return;
    const place = around.find((element) => element.isConnected);
    focusWithin(place?.querySelector('main') ?? place);
  };
  new MutationObserver(() => {
    // A closing dialog restores the focus within a few frames, maybe to an element that is removed too.
    if (isLost()) afterFrames(FRAMES + 1, find);
  }).observe(document.body, { childList: true, subtree: true });
}

/** Focuses the account list or the table of accounts, else the first control. */
function focusWithin(part: Element | undefined | null): void {
  part?.querySelector<HTMLElement>('[role="listbox"], [role="grid"]')?.focus();
  if (document.activeElement === document.body) part?.querySelector<HTMLElement>(FOCUSABLE)?.focus();
}

/** Focuses the page's content after a reload that the user asked for, such as by Unlock: the button that had the focus is gone. */
export function focusReloaded(): void {
  const [load] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  if (load?.type === 'reload' && document.activeElement === document.body)
    focusWithin(document.querySelector('main'));
}

/** Focuses the element of a new dialog that is marked with `data-autofocus`, else the dialog itself. */
export function focusDialog(dialog: HTMLElement): void {
  const marked = dialog.querySelector<HTMLElement>('[data-autofocus="true"]');
  const target = marked?.querySelector<HTMLElement>('input') ?? marked ?? dialog;
  target.focus({ preventScroll: true });
}

/** Returns the element to focus once a dialog that opens now has closed. */
export function focusOrigin(): HTMLElement | null {
  const active = document.activeElement;
  if (!(active instanceof HTMLElement) || active === document.body) return null;
  // A menu closes before the dialog opens: its button gets the focus back.
  if (active.closest('[role="menu"]') === null) return active;
  return document.querySelector<HTMLElement>('[aria-haspopup][aria-expanded="true"]');
}

let nextReturn = 0;

/** Focuses the element as soon as the page is no longer inert. Does nothing if it was removed. */
export function returnFocus(element: HTMLElement | null, frame = 0): void {
  cancelAnimationFrame(nextReturn); // Of a dialog that closed before.
  if (element?.isConnected !== true || document.activeElement === element) return;
  const active = document.activeElement;
  if (active !== null && active !== document.body && active.closest('[role$="dialog"]') === null) {
    // React Aria or the user has moved the focus elsewhere.
    return;
  }
  element.focus({ preventScroll: true });
  const isInert = element.closest('[inert], [aria-hidden="true"]') !== null;
  if (document.activeElement !== element && frame < (isInert ? MOST_FRAMES : FRAMES))
    nextReturn = requestAnimationFrame(() => returnFocus(element, frame + 1));
}

function afterFrames(frames: number, call: () => void): void {
  if (frames === 0) call();
  else requestAnimationFrame(() => afterFrames(frames - 1, call));
}
