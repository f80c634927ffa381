/** One line of documents/index.json: what is in a document, counted in its text and not by any cache. */

const count = (section) => Object.keys(section ?? {}).length;

/**
 * `accounts` counts users (distinct home account ids), `app_only` access tokens that belong to no user, `tokens`,
 * `account_entities` and `app_metadata` the entries of each section.
 */
export function entryFor({ file, library, version, profile, note }, text) {
  const { Account = {}, AccessToken = {}, RefreshToken, IdToken, AppMetadata } = JSON.parse(text);
  return {
    file,
    library,
    version,
    profile,
    accounts: new Set(Object.values(Account).map(({ home_account_id }) => home_account_id)).size,
    app_only: Object.values(AccessToken).filter(({ home_account_id }) => !home_account_id).length,
    tokens: { AccessToken: count(AccessToken), RefreshToken: count(RefreshToken), IdToken: count(IdToken) },
    account_entities: count(Account),
    app_metadata: count(AppMetadata),
    note,
  };
}
