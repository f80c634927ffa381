/** The loopback server that receives the browser's redirect of one sign-in. RFC 8252 §7.3. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import { signInError } from './failures.ts';

export interface Loopback {
  /** The redirect URI with the actual port. */
  redirect_uri: string;
  /** Resolves with the URL that the browser requested. */
  called: Promise<URL>;
  /** Sets the page that the browser shows. */
  answer(page: BrowserPage): void;
  close(): void;
}

/**
 * Any program on this computer can connect, and so can any page in the browser that tries the ports. So a request
 * without this sign-in's own state is answered and ignored; it can't replace the expected one.
 *
 * @param registered the registered redirect URI; without a port, any free port is used
 */
export async function listen(registered: string, state: string): Promise<Loopback> {
  const { hostname, port, pathname } = new URL(registered);
  const servers = await openAll(hostname, Number(port)).catch((error: unknown) => {
    const code = systemCodeOf(error) === 'EADDRINUSE' && port !== '' ? 'port_taken' : 'port_refused';
    throw signInError(code, { issuer: '', client_id: '', redirect_uri: registered }, error);
  });

  const host = `${hostname}:${portOf(servers[0])}`;
  let waiting: ServerResponse | undefined;
  let given: BrowserPage | undefined;
  const called = new Promise<URL>((resolve) => {
    for (const server of servers) {
      server.on('request', (request, response) => {
        const url = URL.parse(request.url ?? '', `http://${host}`);
        // Also checks Host, against DNS rebinding: other host names that resolve to this computer.
        const ours = request.method === 'GET' && url?.pathname === pathname && request.headers.host === host;
        if (!ours || waiting !== undefined) response.writeHead(404, PAGE_HEADERS).end();
        else if (url.searchParams.get('state') !== state) send(response, ANOTHER_SIGN_IN);
        else {
          waiting = response;
          request.socket.setTimeout(0); // the page waits for the provider's answer
          resolve(url);
          if (given !== undefined) send(response, given);
        }
      });
    }
  });
  return {
    redirect_uri: `http://${host}${pathname}`,
    called,
    answer(page) {
      given = page;
      if (waiting !== undefined) send(waiting, page);
    },
    close() {
      for (const server of servers) {
        server.close();
        // Pending responses are sent; idle keep-alive connections are closed.
        server.closeIdleConnections();
        // A closed server no longer looks for slow requests.
        setTimeout(() => server.closeAllConnections(), SLOWEST).unref();
      }
    },
  };
}

/** Milliseconds for a request to arrive and for its response to be sent. The browser is on this computer. */
const SLOWEST = 5_000;
/** Connections at a time. Without a limit, another program could use up the app's file descriptors, which the vault needs. */
const MOST_CONNECTIONS = 100;

/** How many ports are tried until one is free on both addresses. */
const TRIES = 5;

/**
 * A browser may resolve `localhost` to either loopback address, so both are bound: otherwise another program could receive
 * the response on the other one. Without IPv6 there is only one.
 */
async function openAll(hostname: string, port: number, tries = TRIES): Promise<[Server, ...Server[]]> {
  const first = await open('127.0.0.1', port);
  if (hostname !== 'localhost') return [first];
  try {
    return [first, await open('::1', portOf(first))];
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') return [first];
    first.close();
    if (port !== 0 || tries === 1) throw error;
    return openAll(hostname, port, tries - 1);
  }
}

function open(host: string, port: number): Promise<Server> {
  const server = createServer({
    keepAlive: false,
    headersTimeout: SLOWEST,
    requestTimeout: SLOWEST,
    connectionsCheckingInterval: 1_000,
  });
  server.maxConnections = MOST_CONNECTIONS;
  // The limits above begin with the first byte.
  server.on('connection', (socket) => socket.setTimeout(SLOWEST, () => socket.destroy()));
  return new Promise((resolve, reject) => {
    // Also after it listens: connections that can't be accepted, and that nobody can do anything about.
    server.on('error', reject);
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

function systemCodeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function send(response: ServerResponse, page: BrowserPage): void {
  if (response.headersSent) return;
  response.writeHead(200, { ...PAGE_HEADERS, Connection: 'close' }).end(pageOf(page));
}

/** A page for the browser: one sentence, no script, no external resources. */
export interface BrowserPage {
  title: string;
  text: string;
}

export const SIGNED_IN: BrowserPage = {
  title: 'You are signed in',
  text: 'You can close this tab and go back to Tokenkeep.',
};

/** The response to a request that does not belong to the current sign-in, which keeps waiting. */
const ANOTHER_SIGN_IN = notSignedIn(
  'This page does not belong to the sign-in that Tokenkeep is waiting for, so nothing was taken from it.',
);

export function notSignedIn(reason: string): BrowserPage {
  return { title: 'Sign-in failed', text: `${reason} You can close this tab.` };
}

const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  'Cache-Control': 'no-store',
  // The URL of this page contains the code. It is useless without the verifier, but should not reach other sites.
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

function pageOf({ title, text }: BrowserPage): string {
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
