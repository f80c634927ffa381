// npm run audit: asks the registry for known vulnerabilities in the shipped packages and in the tools that build them. Exits with 0 if
// there are none except those explained in scripts/audit-exceptions.json, with 1 if there are others, and with 2 if the registry did not
// answer, so that nothing was checked.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { findings, unexplained } from './packaging/advisories.mjs';
import { runEntry } from './setup/say.mjs';

await runEntry(() => {
  const { stdout } = spawnSync('npm', ['audit', '--json'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    shell: process.platform === 'win32',
  });
  const found = findings(stdout);
  if (found === undefined) {
    console.error(
      'NOT CHECKED: the registry did not answer npm audit. Run this where it does, before any release.',
    );
    return 2;
  }
  const exceptions = JSON.parse(readFileSync(new URL('./audit-exceptions.json', import.meta.url), 'utf8'));
  const { open, stale } = unexplained(found, exceptions, new Date());
  for (const { id, name, title } of open) console.error(`UNEXPLAINED ${id} in ${name}: ${title}`);
  for (const id of stale)
    console.error(`STALE the exception for ${id}: it is not found any more, or its time is over`);
  console.log(`${found.length} known, ${open.length} unexplained`);
  return open.length + stale.length === 0 ? 0 : 1;
});
