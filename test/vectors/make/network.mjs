/**
 * All of the internet that a case sees: discovery documents, the device code endpoint, and one token response.
 * A library that asks for anything else fails there and then.
 */

/**
 * A URL as the cast has it: some libraries write the port of an authority, some put its path in lower case, some ask
 * under another name of its cloud.
 */
function plain(url, { metadata }) {
  const { hostname, pathname } = new URL(url);
  const cloud = metadata.find(({ aliases }) => aliases.includes(hostname));
  return `https://${cloud?.preferred_network ?? hostname}${pathname.toLowerCase()}`;
}

/** @returns {{ body: object, token?: true }} the JSON that `url` answers; `token` where it was the token endpoint. */
export function answer(url, { providers, clouds, response }) {
  const path = plain(url, clouds);
  if (path.endsWith('/discovery/instance')) return { body: clouds };
  for (const { authority, openid } of Object.values(providers)) {
    const discovery = path.endsWith('/.well-known/openid-configuration');
    if (discovery && path.startsWith(`${authority.toLowerCase()}/`)) return { body: openid };
    if (path === openid.token_endpoint.toLowerCase()) return { body: response, token: true };
    if (path === openid.device_authorization_endpoint.toLowerCase()) {
      const code = {
        device_code: 'synthetic-device-code',
        user_code: 'SYNTHETIC',
        interval: 1,
        expires_in: 900,
      };
      return { body: { ...code, verification_uri: 'https://example.org/device', message: 'synthetic' } };
    }
  }
  throw new Error(`The network is not part of a case, and was asked for ${path}`);
}
