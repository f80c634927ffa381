/**
 * `tokenkeep/mcp`: an `OAuthClientProvider` for `@modelcontextprotocol/sdk`. Re-exports only.
 *
 * @module tokenkeep/mcp
 */
export { type McpClientInformation } from './client-authentication.ts';
export {
  type McpClientMetadata,
  type McpCredentials,
  type McpDiscoveryState,
  type McpOAuthOptions,
  mcpOAuthProvider,
  type McpOAuthProvider,
  type McpTokens,
} from './provider.ts';
