/** Where the browser brings the answer of a sign-in: a server on this computer for one request. RFC 8252 §7.3. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { signInError } from './failures.ts';
import { type BrowserPage, PAGE_HEADERS, pageOf } from './page.ts';

export interface Loopback {
  /** With the port that is used now. */
  redirect_uri: string;
  /** The address at which the browser called. */
  called: Promise<URL>;
  /** What the browser shows. */
  answer(page: BrowserPage): void;
  close(): void;
}

/** @param registered the redirect URI as the provider knows it: any free port where it names none. */
export async function listen(registered: string): Promise<Loopback> {
  const { hostname, port, pathname } = new URL(registered);
  const first = await open('127.0.0.1', Number(port)).catch(() => {
    throw signInError('port_taken', { issuer: '', client_id: '', redirect_uri: registered });
  });
  const used = (first.address() as AddressInfo).port;
  // A browser may take `localhost` for the other loopback address. Where that can't be had, the first one serves alone.
  const second = hostname === 'localhost' ? await open('::1', used).catch(() => undefined) : undefined;
  const servers = second === undefined ? [first] : [first, second];

  const origin = `http://${hostname}:${used}`;
  let waiting: ServerResponse | undefined;
  let given: BrowserPage | undefined;
  const called = new Promise<URL>((resolve) => {
    for (const server of servers) {
      server.on('request', (request, response) => {
        const url = URL.parse(request.url ?? '', origin);
        // The Host, too: a page of another name that resolves to this computer has no business here.
        const ours =
          request.method === 'GET' &&
          url?.pathname === pathname &&
          request.headers.host === `${hostname}:${used}`;
        if (!ours || waiting !== undefined) return void response.writeHead(404, PAGE_HEADERS).end();
        waiting = response;
        resolve(url);
        if (given !== undefined) send(response, given);
      });
    }
  });
  return {
    redirect_uri: `${origin}${pathname}`,
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

function open(host: string, port: number): Promise<Server> {
  const server = createServer({ keepAlive: false });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

function send(response: ServerResponse, page: BrowserPage): void {
  if (response.headersSent) return;
  response.writeHead(200, { ...PAGE_HEADERS, Connection: 'close' }).end(pageOf(page));
}
