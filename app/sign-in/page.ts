/** What the browser shows when it has brought the answer: one sentence, no script, nothing from elsewhere. */

export interface BrowserPage {
  title: string;
  text: string;
}

export const SIGNED_IN: BrowserPage = {
  title: 'You are signed in',
  text: 'Tokenkeep has what it needs. You can close this tab.',
};

/** For a call that brings nothing of the sign-in that is under way, which goes on waiting. */
export const ANOTHER_SIGN_IN = notSignedIn(
  'This page does not belong to the sign-in that Tokenkeep waits for, so nothing was taken from it.',
);

export function notSignedIn(reason: string): BrowserPage {
  return { title: 'You are not signed in', text: `${reason} You can close this tab.` };
}

export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  'Cache-Control': 'no-store',
  // The address of this page holds the code: worthless without the verifier, and no one else’s business.
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

export function pageOf({ title, text }: BrowserPage): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escaped(title)} · Tokenkeep</title>
<meta name="viewport" content="width=device-width"><style>
:root { color-scheme: light dark; font: 17px/1.55 system-ui, sans-serif; }
body { margin: 0; display: grid; place-items: center; min-height: 100vh; background: light-dark(#fcfcfb, #191a1a); color: light-dark(#1c1c1a, #ecebe7); }
main { max-width: 30rem; padding: 2rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; color: light-dark(#0a6a60, #5bcab8); }
p { margin: 0; }
</style></head><body><main><h1>${escaped(title)}</h1><p>${escaped(text)}</p></main></body></html>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
