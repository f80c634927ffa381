const { ProtocolMode, PublicClientApplication } = require('@azure/msal-node');
const { shell } = require('electron');
const { msalCachePlugin } = require('tokenkeep/msal');

/**
 * Signs a user in with the system's browser. MSAL stores the tokens through the plugin, so when this resolves, they are in the vault, and
 * the window shows the account.
 *
 * @param {import('tokenkeep').Vault} vault
 * @param {NodeJS.ProcessEnv} env ORDER_DESK_AUTHORITY: the issuer of an OpenID Connect provider; ORDER_DESK_CLIENT_ID
 */
async function signIn(vault, { ORDER_DESK_AUTHORITY: authority, ORDER_DESK_CLIENT_ID: clientId }) {
  const application = new PublicClientApplication({
    auth: { clientId, authority, knownAuthorities: [new URL(authority).host] },
    cache: { cachePlugin: msalCachePlugin(vault) },
    system: { protocolMode: ProtocolMode.OIDC },
  });
  await application.acquireTokenInteractive({
    scopes: ['orders.read'],
    prompt: 'consent', // some providers give no refresh token otherwise
    openBrowser: openWebPage,
    successTemplate: 'You are signed in. You can close this page.',
  });
}

/** The address comes from the provider's metadata, and the system would also open programs and files (checklist item 15). */
async function openWebPage(url) {
  if (new URL(url).protocol !== 'https:')
    throw new Error('The provider names a sign-in page that is not https.');
  await shell.openExternal(url);
}

module.exports = { signIn };
