/** How an OAuth client proves who it is at the token endpoint: the methods that the MCP SDK knows, chosen as the SDK chooses. */
import { isRecord } from '../../cache/json.ts';
import { base64Of } from '../../cache/schema/claims.ts';

/** The client's registration (RFC 7591). */
export interface McpClientInformation {
  client_id: string;
  client_secret?: string | undefined;
  /** The authorization server that it is registered with, as the SDK records it. */
  issuer?: string | undefined;
  [field: string]: unknown;
}

type Method = 'client_secret_basic' | 'client_secret_post' | 'none';
const METHODS: readonly unknown[] = ['client_secret_basic', 'client_secret_post', 'none'];

function isMethod(value: unknown): value is Method {
  return METHODS.includes(value);
}

/** Returns the method of the registration if the server supports it, else the safest that both support (RFC 8414 §2). */
function methodFor(client: McpClientInformation, metadata: unknown): Method {
  const listed: unknown = isRecord(metadata) ? metadata['token_endpoint_auth_methods_supported'] : undefined;
  const supported: readonly unknown[] = Array.isArray(listed) ? listed : [];
  const own = client['token_endpoint_auth_method'];
  if (isMethod(own) && (supported.length === 0 || supported.includes(own))) return own;
  const hasSecret = client.client_secret !== undefined;
  if (supported.length === 0) return hasSecret ? 'client_secret_basic' : 'none';
  if (hasSecret && supported.includes('client_secret_basic')) return 'client_secret_basic';
  if (hasSecret && supported.includes('client_secret_post')) return 'client_secret_post';
  return !hasSecret || supported.includes('none') ? 'none' : 'client_secret_post';
}

/** Adds the client's authentication to a token request (RFC 6749 §2.3.1). */
export function authenticate(
  client: McpClientInformation,
  headers: Headers,
  params: URLSearchParams,
  metadata: unknown,
): void {
  const method = methodFor(client, metadata);
  if (method === 'client_secret_basic') {
    headers.set('Authorization', `Basic ${base64Of(`${client.client_id}:${client.client_secret ?? ''}`)}`);
    return;
  }
  params.set('client_id', client.client_id);
  if (method === 'client_secret_post' && client.client_secret !== undefined)
    params.set('client_secret', client.client_secret);
}
