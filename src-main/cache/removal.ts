/** What a sign-out would remove: counted by the same rule that removes. */
import {
  type AppTokenFilter,
  countAppTokens,
  countBelongings,
  type RemovalCount,
  type SignOutFilter,
} from './sign-out.ts';
import { storeOf, type TokenCache } from './token-cache.ts';

/** @throws InvalidArgumentError where the id is empty */
export function removalCount(
  cache: TokenCache,
  home_account_id: string,
  filter?: SignOutFilter,
): RemovalCount {
  return countBelongings(storeOf(cache), home_account_id, filter);
}

/** The same for `removeAppTokens`. */
export function appRemovalCount(cache: TokenCache, filter?: AppTokenFilter): RemovalCount {
  return countAppTokens(storeOf(cache), filter);
}
