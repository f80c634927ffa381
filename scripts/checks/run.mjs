// node run.mjs [--build-failed] [lint|unit|torture|e2e|packaged|e2e-packaged]… [arguments of the runners]: runs the steps in the
// place and as the user it is started, goes on after a failed one, and ends with the line "N passed, N failed".
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chosen } from './parts.mjs';
import { steps } from './steps.mjs';
import { verdict } from './verdict.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const require = createRequire(import.meta.url);
const artifacts = join(root, 'artifacts');
const strict = process.env.CI === 'true';

const { parts, words, built } = chosen(process.argv.slice(2));
mkdirSync(artifacts, { recursive: true });
const total = built ? { passed: 1, failed: [], skipped: [] } : { passed: 0, failed: ['build'], skipped: [] };
for (const step of steps(artifacts, words, parts).filter(({ part }) => parts.includes(part))) {
  const { passed, failed, skipped } = await run(step);
  total.passed += passed;
  total.failed.push(...failed);
  total.skipped.push(...skipped);
}
conclude();

async function run(step) {
  if (['e2e', 'packaged', 'e2e-packaged'].includes(step.part) && !built)
    return { passed: 0, failed: [`${step.name}: there is no build to test`], skipped: [] };
  console.log(`\n=== ${step.name}`);
  if (step.report) rmSync(step.report, { force: true }); // an old report must not speak for a runner that crashed
  const child = spawn(
    process.execPath,
    [step.script ? join(root, step.script) : command(step.package), ...step.args],
    {
      cwd: root,
      env: { ...process.env, ...step.env },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const [status] = await once(child, 'exit');
  return verdict(step, status, step.report && read(step.report), { strict });
}

/** The script behind a package's command; all of ours are Node scripts. */
function command(name) {
  const manifest = join(root, 'node_modules', name, 'package.json');
  const { bin } = require(manifest);
  return join(dirname(manifest), typeof bin === 'string' ? bin : Object.values(bin)[0]);
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function conclude() {
  console.log('');
  for (const name of total.skipped) console.log(`SKIPPED ${strict ? '(a failure in CI)' : ''} ${name}`);
  for (const name of total.failed) console.log(`FAILED  ${name}`);
  console.log(`${total.passed} passed, ${total.failed.length} failed`);
  process.exitCode = total.failed.length === 0 ? 0 : 1;
}
