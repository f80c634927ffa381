/**
 * A headless browser for the example provider's pages: follows redirects, keeps cookies, presses buttons. Each
 * instance is a separate session, for one user.
 */
import { request } from 'node:http';

export interface Person {
  /** The ID of the user who signs in. */
  user: string;
  /** true: presses Refuse on the consent page; `login`: cancels before that. */
  refuse?: 'consent' | 'login';
}

export interface Arrived {
  /** The last address and its page. */
  url: string;
  status: number;
  html: string;
  title: string;
}

export interface Browser {
  /** Opens an address and presses buttons until there are none left. */
  visit(url: string, person: Person): Promise<Arrived>;
  /** Posts an empty form, and presses buttons until there are none left. */
  post(url: string, person: Person): Promise<Arrived>;
  /** Opens an address without pressing anything. */
  open(url: string): Promise<Arrived>;
}

const MOST_PAGES = 40;

/**
 * @param fetchFn used for HTTPS; must trust the provider. Loopback redirects use node:http.
 * @param alone true: a redirect to a loopback port on which nothing listens is the last address, with status 0
 * @param otherBrowser addresses to which only the browser that was redirected from there can return, because it has their cookies. The
 *   first one is the last address, with status 0, unless this is that browser
 */
export function browser(
  fetchFn: typeof fetch,
  { alone = false, otherBrowser = [] }: { alone?: boolean; otherBrowser?: readonly string[] } = {},
): Browser {
  const jars = new Map<string, Map<string, string>>();

  async function load(url: string, form?: URLSearchParams): Promise<Arrived> {
    let next: { url: string; form: URLSearchParams | undefined } = { url, form };
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const { host, protocol } = new URL(next.url);
      const [page = ''] = next.url.split('?', 1);
      if (otherBrowser.includes(page) && !jars.has(host)) return arrived(next.url, 0, '');
      const jar = jars.get(host) ?? new Map<string, string>();
      jars.set(host, jar);
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await (protocol === 'http:'
        ? plainFetch(next.url, next.form, cookie).catch((error: unknown) => {
            if (alone && error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED')
              return null;
            throw error;
          })
        : fetchFn(next.url, {
            redirect: 'manual',
            headers: { ...(cookie === '' ? {} : { cookie }), accept: 'text/html' },
            ...(next.form === undefined ? {} : { method: 'POST', body: next.form }),
          }));
      if (answer === null) return arrived(next.url, 0, '');
      for (const line of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (value === '') jar.delete(name);
        else jar.set(name, value);
      }
      const location = answer.headers.get('location');
      if (location === null) return arrived(next.url, answer.status, await answer.text());
      next = { url: new URL(location, next.url).href, form: undefined };
    }
    throw new Error(`The redirects from ${url} do not end.`);
  }

  async function pressed(first: Promise<Arrived>, person: Person): Promise<Arrived> {
    let page = await first;
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const next = press(page.html, person);
      if (next === undefined) return page;
      page = await load(new URL(next.action, page.url).href, next.form);
    }
    throw new Error(`The forms of ${page.url} do not end.`);
  }

  return {
    open: (url) => load(url),
    visit: (url, person) => pressed(load(url), person),
    post: (url, person) => pressed(load(url, new URLSearchParams()), person),
  };
}

/** Returns the filled-in form of a page; undefined if there is none. */
function press(html: string, person: Person): { action: string; form: URLSearchParams } | undefined {
  const action = /<form[^>]*\saction="([^"]*)"/.exec(html)?.[1];
  if (action === undefined) return undefined;
  const form = new URLSearchParams();
  for (const [input] of html.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
    form.set(attribute(input, 'name'), attribute(input, 'value'));
  }
  const has = (name: string): boolean => new RegExp(`<button[^>]*name="${name}"`).test(html);
  if (has('login')) {
    if (person.refuse === 'login') form.set('abort', 'yes');
    else form.set('login', person.user);
  } else if (has('consent')) form.set(person.refuse === 'consent' ? 'abort' : 'consent', 'yes');
  else if (has('logout')) form.set('logout', 'yes');
  else if (/<input[^>]*name="user_code"[^>]*type="text"|type="text"[^>]*name="user_code"/.test(html))
    return undefined;
  return { action: text(action), form };
}

const attribute = (tag: string, name: string): string =>
  text(new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1] ?? '');

function text(markup: string): string {
  return markup
    .replace(/&#(x?)([0-9a-f]+);/gi, (_all, hex: string, digits: string) =>
      String.fromCodePoint(Number.parseInt(digits, hex === '' ? 10 : 16)),
    )
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}

function arrived(url: string, status: number, html: string): Arrived {
  return { url, status, html, title: text(/<title>([^<]*)/.exec(html)?.[1] ?? '') };
}

/**
 * The app's loopback listener closes as soon as it has answered, which the global fetch's pool would report as an
 * error.
 */
function plainFetch(url: string, form: URLSearchParams | undefined, cookie: string): Promise<Response> {
  const headers: Record<string, string> = { accept: 'text/html', ...(cookie === '' ? {} : { cookie }) };
  // `response_mode=form_post` is sent as a form
  if (form !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded';
  const method = form === undefined ? 'GET' : 'POST';
  return new Promise((resolve, reject) => {
    request(url, { agent: false, method, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const headers = new Headers();
        if (answer.headers.location !== undefined) headers.set('location', answer.headers.location);
        for (const line of answer.headers['set-cookie'] ?? []) headers.append('set-cookie', line);
        resolve(new Response(Buffer.concat(chunks), { status: answer.statusCode ?? 500, headers }));
      });
    })
      .on('error', reject)
      .end(form?.toString());
  });
}
