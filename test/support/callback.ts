import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A stand-in for an app's loopback listener: accepts one request and returns its address. */
export async function callback(): Promise<{ uri: string; called: Promise<URL> }> {
  let uri = '';
  const server = createServer();
  const called = new Promise<URL>((resolve) => {
    server.once('request', (request, response) => {
      response.setHeader('connection', 'close').end('<title>Back in the app</title>');
      server.close();
      resolve(new URL(request.url ?? '', uri));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { uri, called };
}
