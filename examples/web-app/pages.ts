/** The few pages there are. Whatever comes from outside is escaped. */

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>body { font: 1rem/1.5 system-ui; max-width: 40rem; margin: 3rem auto; padding: 0 1rem } pre { overflow: auto }</style>
<h1>${escaped(title)}</h1>
${body}
</html>`;
}

export interface SignedIn {
  name: string;
  username: string;
}

export function indexPage(user: SignedIn | undefined): string {
  if (user === undefined) return page('Welcome', '<p><a href="/sign-in">Sign in</a></p>');
  return page(
    `Welcome, ${user.name}`,
    `<p>You are signed in as <strong id="user">${escaped(user.username)}</strong>.</p>
<p><a href="/call-api">Call the API</a></p>
<form method="post" action="/sign-out"><button>Sign out</button></form>`,
  );
}

export function answerPage(answer: unknown): string {
  return page(
    'The API answered',
    `<pre id="answer">${escaped(JSON.stringify(answer, null, 2))}</pre><p><a href="/">Back</a></p>`,
  );
}

export function messagePage(title: string, message: string): string {
  return page(title, `<p id="message">${escaped(message)}</p><p><a href="/">Back</a></p>`);
}
