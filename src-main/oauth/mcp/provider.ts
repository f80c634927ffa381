/**
 * An `OAuthClientProvider` for `@modelcontextprotocol/sdk` that stores everything in a vault and redeems each refresh token once across all
 * processes.
 */
import { systemClock } from '../../cache/clock.ts';
import type { CacheHandle } from '../../cache/handle.ts';
import { isRecord } from '../../cache/json.ts';
import { sameIssuer } from '../../cache/schema/authorities.ts';
import { type GrantError, InvalidArgumentError, SignInRequiredError } from '../../errors.ts';
import { checkOptions, TEXT } from '../../options.ts';
import { type Grant, type JsonObject, type KeptGrant, mismatchIn, type TokenResponse } from '../grant.ts';
import { Grants, type RefreshGrant } from '../grants.ts';
import { authenticate, type McpClientInformation } from './client-authentication.ts';

/** Tokens as the SDK passes them, with `issuer`, the authorization server that issued them. */
export interface McpTokens {
  access_token: string;
  token_type: string;
  id_token?: string | undefined;
  expires_in?: number | undefined;
  scope?: string | undefined;
  refresh_token?: string | undefined;
  issuer?: string | undefined;
}

/** The SDK's discovery result for a server and its authorization server. */
export interface McpDiscoveryState {
  authorizationServerUrl: string;
  [field: string]: unknown;
}

/** The data that the SDK asks a provider to forget. */
export type McpCredentials = 'all' | 'client' | 'tokens' | 'verifier' | 'discovery';

/** The metadata with which a client registers (RFC 7591 §2). */
export interface McpClientMetadata {
  redirect_uris: string[];
  client_name?: string | undefined;
}

/** Options of `mcpOAuthProvider`. */
export interface McpOAuthOptions<Metadata extends McpClientMetadata = McpClientMetadata> {
  /** The URL of the MCP server. Lists of accounts show it: it must not contain a password, nor a secret in its query. */
  server: string | URL;
  /** The metadata with which the client registers. */
  clientMetadata: Metadata;
  /**
   * Opens the authorization page in the user's browser.
   *
   * @param reason why the user has to sign in again: the error code of the authorization server, such as `invalid_grant`; null at a first
   *   sign-in, or if there was no code
   */
  redirect: (authorizationUrl: URL, reason: string | null) => void | Promise<void>;
  /** Where the browser returns to. Default: the first of `redirect_uris`. */
  redirectUrl?: string | URL;
  /** Tells several sign-ins at one server apart. Default: "default". */
  label?: string;
  /** The client that the sign-ins are filed under. Programs of the same name share them. Default: `client_name`, else "mcp-client". */
  client?: string;
  /** A client that was registered by hand. Name its authorization server in `issuer`. Default: the client registers itself. */
  clientInformation?: McpClientInformation;
  /** The URL of a client ID metadata document, for servers that support it. */
  clientMetadataUrl?: string;
  /** Sends the token requests of refreshes. Default: the global `fetch`. */
  fetch?: typeof fetch;
}

/** A sign-in in progress. Several processes may each have one. */
interface Flight {
  readonly state: string;
  readonly verifier: string;
  readonly at: number;
  readonly client?: McpClientInformation;
}

/** The prefix of a mark. No access token has it, because tokens contain no spaces (RFC 6750 §2.1). */
const MARK = 'kept by Tokenkeep ';

/** How many sign-ins in progress are remembered, and for how many seconds. */
const MOST_FLIGHTS = 8;
const FLIGHT_LIFETIME = 3600;

/**
 * Creates an `OAuthClientProvider` for a transport of `@modelcontextprotocol/sdk`. Tokens, the client's registration, verifiers and the
 * discovery state are kept in the vault. Several processes may use one server at once: an expired token is refreshed by one of them, before
 * a request is sent, and the others use what it got.
 *
 * @param handle a vault, a partition, or a cache in memory
 * @throws InvalidArgumentError
 * @example
 * import { openVault } from 'tokenkeep';
 * import { mcpOAuthProvider } from 'tokenkeep/mcp';
 *
 * const vault = await openVault({ file: '/home/ada/.config/my-app/accounts.vault' });
 * const authProvider = mcpOAuthProvider(vault, {
 *   server: 'https://mcp.example/mcp',
 *   clientMetadata: { client_name: 'My agent', redirect_uris: ['http://127.0.0.1:8976/callback'] },
 *   redirect: (url) => console.log(`Open ${url.href}`),
 * });
 */
export function mcpOAuthProvider<Metadata extends McpClientMetadata>(
  handle: CacheHandle,
  options: McpOAuthOptions<Metadata>,
): McpOAuthProvider<Metadata> {
  return new McpOAuthProvider(handle, options);
}

/**
 * The provider; see `mcpOAuthProvider`. Fits `authProvider` of the SDK's transports.
 *
 * [Note: the SDK's sequence] `auth()` calls `discoveryState`, `clientInformation` and `tokens`, then `addClientAuthentication` just before
 * it sends the refresh token, then `saveTokens`. It has no hook for a lock, and sends the token that it read even if another process has
 * redeemed it since. So this provider redeems by itself, in its turn, inside `addClientAuthentication`, and has the SDK read the answer
 * from a `data:` URL in place of the token endpoint. That answer holds a mark, no token: `saveTokens` recognizes it, since everything is
 * kept by then.
 *
 * @example
 * import type { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
 * import type { McpOAuthProvider } from 'tokenkeep/mcp';
 *
 * async function finish(transport: StreamableHTTPClientTransport, provider: McpOAuthProvider, back: URL): Promise<void> {
 *   const [state, code] = [back.searchParams.get('state'), back.searchParams.get('code')];
 *   if (state === null || code === null || !(await provider.hasState(state))) throw new Error('Another sign-in.');
 *   await transport.finishAuth(code);
 * }
 */
export class McpOAuthProvider<Metadata extends McpClientMetadata = McpClientMetadata> {
  readonly #grants: Grants;
  readonly #label: string;
  readonly #options: McpOAuthOptions<Metadata>;
  /** The state of the sign-in that this instance began, or that `hasState` found. */
  #state: string | undefined;
  /** The client that this instance registered for its sign-in. */
  #client: McpClientInformation | undefined;
  /** The access token that was handed out last. */
  #handedOut: string | undefined;
  /** What `#handedOut` was when `auth()` began: the token that a server has refused. Absent where this SDK doesn't say when it begins. */
  #began: { readonly refused: string | undefined } | undefined;
  #refreshToken: string | undefined;
  /** The token endpoint that this instance's code is sent to. */
  #tokenEndpoint: string | undefined;
  /** The marks in answers that the SDK has not passed to `saveTokens` yet. */
  readonly #marks = new Set<string>();
  /** The error of a failed refresh, unless only a new sign-in helps. */
  #failure: Error | undefined;
  /** Why only a new sign-in helps: the error code. */
  #reason: string | null = null;

  /** The URL of the client ID metadata document. */
  readonly clientMetadataUrl?: string;
  /** Keeps the client's registration. Absent where the client was registered by hand. */
  readonly saveClientInformation?: (information: McpClientInformation) => Promise<void>;

  /** @internal */
  constructor(handle: CacheHandle, options: McpOAuthOptions<Metadata>) {
    checkOptions<McpOAuthOptions<Metadata>>('mcpOAuthProvider', options, {
      server: true,
      clientMetadata: true,
      redirect: true,
      redirectUrl: true,
      label: TEXT,
      client: true,
      clientInformation: true,
      clientMetadataUrl: true,
      fetch: true,
    });
    const {
      server,
      clientMetadata,
      client = clientMetadata.client_name ?? 'mcp-client',
      label = 'default',
    } = options;
    if (typeof options.redirect !== 'function')
      throw new InvalidArgumentError('`redirect` is not a function.', { field: 'redirect' });
    if (!URL.canParse(String(server)))
      throw new InvalidArgumentError('`server` is not the URL of an MCP server.', { field: 'server' });
    const { username, password } = new URL(server);
    if (username !== '' || password !== '')
      throw new InvalidArgumentError(
        '`server` contains a user name or password. Lists of accounts show this URL, so leave them out.',
        { field: 'server' },
      );
    this.#grants = new Grants(handle, { issuer: new URL(server).href, client_id: client }, true);
    this.#label = label;
    this.#options = options;
    if (options.clientMetadataUrl !== undefined) this.clientMetadataUrl = options.clientMetadataUrl;
    if (options.clientInformation === undefined)
      this.saveClientInformation = (information) => this.#saveClient(information);
  }

  /** Where the browser returns to. */
  get redirectUrl(): string | URL {
    return this.#options.redirectUrl ?? this.#options.clientMetadata.redirect_uris[0] ?? '';
  }

  /** The metadata with which the client registers. */
  get clientMetadata(): Metadata {
    return this.#options.clientMetadata;
  }

  /** Returns a new `state` for an authorization request. Compare it with `hasState` when the browser returns. */
  state(): string {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure; // The failure may be temporary, so the user is not asked to sign in.
    if (this.#marks.size > 0) {
      this.#marks.clear();
      throw new Error(
        'The tokens were refreshed and kept, but the transport’s `fetch` can’t open a `data:` URL, by which the MCP SDK is told. Repeat the request, and let `fetch` open such URLs.',
      );
    }
    this.#state = base64url(crypto.getRandomValues(new Uint8Array(32)));
    return this.#state;
  }

  /** Whether a `state` that the browser returned is that of a sign-in in progress, in any process. `auth` then ends that sign-in. */
  async hasState(state: string): Promise<boolean> {
    const found = flightsIn(await this.#grant()).some((flight) => flight.state === state);
    if (found) this.#state = state;
    return found;
  }

  /** Returns the client's registration. */
  async clientInformation(): Promise<McpClientInformation | undefined> {
    if (this.#options.clientInformation !== undefined) return this.#options.clientInformation;
    if (this.#client !== undefined) return this.#client;
    const grant = await this.#grant();
    const flights = flightsIn(grant);
    const own = flights.find((flight) => flight.state === this.#state);
    return own?.client ?? clientIn(grant) ?? flights.at(-1)?.client;
  }

  async #saveClient(information: McpClientInformation): Promise<void> {
    this.#client = information;
    await this.#change((grant) => {
      const before = clientIn(grant);
      // Another process has signed in meanwhile: its tokens belong to its own registration.
      const isTaken =
        grant.tokens !== undefined && before !== undefined && before.issuer === information.issuer;
      return isTaken && before.client_id !== information.client_id
        ? grant
        : { ...grant, client: information };
    });
  }

  /** Returns the tokens as they were saved, refreshed first if the access token is about to expire. */
  async tokens(): Promise<McpTokens | undefined> {
    let grant = await this.#grant();
    const { access_token, refresh_token } = grant?.tokens ?? {};
    if (access_token !== undefined && refresh_token !== undefined && isRecord(grant?.discovery)) {
      // Where that fails, the server refuses the token and the SDK asks for a refresh, which then says why. The grant is read again,
      // because the user may have signed out in the meantime.
      grant = await this.#grants.fresh(this.#label, this.#redeemAt()).catch(() => this.#grant());
    }
    if (grant?.tokens?.access_token === undefined) return undefined;
    const tokens = grant.tokens as McpTokens;
    this.#handedOut = tokens.access_token;
    this.#refreshToken = tokens.refresh_token;
    return { ...tokens };
  }

  /** Keeps the tokens of a sign-in, unchanged. */
  async saveTokens(tokens: McpTokens): Promise<void> {
    if (tokens.access_token.startsWith(MARK)) {
      this.#marks.delete(tokens.access_token);
      return; // Kept already. [Note: the SDK's sequence]
    }
    const [state, tokenEndpoint] = [this.#state, this.#tokenEndpoint];
    await this.#change((grant) => {
      const flights = flightsIn(grant);
      const client = this.#client ?? flights.find((flight) => flight.state === state)?.client;
      const { expires_at: _expires, data: _data, ...rest } = grant;
      return withFlights(
        {
          ...rest,
          tokens: { ...tokens } as TokenResponse,
          data: { tokenEndpoint: tokenEndpoint ?? null }, // also tells that the grant is filed under a server, not under its issuer
          ...(client === undefined ? {} : { client }),
        },
        flights.filter((flight) => flight.state !== state),
      );
    });
    this.#state = undefined;
    this.#client = undefined;
    this.#tokenEndpoint = undefined;
    this.#reason = null;
  }

  /** Opens the authorization page. */
  async redirectToAuthorization(authorizationUrl: URL): Promise<void> {
    await this.#options.redirect(authorizationUrl, this.#reason);
  }

  /** Keeps the PKCE verifier of a sign-in (RFC 7636). */
  async saveCodeVerifier(verifier: string): Promise<void> {
    const state = this.#state ?? this.state();
    const client = this.#client;
    await this.#change((grant) => {
      const at = systemClock();
      const others = flightsIn(grant).filter(
        (flight) => flight.state !== state && flight.at > at - FLIGHT_LIFETIME,
      );
      const own = client ?? clientIn(grant);
      const flight = { state, verifier, at, ...(own === undefined ? {} : { client: own }) };
      return withFlights(grant, [...others, flight].slice(-MOST_FLIGHTS));
    });
  }

  /**
   * Returns the verifier of this instance's sign-in, else of the newest one.
   *
   * @throws SignInRequiredError if no sign-in is in progress
   */
  async codeVerifier(): Promise<string> {
    const flights = flightsIn(await this.#grant());
    const flight = flights.find(({ state }) => state === this.#state) ?? flights.at(-1);
    if (flight !== undefined) return flight.verifier;
    throw new SignInRequiredError('No sign-in at this MCP server is in progress. Begin again.');
  }

  /** Returns the discovery state. */
  async discoveryState(): Promise<McpDiscoveryState | undefined> {
    // `auth()` begins here. What it refreshes is what was handed out before: not what another process got since, or gets while it runs.
    this.#began = { refused: this.#handedOut };
    return (await this.#grant())?.discovery as McpDiscoveryState | undefined;
  }

  /** Keeps the discovery state. */
  async saveDiscoveryState(state: McpDiscoveryState): Promise<void> {
    await this.#change((grant) => ({ ...grant, discovery: { ...state } }));
  }

  /** Forgets what the SDK found to be invalid, unless another process has replaced it since. */
  async invalidateCredentials(scope: McpCredentials): Promise<void> {
    const all = scope === 'all';
    const [sent, client] = [this.#refreshToken, this.#client ?? (await this.clientInformation())];
    this.#client = undefined;
    await this.#change((grant) => {
      const { tokens, data = {}, client: kept, discovery, pending, expires_at: _expires, ...rest } = grant;
      const areNewer = sent !== undefined && tokens?.refresh_token !== sent;
      const isNewer = clientIn(grant)?.client_id !== client?.client_id;
      return {
        ...rest,
        ...(tokens !== undefined && (areNewer || !(all || scope === 'tokens')) ? { tokens, data } : {}),
        ...(kept !== undefined && (isNewer || !(all || scope === 'client')) ? { client: kept } : {}),
        ...(discovery !== undefined && !(all || scope === 'discovery') ? { discovery } : {}),
        ...(pending !== undefined && !(all || scope === 'verifier') ? { pending } : {}),
      };
    });
  }

  /**
   * Authenticates the client at the token endpoint. For a refresh, it redeems the refresh token in this process's turn; see the note above.
   * The SDK calls it without `this`.
   */
  readonly addClientAuthentication = async (
    headers: Headers,
    params: URLSearchParams,
    url: string | URL,
    metadata?: unknown,
  ): Promise<void> => {
    if (params.get('grant_type') !== 'refresh_token') {
      this.#tokenEndpoint = String(url);
      const client = await this.clientInformation();
      if (client !== undefined) authenticate(client, headers, params, metadata);
      return;
    }
    const [presented, resource] = [params.get('refresh_token'), params.get('resource')];
    const rejected = this.#began === undefined ? await this.#tokenOf(presented) : this.#began.refused;
    try {
      await this.#grants.fresh(
        this.#label,
        this.#redeemAt({ endpoint: String(url), resource, metadata }),
        rejected === undefined ? {} : { rejected },
      );
      this.#handedOut = undefined; // No server has refused the new token.
      this.#reason = null;
    } catch (error) {
      if (error instanceof ClientRefusedError) {
        // The SDK sends the request itself, gets the server's refusal, and registers again.
        const client = (await this.#grant())?.client as McpClientInformation | undefined;
        authenticate(client ?? { client_id: '' }, headers, params, metadata);
        return;
      }
      // The SDK asks the user to sign in now. If the failure may be temporary, `state` throws to prevent that.
      this.#reason = reasonToSignIn(error);
      if (this.#reason === null && !(error instanceof SignInRequiredError)) this.#failure = error as Error;
      throw error;
    }
    const mark = MARK + base64url(crypto.getRandomValues(new Uint8Array(16)));
    const answer = { access_token: mark, token_type: 'Bearer' };
    this.#marks.add(mark);
    if (url instanceof URL) url.href = `data:application/json,${encodeURIComponent(JSON.stringify(answer))}`;
    else throw new Error('The tokens were refreshed and kept.'); // `state` then throws an error that says what to do.
  };

  /** Removes the sign-in: tokens, registration and all. Revoke the tokens first (RFC 7009). */
  async signOut(): Promise<boolean> {
    this.#client = this.#state = this.#handedOut = this.#began = this.#refreshToken = undefined;
    this.#reason = null;
    return this.#grants.remove(this.#label);
  }

  /** Returns the access token that came with a refresh token; undefined if another has replaced it. */
  async #tokenOf(refreshToken: string | null): Promise<string | undefined> {
    const tokens = (await this.#grant())?.tokens;
    return tokens !== undefined && tokens.refresh_token === refreshToken ? tokens.access_token : undefined;
  }

  #grant(): Promise<KeptGrant | undefined> {
    return this.#grants.get(this.#label);
  }

  /** Changes the grant. One that holds nothing any more is removed. */
  async #change(change: (grant: Grant) => Grant): Promise<void> {
    await this.#grants.change(this.#label, (before) => {
      const { label, issuer, client_id, cached_at, ...grant } = before ?? ({} as Partial<KeptGrant>);
      const after = change(grant);
      return Object.keys(after).some((name) => name !== 'expires_at') ? after : undefined;
    });
  }

  /** Redeems a refresh token as the SDK does, at the endpoint that discovery named. */
  #redeemAt(asked?: { endpoint: string; resource: string | null; metadata: unknown }): RefreshGrant {
    return async ({ tokens, client, discovery = {}, data = {} }, signal) => {
      const server = discovery['authorizationServerUrl'];
      const metadata = asked?.metadata ?? discovery['authorizationServerMetadata'];
      const endpoint = asked?.endpoint ?? endpointIn(metadata, server);
      // A refresh token goes to its issuer and to nobody else. Older SDKs don't say which it is: then, to the endpoint that it came from.
      const { issuer } = tokens;
      const isItsIssuer =
        typeof server === 'string' && typeof issuer === 'string'
          ? sameIssuer(server, issuer)
          : data['tokenEndpoint'] === endpoint;
      if (!isItsIssuer)
        throw new SignInRequiredError(
          'The MCP server names another authorization server than the one that issued the tokens. The user has to sign in.',
        );
      const resource = asked === undefined ? resourceIn(discovery) : asked.resource;
      const headers = new Headers({
        'Content-Type': 'application/x-www-form-urlencoded',
        Accept: 'application/json',
      });
      const params = new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: tokens.refresh_token,
      });
      if (resource !== null) params.set('resource', resource);
      const own = (client ?? this.#options.clientInformation) as McpClientInformation | undefined;
      if (own !== undefined) authenticate(own, headers, params, metadata);
      const { fetch: send = fetch } = this.#options;
      const response = await send(endpoint, {
        method: 'POST',
        headers,
        body: params,
        signal,
        redirect: 'error',
      });
      const body: unknown = await response.json().catch(() => undefined);
      if (!response.ok || !isRecord(body)) throw failureOf(response.status, body);
      return { ...body, ...(typeof server === 'string' ? { issuer: server } : {}) };
    };
  }
}

/**
 * Error codes that no retry of a refresh resolves (RFC 6749 §5.2, RFC 8707 §2), besides those that ask the user. Without a new sign-in, the
 * client could never use the server again.
 */
const REFUSES_REQUEST: ReadonlySet<string> = new Set([
  'invalid_request',
  'invalid_target',
  'unsupported_grant_type',
]);

/** Returns the code of a failed refresh that only a new sign-in resolves; null if there is none. */
function reasonToSignIn(error: unknown): string | null {
  if (error instanceof SignInRequiredError) return error.reason;
  return mismatchIn(error) === undefined ? null : (error as GrantError).code;
}

/** Thrown if the authorization server no longer knows the client. */
class ClientRefusedError extends Error {}

function failureOf(status: number, body: unknown): Error {
  const code = isRecord(body) && typeof body['error'] === 'string' ? body['error'] : undefined;
  // The description may quote the request.
  const message = `The authorization server answered a refresh with status ${status}${code === undefined ? '' : `: ${code}`}.`;
  if (code !== undefined && REFUSES_REQUEST.has(code))
    return new SignInRequiredError(`${message} The user has to sign in.`, { reason: code });
  if (code === 'invalid_client' || code === 'unauthorized_client') return new ClientRefusedError(message);
  return Object.assign(new Error(message), code === undefined ? {} : { error: code });
}

function endpointIn(metadata: unknown, server: unknown): string {
  const endpoint = isRecord(metadata) ? metadata['token_endpoint'] : undefined;
  return typeof endpoint === 'string' ? endpoint : new URL('/token', String(server)).href;
}

function resourceIn(discovery: JsonObject): string | null {
  const resource = isRecord(discovery['resourceMetadata']) ? discovery['resourceMetadata']['resource'] : null;
  return typeof resource === 'string' ? resource : null;
}

function clientIn(grant: Grant | undefined): McpClientInformation | undefined {
  return grant?.client as McpClientInformation | undefined;
}

function flightsIn(grant: Grant | undefined): readonly Flight[] {
  const flights = grant?.pending?.['signIns'];
  return Array.isArray(flights) ? (flights as Flight[]) : [];
}

function withFlights({ pending: _pending, ...grant }: Grant, signIns: readonly Flight[]): Grant {
  return signIns.length === 0 ? grant : { ...grant, pending: { signIns } };
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
