/** A stand-in for Entra on loopback, for `@azure/identity`: device codes and refresh tokens, which it takes once. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeIdentity } from '../../examples/provider/certificate.ts';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';
import { base64url, jwt } from '../cache/events.ts';

export const TENANT = '9bc3ab49-b65d-410a-85ad-de819febfddd';
const OID = '34b70d68-17b0-4b54-b2dd-8f85ebc9d624';

export interface Entra {
  authorityHost: string;
  /** The certificate authority, PEM. */
  ca: string;
  /** For the options of a credential: sends its requests here. */
  httpClient: { sendRequest(request: PipelineRequest): Promise<unknown> };
  /** How often each grant was redeemed; `reused`: a refresh token that had been used. */
  counts: { device: number; refreshed: number; reused: number };
  stop(): Promise<void>;
}

interface PipelineRequest {
  url: string;
  method: string;
  headers: Iterable<[string, string]>;
  body?: unknown;
}

export async function startEntra(): Promise<Entra> {
  const identity = await makeIdentity();
  const counts = { device: 0, refreshed: 0, reused: 0 };
  const live = new Set<string>();
  let issued = 0;
  const tokens = (form: URLSearchParams, origin: string) => {
    issued += 1;
    const isCae = (form.get('claims') ?? '').includes('xms_cc');
    const id = {
      aud: form.get('client_id'),
      iss: `${origin}/${TENANT}/v2.0`,
      oid: OID,
      sub: OID,
      tid: TENANT,
    };
    const now = Math.floor(Date.now() / 1000);
    live.add(`rt-${issued}`);
    return {
      token_type: 'Bearer',
      scope: form.get('scope'),
      expires_in: 3600,
      access_token: jwt({ n: issued, ...(isCae ? { xms_cc: ['cp1'] } : {}) }),
      refresh_token: `rt-${issued}`,
      id_token: jwt({ ...id, iat: now, exp: now + 3600, preferred_username: 'ada@contoso.example' }),
      client_info: base64url({ uid: OID, utid: TENANT }),
    };
  };
  const server = createServer({ cert: identity.cert, key: identity.key }, (request, response) => {
    const origin = `https://${request.headers.host}`;
    const answer = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    let text = '';
    request.on('data', (part: Buffer) => {
      text += part.toString();
    });
    request.on('end', () => {
      const form = new URLSearchParams(text);
      const path = request.url ?? '';
      if (path.includes('openid-configuration')) {
        const base = `${origin}/${TENANT}/oauth2/v2.0`;
        answer(200, {
          issuer: `${origin}/${TENANT}/v2.0`,
          authorization_endpoint: `${base}/authorize`,
          token_endpoint: `${base}/token`,
          device_authorization_endpoint: `${base}/devicecode`,
          jwks_uri: `${base}/keys`,
        });
        return;
      }
      if (path.includes('/devicecode')) {
        const code = {
          device_code: 'dc',
          user_code: 'ABCD',
          verification_uri: origin,
          message: 'Enter ABCD',
        };
        answer(200, { ...code, expires_in: 900, interval: 1 });
        return;
      }
      if (form.get('grant_type') !== 'refresh_token') {
        counts.device += 1;
        answer(200, tokens(form, origin));
        return;
      }
      if (!live.delete(form.get('refresh_token') ?? '')) {
        counts.reused += 1;
        answer(400, { error: 'invalid_grant', error_description: 'AADSTS70000: used before' });
        return;
      }
      counts.refreshed += 1;
      answer(200, tokens(form, origin));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const send = trustingFetch(identity.ca);
  return {
    authorityHost: `https://localhost:${(server.address() as AddressInfo).port}`,
    ca: identity.ca,
    counts,
    httpClient: {
      async sendRequest(request) {
        const headers = Object.fromEntries(request.headers);
        const body = typeof request.body === 'string' ? { body: request.body } : {};
        const answer = await send(request.url, { method: request.method, headers, ...body });
        return {
          request,
          status: answer.status,
          // The class is of a package that only @azure/identity depends on.
          headers: Reflect.construct(request.headers.constructor, [
            Object.fromEntries(answer.headers),
          ]) as object,
          bodyAsText: await answer.text(),
        };
      },
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
