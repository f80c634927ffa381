/** The program of docs/azure-identity.md, from the packed package: it signs in with a device code, and needs no code after a restart. */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Entra, startEntra, TENANT } from '../azure-identity/entra.ts';
import { codeOf } from '../docs/page.ts';
import { installPacked, linesOf, link, type Stranger } from './stranger.ts';

vi.setConfig({ testTimeout: 120_000 });

let packed: Stranger;
let entra: Entra;
beforeAll(async () => {
  packed = installPacked();
  link(packed, '@azure/identity');
  entra = await startEntra();
  writeFileSync(join(packed.folder, 'entra.pem'), entra.ca);
}, 120_000);
afterAll(async () => {
  await entra.stop();
  packed.remove();
});

/** The page's program, with this machine's values in place of the reader's names. */
async function program(home: string): Promise<string> {
  const names: Readonly<Record<string, string>> = {
    '/home/ada/.my-tool': home,
    '${name}.vault`), name })': `\${name}.vault\`), name, keychain: keyFile('${home}/key') }).then((vault) => (vaults.push(vault), vault))`,
    'new DeviceCodeCredential({': `new DeviceCodeCredential({ tenantId: '${TENANT}', clientId: '11111111-2222-3333-4444-555555555555',
      authorityHost: '${entra.authorityHost}', disableInstanceDiscovery: true, userPromptCallback: () => say('asked'),`,
  };
  let page = codeOf('docs/azure-identity.md')
    .map(({ code }) => code)
    .join('\n');
  for (const [there, here] of Object.entries(names)) {
    expect([there, page.includes(there)]).toEqual([there, true]);
    page = page.replaceAll(there, here);
  }
  const own = `
    import { existsSync, readFileSync, writeFileSync } from 'node:fs';
    import { keyFile } from 'tokenkeep/keychain';
    const say = (line) => console.log(line);
    const vaults = [];
    ${page}
    const scope = 'https://graph.microsoft.com/.default';
    const kept = '${home}/record.json';
    const isKnown = existsSync(kept);
    const credential = credentialFor(isKnown ? JSON.parse(readFileSync(kept, 'utf8')) : undefined);
    if (!isKnown) writeFileSync(kept, JSON.stringify(await credential.authenticate(scope)));
    say((await credential.getToken(scope)).token);
    if (process.argv[2] === 'sign-out') {
      await signOut(vaults);
      say((await vaults[0].read((cache) => cache.accounts())).length);
    }
    for (const vault of vaults) await vault.close();`;
  return (await transform(own, { loader: 'ts' })).code;
}

it('signs in, has the token after a restart, and signs out', async () => {
  const home = mkdtempSync(join(packed.folder, 'home-'));
  const file = join(packed.folder, 'tool.mjs');
  writeFileSync(file, await program(home));
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(packed.folder, 'entra.pem') };
  const start = (...words: string[]): Promise<string[]> =>
    linesOf(process.execPath, [file, ...words], { cwd: packed.folder, env });
  const [asked, token = ''] = await start();
  expect([asked, token.length > 20]).toEqual(['asked', true]);
  expect(await start('sign-out')).toEqual([token, '0']);
  expect(entra.counts).toEqual({ device: 1, refreshed: 0, reused: 0 });
  for (const name of readdirSync(home).filter((each) => each.endsWith('.vault')))
    expect([name, readFileSync(join(home, name)).includes(token)]).toEqual([name, false]);
});
