/** A real MCP server whose authorization server is the example provider: registration, resource indicators, rotation, short lifetimes. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import express from 'express';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import {
  type ProviderOptions,
  type RunningProvider,
  startProvider,
} from '../../examples/provider/provider.ts';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';

export interface RunningMcpServer {
  /** The server's URL, which is the resource that its tokens are for. */
  url: string;
  provider: RunningProvider;
  /** Trusts the provider's certificate, and accepts `data:` URLs as the global fetch does. */
  fetch: typeof fetch;
  /** The number of requests answered with 401. */
  refused: number;
  /** Access tokens that the server refuses before they expire. */
  revoked: Set<string>;
  stop(): Promise<void>;
}

export async function startMcpServer(options: ProviderOptions = {}): Promise<RunningMcpServer> {
  const provider = await startProvider({ registration: true, ...options });
  const trusting = trustingFetch(provider.ca);
  const jwks = (await (await trusting(`${provider.issuer}/jwks`)).json()) as JSONWebKeySet;
  const keys = createLocalJWKSet(jwks);
  const app = express();
  const server = await new Promise<Server>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `${origin}/mcp`;
  const revoked = new Set<string>();
  const running: RunningMcpServer = {
    url,
    provider,
    fetch: (input, init) =>
      (input instanceof Request ? input.url : String(input)).startsWith('https:')
        ? trusting(input, init)
        : fetch(input, init),
    refused: 0,
    revoked,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await provider.stop();
    },
  };
  app.get('/.well-known/oauth-protected-resource/mcp', (_request, response) => {
    response.json({
      resource: url,
      authorization_servers: [provider.issuer],
      scopes_supported: ['orders.read'],
    });
  });
  app.use((_request, response, next) => {
    response.on('finish', () => {
      if (response.statusCode === 401) running.refused += 1;
    });
    next();
  });
  const verifyAccessToken = async (token: string) => {
    if (revoked.has(token)) throw new InvalidTokenError('revoked');
    const { payload } = await jwtVerify(token, keys, { issuer: provider.issuer, audience: url }).catch(() => {
      throw new InvalidTokenError('not for this server, or expired');
    });
    const clientId = String(payload['client_id']);
    return { token, clientId, scopes: String(payload['scope']).split(' '), expiresAt: payload.exp! };
  };
  const resourceMetadataUrl = `${origin}/.well-known/oauth-protected-resource/mcp`;
  const guard = requireBearerAuth({
    verifier: { verifyAccessToken },
    requiredScopes: ['orders.read'],
    resourceMetadataUrl,
  });
  app.post('/mcp', guard, express.json(), async (request, response) => {
    const mcp = new McpServer({ name: 'orders', version: '1' });
    mcp.registerTool('orders', { description: 'Lists orders' }, () => ({
      content: [{ type: 'text', text: 'order 1' }],
    }));
    const transport = new StreamableHTTPServerTransport({});
    response.on('close', () => void transport.close());
    await mcp.connect(transport);
    await transport.handleRequest(request, response, request.body);
  });
  app.all('/mcp', guard, (_request, response) => void response.status(405).end());
  return running;
}
