/** A provider that answers as told, including what a real one would never answer. */
import { generateKeyPairSync, sign as signData } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface FakeProvider {
  readonly issuer: string;
  /** Forms that the token endpoint received, newest last. */
  readonly asked: URLSearchParams[];
  /** Forms that the revocation endpoint received, newest last. It answers with `revocationStatus`. */
  readonly revoked: URLSearchParams[];
  revocationStatus: number | ((token: string) => number);
  /** Changes the claims of ID tokens, or the whole answer of the token endpoint. */
  claims: Record<string, unknown>;
  /** Fields added to the usual answer of the token endpoint. */
  fields: Record<string, unknown>;
  /** Changes the header of signed tokens. */
  header: Record<string, unknown>;
  /** Changes the text of the claims before it is signed. */
  payload: (json: string) => string;
  answer: ((form: URLSearchParams) => Record<string, unknown> | undefined) | undefined;
  /** Answers a path with this text instead, whatever its type; undefined: as usual. */
  raw: ((path: string) => { readonly status: number; readonly text: string } | undefined) | undefined;
  /** Lifetime of access tokens, in seconds. */
  lifetime: number;
  /** Changes the discovery document. */
  metadata: Record<string, unknown>;
  logoutToken(claims: Record<string, unknown>): string;
  /** The authorization requests, by code. */
  readonly begun: Map<string, { readonly nonce: string; readonly scope: string }>;
  close(): Promise<void>;
}

export async function startFakeProvider(clientId: string): Promise<FakeProvider> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' };
  const base64url = (text: string): string => Buffer.from(text).toString('base64url');
  // Not by a JWT library, which refuses to sign some headers.
  const sign = (claims: Record<string, unknown>, typ = 'JWT'): string => {
    const header = JSON.stringify({ alg: 'ES256', kid: 'k1', typ, ...fake.header });
    const data = `${base64url(header)}.${base64url(fake.payload(JSON.stringify(claims)))}`;
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
    return `${data}.${signData('sha256', Buffer.from(data), key).toString('base64url')}`;
  };
  let count = 0;
  const tokens = (form: URLSearchParams): Record<string, unknown> => {
    const own = fake.answer?.(form);
    if (own !== undefined) return own;
    const now = Math.floor(Date.now() / 1000);
    const code = form.get('code') ?? '';
    const sub = code.split(' ')[0] === '' ? 'ada' : (code.split(' ')[0] ?? 'ada');
    const claims = {
      iss: fake.issuer,
      aud: clientId,
      sub,
      preferred_username: sub,
      iat: now,
      exp: now + 300,
    };
    count += 1;
    return {
      token_type: 'Bearer',
      expires_in: fake.lifetime,
      scope: form.get('scope') ?? fake.begun.get(code)?.scope,
      access_token: `access ${count}`,
      refresh_token: `refresh ${count}`,
      id_token: sign({ ...claims, nonce: fake.begun.get(code)?.nonce, ...fake.claims }),
      ...fake.fields,
    };
  };
  const formOf = async (request: IncomingMessage): Promise<URLSearchParams> => {
    const form = new URLSearchParams(await text(request));
    form.set('authorization', request.headers.authorization ?? '');
    return form;
  };
  const server = createServer((request, response) => {
    void (async () => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      const send = (body: object, status = 200): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      };
      const raw = fake.raw?.(pathname);
      if (raw !== undefined) response.writeHead(raw.status, { 'content-type': 'text/html' }).end(raw.text);
      else if (pathname === '/.well-known/openid-configuration') {
        send({
          issuer: fake.issuer,
          authorization_endpoint: `${fake.issuer}/authorize`,
          token_endpoint: `${fake.issuer}/token`,
          jwks_uri: `${fake.issuer}/jwks`,
          end_session_endpoint: `${fake.issuer}/end`,
          revocation_endpoint: `${fake.issuer}/revoke`,
          ...fake.metadata,
        });
      } else if (pathname === '/jwks') send({ keys: [jwk] });
      else if (pathname === '/token') {
        const form = await formOf(request);
        fake.asked.push(form);
        const body = tokens(form);
        send(body, body['error'] === undefined ? 200 : 400);
      } else if (pathname === '/revoke') {
        const form = await formOf(request);
        fake.revoked.push(form);
        const { revocationStatus: status } = fake;
        response.writeHead(typeof status === 'number' ? status : status(form.get('token') ?? '')).end();
      } else send({}, 404);
    })();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const fake: FakeProvider = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    revoked: [],
    revocationStatus: 200,
    claims: {},
    fields: {},
    answer: undefined,
    raw: undefined,
    lifetime: 3600,
    header: {},
    payload: (json) => json,
    metadata: {},
    begun: new Map(),
    logoutToken: (claims) => {
      const now = Math.floor(Date.now() / 1000);
      const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
      const all = {
        iss: fake.issuer,
        aud: clientId,
        iat: now,
        exp: now + 60,
        jti: String(now + count++),
        events,
      };
      return sign({ ...all, ...claims }, 'logout+jwt');
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
}
