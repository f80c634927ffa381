/** Where the browser brings the answer of a sign-in: a server on this computer for one request. RFC 8252 §7.3. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import { signInError } from './failures.ts';
import { ANOTHER_SIGN_IN, type BrowserPage, PAGE_HEADERS, pageOf } from './page.ts';

export interface Loopback {
  /** With the port that is used now. */
  redirect_uri: string;
  /** The address at which the browser called. */
  called: Promise<URL>;
  /** What the browser shows. */
  answer(page: BrowserPage): void;
  close(): void;
}

/**
 * Anybody on this computer can call: other users' programs, and any page in the browser that tries the ports. So a call
 * without this sign-in's own state is answered and forgotten; it can't take the place of the one that is waited for.
 *
 * @param registered the redirect URI as the provider knows it: any free port where it names none.
 */
export async function listen(registered: string, state: string): Promise<Loopback> {
  const { hostname, port, pathname } = new URL(registered);
  const servers = await openAll(hostname, Number(port)).catch(() => {
    throw signInError('port_taken', { issuer: '', client_id: '', redirect_uri: registered });
  });

  const host = `${hostname}:${portOf(servers[0])}`;
  let waiting: ServerResponse | undefined;
  let given: BrowserPage | undefined;
  const called = new Promise<URL>((resolve) => {
    for (const server of servers) {
      server.on('request', (request, response) => {
        const url = URL.parse(request.url ?? '', `http://${host}`);
        // The Host, too: a page of another name that resolves to this computer has no business here.
        const ours = request.method === 'GET' && url?.pathname === pathname && request.headers.host === host;
        if (!ours || waiting !== undefined) response.writeHead(404, PAGE_HEADERS).end();
        else if (url.searchParams.get('state') !== state) send(response, ANOTHER_SIGN_IN);
        else {
          waiting = response;
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
        // What was answered is let out; a browser that keeps its connection is not waited for.
        server.closeIdleConnections();
      }
    },
  };
}

/** Free ports that are tried where only one of the two addresses is free on the first. */
const TRIES = 5;

/**
 * A browser may take `localhost` for either loopback address, so both are held: on the one that is left, another program
 * could be brought the answer. Where there is no IPv6, nobody can be.
 */
async function openAll(hostname: string, port: number, tries = TRIES): Promise<[Server, ...Server[]]> {
  const first = await open('127.0.0.1', port);
  if (hostname !== 'localhost') return [first];
  try {
    return [first, await open('::1', portOf(first))];
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') return [first];
    first.close();
    if (port !== 0 || tries === 1) throw error;
    return openAll(hostname, port, tries - 1);
  }
}

function open(host: string, port: number): Promise<Server> {
  const server = createServer({ keepAlive: false });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function send(response: ServerResponse, page: BrowserPage): void {
  if (response.headersSent) return;
  response.writeHead(200, { ...PAGE_HEADERS, Connection: 'close' }).end(pageOf(page));
}
