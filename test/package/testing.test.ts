/** `tokenkeep/testing` in an embedder's tests: from the packed package, in an empty folder. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { blocksOf } from '../docs/page.ts';
import { installPacked, link, run, type Stranger } from './stranger.ts';

vi.setConfig({ testTimeout: 120_000 });

let packed: Stranger;
beforeAll(() => {
  packed = installPacked();
}, 120_000);
afterAll(() => packed.remove());

const said = (file: string, text: string): unknown => {
  writeFileSync(join(packed.folder, file), text);
  return JSON.parse(run(process.execPath, [file], packed.folder));
};

it('a vault in each state that there is, mended, with a clock, a keychain and token responses', () => {
  const [, states = ''] = readFileSync('src-main/vault/state.ts', 'utf8').split('export type VaultState =');
  const names = [...states.split('/**')[0]!.matchAll(/^ *\| '([\w-]+)'/gm)].map(([, name]) => name!);
  expect(names.length).toBeGreaterThan(10);
  const program = `import { testClock, testKeychain, testVault, tokenResponse } from 'tokenkeep/testing';
    const clock = testClock(), keychain = testKeychain(), seen = {};
    for (const state of ${JSON.stringify(names)}) {
      const { vault, mend, dispose } = await testVault({ state, clock, users: ['ada@example.org', 'noor@example.org'] });
      const before = vault.status.state;
      await mend();
      await vault.retry();
      seen[state] = [before, vault.status.state];
      await dispose();
    }
    keychain.mode = 'locked';
    const locked = await keychain.get('s', 'a').catch(({ code }) => code);
    console.log(JSON.stringify({ seen, locked, response: tokenResponse({ expires_in: 60 }).response.expires_in }));`;
  expect(said('states.mjs', program)).toEqual({
    seen: Object.fromEntries(
      names.map((name) => [name, [name, ['older', 'copy'].includes(name) ? name : 'ready']]),
    ),
    locked: 'keychain_locked',
    response: 60,
  });
});

it('a provider says what it lacks, and what is misspelt', () => {
  const program = `import { testProvider } from 'tokenkeep/testing/provider';
    const lacks = await testProvider().catch(({ message }) => message);
    const misspelt = await testProvider({ accessTokenTTL: 5 }).catch(({ field }) => field);
    console.log(JSON.stringify({ lacks, misspelt }));`;
  expect(said('lacks.mjs', program)).toEqual({
    lacks: expect.stringContaining('npm install --save-dev oidc-provider@9'),
    misspelt: 'accessTokenTTL',
  });
});

it.each(['mjs', 'cjs'])(
  'a provider by one call: the sign-in of docs/testing.md, which survives a restart, %s',
  (kind) => {
    // Installed only now, because the test above needs these packages to be absent.
    for (const name of ['oidc-provider', 'openid-client'])
      if (!existsSync(join(packed.folder, 'node_modules', name))) link(packed, name);
    const block = blocksOf('docs/testing.md').find(({ code }) => code.includes('testProvider('))!;
    const imports = block.code.split('\n').filter((line) => /^import (?!.*'vitest')/.test(line));
    const body = block.code.split('\n').filter((line) => !line.startsWith('import '));
    const loaded =
      kind === 'mjs'
        ? imports
        : imports.map((line) =>
            line.replace(/^import (?:\* as )?(.*) from ('.*');$/, 'const $1 = require($2);'),
          );
    const program = `${loaded.join('\n')}
    const test = async (_name, run) => console.log(JSON.stringify(await run()));
    const expect = (found) => ({ toBe: (wanted) => { if (found !== wanted) throw new Error(found + ' is not ' + wanted); } });
    ${body.join('\n').replace(/^\}\);$/m, '  return { reused: 0 };\n});')}`;
    expect(said(`provider.${kind}`, program)).toEqual({ reused: 0 });
  },
);
