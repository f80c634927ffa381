/** The browser that tests sign in with is the one that embedders' tests get. */
export * from '../../examples/provider/browser.ts';
