// Runs in its own processes: requests a token on command, and prints which one it got. See refreshers.ts.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import type * as msal7 from 'msal-node-7';
import { acquireTokenSilent } from '../../../src-main/cache/acquire.ts';
import type { CacheHandle } from '../../../src-main/index.ts';
import { acquireToken, msalCachePlugin } from '../../../src-main/msal/index.ts';
import { perRequest } from '../../../src-main/partitions/index.ts';
import type { By } from './by.ts';
import { open, type Place } from './places.ts';

const { place, issuer, by, skew } = JSON.parse(process.argv[2] ?? '') as {
  place: Place;
  issuer: string;
  by: By;
  skew: number;
};
const opened = await open(place);
const client_id = 'desktop-app';
const scopes = ['orders.read'];
let hangs = false;

/** Sends a token request. If told to hang, the request never arrives, as without a network. */
async function send(url: string, body: string): Promise<{ status: number; body: Record<string, unknown> }> {
  if (hangs) {
    process.stdout.write('holding\n');
    await new Promise(() => undefined);
  }
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const response = await fetch(url, { method: 'POST', headers, body });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function throughOurOwn(handle: CacheHandle): Promise<string> {
  const [account] = await handle.read((cache) => cache.accounts());
  const { home_account_id, environment } = account!;
  const request = { client_id, home_account_id, environment, scopes };
  const token_endpoint = `${issuer}/token`;
  const redeem = async ({ secret }: { secret: string }) => {
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id, refresh_token: secret });
    const { status, body } = await send(token_endpoint, form.toString());
    if (status !== 200) throw new Error(String(body['error']));
    return { token_endpoint, response: body };
  };
  const now = (): number => Date.now() / 1000 + skew;
  return (await acquireTokenSilent(handle, request, redeem, now)).secret;
}

function client(handle: CacheHandle): msal7.PublicClientApplication {
  const { PublicClientApplication, ProtocolMode } = createRequire(import.meta.url)(by) as typeof msal7;
  const auth = {
    clientId: client_id,
    authority: issuer,
    knownAuthorities: [new URL(issuer).host],
    protocolMode: ProtocolMode.OIDC, // the setting's place in majors 2 and 3
  };
  return new PublicClientApplication({
    auth,
    cache: { cachePlugin: msalCachePlugin(handle) },
    system: {
      protocolMode: ProtocolMode.OIDC,
      networkClient: {
        sendGetRequestAsync: async (url: string) => {
          const response = await fetch(url);
          return { headers: {}, status: response.status, body: await response.json() };
        },
        sendPostRequestAsync: async (url: string, options?: { body?: string }) => ({
          headers: {},
          ...(await send(url, options?.body ?? '')),
        }),
      } as never,
    },
  });
}

async function throughMsal(handle: CacheHandle, application: msal7.PublicClientApplication): Promise<string> {
  const [account] = await application.getTokenCache().getAllAccounts();
  const result = await acquireToken(handle, application, client_id, { account: account!, scopes });
  return result.accessToken;
}

/** A vault's client lives as long as the program, a partition's as long as the request. */
const requests = perRequest({ client });
const own = by === 'callback' || opened.partition !== undefined ? undefined : client(opened.handle);

async function token(): Promise<string> {
  if (by === 'callback') return throughOurOwn(opened.handle);
  if (own !== undefined) return throughMsal(opened.handle, own);
  return requests.run(opened.partition!, () => throughMsal(requests.partition, requests.client));
}

process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'end') break;
  hangs = line === 'hang';
  try {
    process.stdout.write(`token ${await token()}\n`);
  } catch (error) {
    process.stdout.write(`error ${String(error)}\n`);
  }
}
await opened.close();
process.exit(0);
