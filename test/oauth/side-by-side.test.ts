/** The real MSAL libraries get a document with grants among MSAL's entities: they ignore the grants, and keep them. */
import { describe, expect, it } from 'vitest';
import { inMemory, SerializableTokenCache } from '../../src-main/index.ts';
import { openGrants } from '../../src-main/oauth/index.ts';
import { MSAL_NODE, MSAL_PYTHON, verdicts, withoutPython } from '../interop/judges.ts';
import { APPS, entra, homeAccountId, PEOPLE, PROVIDERS, START } from '../vectors/make/stage.mjs';

const NOW = START + 1800;
const SCOPE = 'https://graph.microsoft.com/User.Read';
const AT = { issuer: 'https://id.example', client_id: 'my-app', now: () => NOW };
const GRANT = {
  tokens: { access_token: 'at-secret', refresh_token: 'rt-secret', expires_in: 300 },
  client: { client_secret: 'client-secret' },
};

describe.each([...MSAL_NODE, ...(withoutPython ? [] : [MSAL_PYTHON])])('$name', (judge) => {
  it('lists, refreshes and writes its own accounts, and leaves the grants as they are', async () => {
    const cache = new SerializableTokenCache({ now: () => NOW });
    const response = entra(PEOPLE.quinn, APPS.desk, NOW);
    const { token_endpoint } = PROVIDERS['contoso']!.openid;
    cache.add({ client_id: APPS.desk.client_id, scope: [SCOPE], token_endpoint, response });
    await openGrants(inMemory(cache), AT).add('work', GRANT);
    await openGrants(inMemory(cache), { ...AT, issuer: token_endpoint }).add('graph', GRANT);
    const home = homeAccountId(PEOPLE.quinn);
    const [verdict] = verdicts(judge, [
      {
        document: cache.serialize({ dialect: judge.dialect }),
        app: APPS.desk,
        provider: 'contoso',
        scopes: [SCOPE],
        home_account_id: home,
        at: NOW,
        response: entra(PEOPLE.quinn, APPS.desk, NOW),
      },
    ]);
    expect(verdict).not.toHaveProperty('error');
    expect(verdict).toMatchObject({ accounts: [home], cached: response.access_token, asked: 0 });
    expect(verdict!.redeemed).toBe(response.refresh_token);
    const after = new SerializableTokenCache({ now: () => NOW });
    after.deserialize(verdict!.document);
    expect(await openGrants(inMemory(after), AT).get('work')).toMatchObject(GRANT);
    expect(await openGrants(inMemory(after), { ...AT, issuer: token_endpoint }).get('graph')).toMatchObject(
      GRANT,
    );
  });
});
