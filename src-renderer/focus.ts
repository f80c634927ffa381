/** The focused element may be removed: the Undo button of a repair, the first-run screen. Browsers then leave the focus nowhere, and keyboard and screen reader users start again at the top. This module moves the focus to an element in the same place.
 */

const CAN_HAVE_IT = 'button:not([disabled]), [tabindex="0"], input:not([disabled])';

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
    const part = place?.querySelector('main') ?? place;
    // Prefer the account list.
    part?.querySelector<HTMLElement>('[role="listbox"]')?.focus();
    if (isLost()) part?.querySelector<HTMLElement>(CAN_HAVE_IT)?.focus();
  };
  new MutationObserver(() => {
    // A closing dialog restores the focus in the next frame, maybe to an element that is removed too.
    if (isLost()) requestAnimationFrame(() => requestAnimationFrame(find));
  }).observe(document.body, { childList: true, subtree: true });
}
