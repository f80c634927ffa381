// node test/attack/main.mjs [--short] [--seed N] [--only NAME]… [--report FILE]: the attack campaign, in the place and as the user it
// is started. It is TypeScript, which this Node does not run by itself.
import { join } from 'node:path';
import { runnerImport } from 'vite';

// Node would find the built package under its own name, beside the sources, and the two don't know each other's classes.
const own = { inline: { resolve: { noExternal: [/^tokenkeep(?:\/|$)/] } } };
const options = { configFile: false, logLevel: 'error', resolve: { tsconfigPaths: true }, environments: own };
const { module } = await runnerImport(join(import.meta.dirname, 'attack.ts'), options);
process.exit(await module.attack(process.argv.slice(2)));
