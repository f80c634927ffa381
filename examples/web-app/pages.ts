/** The pages of the app. All text from outside is escaped. */
import type { WebUser } from 'tokenkeep/express';

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 0; display: grid; place-items: center; min-height: 100vh; background: light-dark(#f1f0ee, #1d1e1f); }
  main { box-sizing: border-box; width: min(34rem, 100vw); padding: 2rem; border-radius: 12px; overflow-wrap: anywhere;
    background: light-dark(#fff, #28292b); box-shadow: 0 1px 3px rgb(0 0 0 / 20%); }
  h1 { margin: 0 0 .5rem; font-size: 1.35rem; line-height: 1.3; }
  p { margin: 0 0 1rem; }
  pre { margin: 0 0 1rem; padding: .75rem 1rem; overflow: auto; border-radius: 8px; font-size: .875rem;
    background: light-dark(#f1f0ee, #1d1e1f); }
  nav { display: flex; flex-wrap: wrap; gap: .5rem; }
  form { margin: 0; }
  .small { margin: 1.5rem 0 0; font-size: .875rem; color: light-dark(#5c5f62, #a9adb1); }
  a.action, button { display: inline-block; padding: .5rem 1rem; font: inherit; color: inherit; text-decoration: none; background: none;
    border: 1px solid light-dark(#84888c, #7d8287); border-radius: 8px; cursor: pointer; }
  a.main { color: #fff; background: #3b5bb5; border-color: #3b5bb5; }
  a:focus-visible, button:focus-visible { outline: 3px solid #6d8be8; outline-offset: 2px; }`;

/** @param body markup, of which every text has been escaped */
function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title>
<style>${STYLE}</style></head>
<body><main><h1>${escaped(title)}</h1>
${body}
</main></body></html>`;
}

const link = (to: string, text: string, kind = ''): string =>
  `<a class="action ${kind}" href="${escaped(to)}">${escaped(text)}</a>`;

const SIGN_OUT = '<form method="post" action="/sign-out"><button>Sign out</button></form>';

export interface About {
  /** The host of the provider. */
  provider: string;
  /** The URL that "Call the API" requests. */
  apiUrl: string;
}

export function welcomePage({ provider }: About): string {
  return page(
    'Welcome',
    `<p>You are not signed in.</p>
<nav>${link('/sign-in', 'Sign in', 'main')}</nav>
<p class="small">You will be sent to ${escaped(provider)}, and come back.</p>`,
  );
}

export function userPage({ account: { username, name = username } }: WebUser, { apiUrl }: About): string {
  return page(
    `Welcome, ${name}`,
    `<p>You are signed in as <strong id="user">${escaped(username)}</strong>.</p>
<nav>${link('/call-api', 'Call the API', 'main')}${SIGN_OUT}</nav>
<p class="small">The API is ${escaped(apiUrl)}. Its token comes from your own cache, and is refreshed when it has to be.</p>`,
  );
}

export function answerPage(answer: unknown, { apiUrl }: About): string {
  return page(
    'The API answered',
    `<pre id="answer" tabindex="0">${escaped(JSON.stringify(answer, null, 2))}</pre>
<nav>${link('/call-api', 'Call it again', 'main')}${link('/', 'Back')}</nav>
<p class="small">From ${escaped(apiUrl)}</p>`,
  );
}

/** What happened and what to do about it. */
export interface Message {
  title: string;
  text: string;
  /** A link to continue with, besides the one back. */
  next?: { to: string; text: string };
}

export function messagePage({ title, text, next }: Message): string {
  const way = next === undefined ? '' : link(next.to, next.text, 'main');
  return page(title, `<p id="message">${escaped(text)}</p>\n<nav>${way}${link('/', 'Back')}</nav>`);
}
