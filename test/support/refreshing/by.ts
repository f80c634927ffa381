/** How a process gets its tokens: with a callback, or with a major version of MSAL Node. */
export type By = 'callback' | `msal-node-${2 | 3 | 5 | 7}`;
