/**
 * A program on @azure/identity with its own persistence: `seed FILE` writes the cache, any other argument requests a token of that user
 * silently.
 */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

// From the folder that the judge installed the packages into.
const from = createRequire(join(process.cwd(), 'package.json'));
const [client, tenant, word, file] = process.argv.slice(2);
if (word === 'seed') {
  await from('keytar').setPassword(
    'Microsoft.Developer.IdentityService',
    'MSALCache',
    readFileSync(file, 'utf8'),
  );
} else {
  const { InteractiveBrowserCredential, useIdentityPlugin } = from('@azure/identity');
  const { cachePersistencePlugin } = from('@azure/identity-cache-persistence');
  useIdentityPlugin(cachePersistencePlugin);
  const credential = new InteractiveBrowserCredential({
    clientId: client,
    tenantId: tenant,
    disableAutomaticAuthentication: true,
    tokenCachePersistenceOptions: { enabled: true },
    authenticationRecord: {
      authority: 'login.microsoftonline.com',
      homeAccountId: `${word}.${tenant}`,
      username: `${word}@contoso.example`,
      tenantId: tenant,
      clientId: client,
    },
  });
  const said = await credential.getToken('https://management.azure.com/.default').then(
    ({ token }) => ({ token }),
    ({ name, message }) => ({ error: name, message }),
  );
  process.stdout.write(JSON.stringify(said));
}
