/** What a process gets its tokens with: a callback, or MSAL Node of a major. */
export type By = 'callback' | `msal-node-${2 | 3 | 5 | 7}`;
