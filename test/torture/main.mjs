// node test/torture/main.mjs [--short|--long] [--seed N] [--only NAME] [--kills N] [--fault TEXT] [--report FILE]: the fault
// campaign, in the place and as the user it is started. It is TypeScript, which this Node does not run by itself.
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runnerImport } from 'vite';

const options = { configFile: false, logLevel: 'error' };
const { module } = await runnerImport(join(import.meta.dirname, '..', 'support', 'bundle.ts'), options);
const bundles = [];
try {
  for (const name of ['campaign.ts', 'program.ts'])
    bundles.push(await module.bundle(join(import.meta.dirname, name)));
  const [main, program] = bundles;
  const { campaign } = await import(pathToFileURL(main).href);
  process.exitCode = await campaign(process.argv.slice(2), program);
} finally {
  for (const bundle of bundles) rmSync(dirname(bundle), { recursive: true, force: true });
}
