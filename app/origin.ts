/** Where the window's page lives. A scheme of our own, for `file://` would let a page read the whole disk. */
export const SCHEME = 'app';
export const ORIGIN = `${SCHEME}://tokenkeep`;
export const START_PAGE = `${ORIGIN}/`;
