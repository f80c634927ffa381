/** A document as MSAL Python writes it, with a given number of accounts in a hundred tenants and four tokens for each. */
export function manyAccounts(count: number, now: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = part({ typ: 'JWT', alg: 'RS256', kid: 'key' });
  const document: Record<string, Record<string, object>> = {
    AccessToken: {},
    RefreshToken: {},
    IdToken: {},
    Account: {},
  };
  for (let number = 0; number < count; number++) {
    const realm = `tenant-${number % 100}`;
    const home = `user-${number}.${realm}`;
    const username = `user${number}@${realm}.example`;
    const base = { home_account_id: home, environment: 'login.microsoftonline.com', client_id: 'app' };
    const jwt = (claims: object) =>
      `${header}.${part({ tid: realm, oid: `oid-${number}`, ...claims })}.${`signature-${number}-`.padEnd(342, 'x')}`;
    const place = `${home}-login.microsoftonline.com`;
    document['Account']![`${place}-${realm}`] = {
      home_account_id: home,
      environment: 'login.microsoftonline.com',
      realm,
      local_account_id: `oid-${number}`,
      username,
      authority_type: 'MSSTS',
    };
    document['IdToken']![`${place}-idtoken-app-${realm}-`] = {
      ...base,
      credential_type: 'IdToken',
      realm,
      secret: jwt({ name: `User Number ${number}`, preferred_username: username }),
    };
    document['RefreshToken']![`${place}-refreshtoken-app--s`] = {
      ...base,
      credential_type: 'RefreshToken',
      target: 'User.Read',
      last_modification_time: String(now - 86_400),
      secret: `0.refresh-${number}-`.padEnd(1200, 'r'),
    };
    for (const scope of ['User.Read', 'Orders.Read']) {
      document['AccessToken']![`${place}-accesstoken-app-${realm}-${scope}`] = {
        ...base,
        credential_type: 'AccessToken',
        realm,
        target: scope,
        cached_at: String(now - 600),
        expires_on: String(now + 3000),
        extended_expires_on: String(now + 3000),
        token_type: 'Bearer',
        secret: jwt({
          aud: `api://${scope}`,
          scp: scope,
          jti: `${scope}-${number}`,
          ballast: 'b'.repeat(600),
        }),
      };
    }
  }
  return JSON.stringify(document);
}
