/** A small API that requires an access token issued for it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';

export interface ApiOptions {
  issuer: string;
  audience: string;
  scope: string;
  port?: number;
  fetch?: typeof fetch;
}

/** Returns the caller and their orders. Refusals follow RFC 6750, and the checks of the token RFC 9068. */
export async function startApi({ issuer, audience, scope, port = 0, fetch: own }: ApiOptions) {
  const keys = createRemoteJWKSet(
    new URL(`${issuer}/jwks`),
    own === undefined ? {} : { [customFetch]: (url, options) => own(url, options) },
  );
  const server = createServer((request, response) => {
    void (async () => {
      const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
      const refuse = (status: number, error: string): void => {
        response.writeHead(status, { 'www-authenticate': `Bearer error="${error}"` }).end();
      };
      if (token === undefined) {
        refuse(401, 'invalid_request');
        return;
      }
      const verified = await jwtVerify(token, keys, { issuer, audience }).catch(() => undefined);
      if (verified === undefined) {
        refuse(401, 'invalid_token');
        return;
      }
      const { payload } = verified;
      if (!String(payload['scope']).split(' ').includes(scope)) {
        refuse(403, 'insufficient_scope');
        return;
      }
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ user: payload.sub, token_id: payload.jti, orders: ['books', 'tea'] }));
    })();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
