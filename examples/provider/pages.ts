/** The provider's pages: plain HTML without scripts, for users and for programs that fill in forms. */
import type { User } from './users.ts';

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 0; display: grid; place-items: center; min-height: 100vh; background: light-dark(#f1f0ee, #1d1e1f); }
  main { box-sizing: border-box; width: min(26rem, 100vw); padding: 2rem; border-radius: 12px;
    background: light-dark(#fff, #28292b); box-shadow: 0 1px 3px rgb(0 0 0 / 20%); }
  h1 { margin: 0 0 .5rem; font-size: 1.35rem; line-height: 1.3; }
  p { margin: 0 0 1rem; }
  .small { margin: 1rem 0 0; font-size: .875rem; color: light-dark(#5c5f62, #a9adb1); }
  button { display: block; width: 100%; margin: 0 0 .5rem; padding: .625rem .875rem; font: inherit; text-align: left;
    color: inherit; background: none; border: 1px solid light-dark(#84888c, #7d8287); border-radius: 8px; cursor: pointer; }
  button.main { color: #fff; background: #3b5bb5; border-color: #3b5bb5; text-align: center; }
  button.plain { text-align: center; }
  button:focus-visible, input:focus-visible { outline: 3px solid #6d8be8; outline-offset: 2px; }
  button span { display: block; font-size: .875rem; color: light-dark(#5c5f62, #a9adb1); }
  input[type='text'] { box-sizing: border-box; width: 100%; padding: .625rem; margin: 0 0 1rem; font: inherit;
    letter-spacing: .1em; text-transform: uppercase; }
  code { font-size: 1.25rem; letter-spacing: .1em; }
  ul { margin: 0 0 1rem; padding-left: 1.25rem; }`;

/** @param body markup, of which every text has been escaped. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title>
<style>${STYLE}</style></head>
<body><main><h1>${escaped(title)}</h1>
${body}
<p class="small">An identity provider for trying out, on this machine alone. Its people are made up, and it forgets all of
it when it ends.</p></main></body></html>`;
}

export function loginPage(action: string, client: string, users: readonly User[]): string {
  const buttons = users.map(
    ({ id, name, username }) =>
      `<button name="login" value="${escaped(id)}">${escaped(name)}<span>${escaped(username)}</span></button>`,
  );
  return page(
    `Sign in to ${client}`,
    `<p>Who are you? There is no password.</p>
<form method="post" action="${escaped(action)}">${buttons.join('\n')}
<button class="plain" name="abort" value="yes">Cancel</button></form>`,
  );
}

const MEANINGS: Readonly<Record<string, string>> = {
  openid: 'know who you are',
  profile: 'see your name',
  email: 'see your e-mail address',
  offline_access: 'stay signed in when you are not there',
  'orders.read': 'read your orders',
  'orders.write': 'change your orders',
};

export function consentPage(action: string, client: string, user: string, scopes: readonly string[]): string {
  const wishes = scopes.map((scope) => `<li>${escaped(MEANINGS[scope] ?? scope)}</li>`);
  return page(
    `${client} asks for your consent`,
    `<p>You are ${escaped(user)}. ${escaped(client)} wants to:</p><ul>${wishes.join('')}</ul>
<form method="post" action="${escaped(action)}">
<button class="main" name="consent" value="yes">Accept</button>
<button class="plain" name="abort" value="yes">Refuse</button></form>`,
  );
}
