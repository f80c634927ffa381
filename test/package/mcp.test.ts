/** The program of docs/mcp.md, from the packed package: it signs in at a real MCP server, and is still signed in after a restart. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { browser } from '../../examples/provider/browser.ts';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';
import { codeOf } from '../docs/page.ts';
import { type RunningMcpServer, startMcpServer } from '../mcp/server.ts';
import { freePort } from '../support/servers/server.ts';
import { installPacked, linesOf, link, type Stranger } from './stranger.ts';

vi.setConfig({ testTimeout: 120_000 });

const CONNECT = 'await client.connect(new StreamableHTTPClientTransport(server, { authProvider }));';

let packed: Stranger;
let server: RunningMcpServer;
beforeAll(async () => {
  packed = installPacked();
  link(packed, '@modelcontextprotocol/sdk');
  server = await startMcpServer();
  writeFileSync(join(packed.folder, 'ca.pem'), server.provider.ca);
}, 120_000);
afterAll(async () => {
  await server.stop();
  packed.remove();
});

/** The page's program, with this machine's values in place of the reader's names, and the redirect from the browser. */
async function program(home: string): Promise<string> {
  const port = await freePort();
  const names: Readonly<Record<string, string>> = {
    'https://mcp.example/mcp': server.url,
    '/home/ada': home,
    "name: 'my-agent' })": `name: 'my-agent', keychain: keyFile('${home}/key') })`,
    'http://127.0.0.1:8976/callback': `http://127.0.0.1:${port}/callback`,
    "client_name: 'My agent',": "client_name: 'My agent', application_type: 'native',",
    [CONNECT]: `const connect = async () => {
      const transport = new StreamableHTTPClientTransport(server, { authProvider });
      await client.connect(transport).catch((error) => { throw Object.assign(error, { transport }); });
    };
    const listener = createServer();
    await new Promise((resolve) => listener.listen(${port}, '127.0.0.1', resolve));
    const back = new Promise((resolve) => listener.once('request', (request, response) => {
      response.setHeader('connection', 'close').end('Back in the agent');
      resolve(new URL(request.url, server));
    }));
    await connect().catch(async (error) => {
      if (error.constructor.name !== 'UnauthorizedError') throw error;
      await finish(error.transport, authProvider, await back);
      await connect();
    });
    const { content } = await client.callTool({ name: 'orders', arguments: {} });
    console.log(content[0].text);
    listener.close();
    await client.close();
    await vault.close();`,
  };
  let text = codeOf('docs/mcp.md')
    .map(({ code }) => code)
    .join('\n')
    .replace("import type { McpOAuthProvider } from 'tokenkeep/mcp';", '')
    // Each block of the page has its own imports.
    .replace(/(import \{ StreamableHTTPClientTransport \}.*\n)([^]*)\1/, '$1$2');
  for (const [there, mine] of Object.entries(names)) {
    expect([there, text.includes(there)]).toEqual([there, true]);
    text = text.replaceAll(there, mine);
  }
  const imports =
    "import { createServer } from 'node:http';\nimport { keyFile } from 'tokenkeep/keychain';\n";
  return (await transform(`${imports}${text}`, { loader: 'ts' })).code;
}

it('signs in, calls a tool, and calls it after a restart', async () => {
  const home = mkdtempSync(join(packed.folder, 'home-'));
  const file = join(packed.folder, 'agent.mjs');
  writeFileSync(file, await program(home));
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(packed.folder, 'ca.pem') };
  const start = (): Promise<string[]> =>
    linesOf(process.execPath, [file], { cwd: packed.folder, env }, (line) => {
      const [, url] = /^Open (.*)/.exec(line) ?? [];
      if (url !== undefined) void browser(trustingFetch(server.provider.ca)).visit(url, { user: 'noor' });
    });
  expect(await start()).toEqual([expect.stringMatching(/^Open https:/), 'order 1']);
  expect(await start()).toEqual(['order 1']);
  expect(server.provider.events.count('signed-in')).toBe(1);
  expect(readFileSync(join(home, '.my-agent', 'accounts.vault')).includes('orders.read')).toBe(false);
});
