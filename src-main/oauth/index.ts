/**
 * `tokenkeep/oauth`: stores grants of any OAuth 2.0 library, and refreshes each one once across all processes. Re-exports only.
 *
 * @module tokenkeep/oauth
 */
export {
  type Grant,
  type GrantAccount,
  type GrantSummary,
  type JsonObject,
  type KeptGrant,
  type TokenResponse,
} from './grant.ts';
export {
  type FreshOptions,
  type Grants,
  type GrantsOptions,
  openGrants,
  type RefreshGrant,
} from './grants.ts';
