/**
 * What has the focus may go: the button of a repair that was taken back, the screen before the first sign-in. A browser
 * then leaves the focus nowhere, and who uses the keyboard or listens begins anew at the top. Here it goes to what
 * stands in the same place.
 */

const CAN_HAVE_IT = 'button:not([disabled]), [tabindex="0"], input:not([disabled])';

/** For as long as the page lives. */
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
    // Among the accounts it is the list that one goes on from.
    part?.querySelector<HTMLElement>('[role="listbox"]')?.focus();
    if (isLost()) part?.querySelector<HTMLElement>(CAN_HAVE_IT)?.focus();
  };
  new MutationObserver(() => {
    // A dialog that closes gives the focus back by itself, in the next frame; what it gave it to may be gone too.
    if (isLost()) requestAnimationFrame(() => requestAnimationFrame(find));
  }).observe(document.body, { childList: true, subtree: true });
}
