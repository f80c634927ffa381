import { auth } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { CacheHandle } from '../../src-main/index.ts';
import { mcpOAuthProvider, type McpOAuthOptions } from '../../src-main/oauth/mcp/index.ts';
import { browser } from '../support/browser.ts';
import { callback } from '../support/callback.ts';
import type { RunningMcpServer } from './server.ts';

const METADATA = {
  client_name: 'My agent',
  application_type: 'native',
  redirect_uris: ['http://127.0.0.1/'],
  grant_types: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_method: 'none',
};

export interface Agent {
  provider: ReturnType<typeof providerOf>;
  /** The authorization pages that the SDK opened. */
  opened: URL[];
  /** Why it opened each page. */
  reasons: (string | null)[];
}

function providerOf(
  handle: CacheHandle,
  server: Pick<RunningMcpServer, 'url'>,
  options: Partial<McpOAuthOptions<typeof METADATA>>,
  { opened, reasons }: Omit<Agent, 'provider'>,
) {
  return mcpOAuthProvider(handle, {
    server: server.url,
    clientMetadata: METADATA,
    redirect: (url, reason) => {
      opened.push(url);
      reasons.push(reason);
    },
    ...options,
  });
}

/** A client of the MCP server that stores its sign-in through this handle. */
export function agent(
  handle: CacheHandle,
  server: Pick<RunningMcpServer, 'url'> & Partial<RunningMcpServer>,
  options: Partial<McpOAuthOptions<typeof METADATA>> = {},
): Agent {
  const told: Omit<Agent, 'provider'> = { opened: [], reasons: [] };
  const own = server.fetch === undefined ? {} : { fetch: server.fetch };
  return { provider: providerOf(handle, server, { ...own, ...options }, told), ...told };
}

/** Signs a user in, in a browser, as an agent does. */
export async function signIn(
  { provider, opened }: Agent,
  server: RunningMcpServer,
  user = 'noor',
): Promise<void> {
  const fetchFn = server.fetch;
  const back = await callback();
  Object.defineProperty(provider, 'redirectUrl', { get: () => back.uri, configurable: true });
  const began = await auth(provider, { serverUrl: server.url, fetchFn });
  if (began !== 'REDIRECT') throw new Error(`The sign-in began with ${began}.`);
  const [, returned] = await Promise.all([
    browser(fetchFn).visit(opened.at(-1)!.href, { user }),
    back.called,
  ]);
  const { searchParams } = returned;
  if (!(await provider.hasState(searchParams.get('state') ?? '')))
    throw new Error('Another state came back.');
  const ended = await auth(provider, {
    serverUrl: server.url,
    authorizationCode: searchParams.get('code') ?? '',
    fetchFn,
  });
  if (ended !== 'AUTHORIZED') throw new Error(`The sign-in ended with ${ended}.`);
}

/** Calls the server's tool with the SDK's own client. */
export async function call(
  { provider }: Agent,
  server: Pick<RunningMcpServer, 'url'> & Partial<RunningMcpServer>,
): Promise<string> {
  const client = new Client({ name: 'agent', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(server.url), {
    authProvider: provider,
    ...(server.fetch === undefined ? {} : { fetch: server.fetch }),
  });
  try {
    await client.connect(transport);
    const result = await client.callTool({ name: 'orders' });
    return JSON.stringify(result.content);
  } finally {
    await client.close();
  }
}
