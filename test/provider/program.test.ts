import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';
import { bundle } from '../support/bundle.ts';

/** Starts the provider, returns its address, and waits to be killed. */
const PARENT = `
const { spawn } = require('node:child_process');
const child = spawn(process.execPath, [process.argv[1], '--access-token-ttl', '60'], { stdio: ['ignore', 'pipe', 'ignore'] });
child.stdout.pipe(process.stdout);
setInterval(() => {}, 1000);`;

it('says where it is and whom to trust, and ends when its parent is killed', async () => {
  const program = await bundle('examples/provider/main.ts');
  const parent = spawn(process.execPath, ['-e', PARENT, program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const { issuer, ca, users } = JSON.parse(line.toString()) as {
    issuer: string;
    ca: string;
    users: string[];
  };
  expect(users).toContain('noor');
  const trusting = trustingFetch(readFileSync(ca, 'utf8'));
  const metadata = await trusting(`${issuer}/.well-known/openid-configuration`);
  expect(await metadata.json()).toMatchObject({ issuer });

  parent.kill('SIGKILL');
  await expect
    .poll(
      () =>
        trusting(issuer).then(
          () => 'there',
          () => 'gone',
        ),
      { timeout: 10_000 },
    )
    .toBe('gone');
  await expect.poll(() => existsSync(ca)).toBe(false);
});

it('refuses an argument that it does not understand', async () => {
  const program = await bundle('examples/provider/main.ts');
  const child = spawn(process.execPath, [program, '--port', 'high'], { stdio: 'ignore' });
  expect((await once(child, 'exit'))[0]).not.toBe(0);
});
