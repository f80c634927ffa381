// node run.mjs [--build-failed] [--after=RESULTS] [--totals=FILE] [lint|unit|torture|e2e|packaged|…]… [arguments of the runners]: runs the
// steps in the current folder and as the current user, two at a time. Continues after a failed step, and ends with the line
// "N passed, N failed".
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { attacksNotRun } from './attackers.mjs';
import { chosen } from './parts.mjs';
import { nextStep, steps } from './steps.mjs';
import { verdict } from './verdict.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const require = createRequire(import.meta.url);
const artifacts = join(root, 'artifacts');
const strict = process.env.CI === 'true';
const begun = performance.now();

const { parts, words, built, earlier, totals } = chosen(process.argv.slice(2));
/** The parts whose tests docs/threat-model.md names. */
const ATTACKING = ['unit', 'e2e', 'packaged'];
mkdirSync(artifacts, { recursive: true });
const total = earlier ?? { passed: 0, failed: [], skipped: [] };
if (!built) total.failed.push('build');
else if (!totals) total.passed++;
const wanted = steps(artifacts, words, parts).filter(({ part }) => parts.includes(part));
const lanes = [0, 1].map((lane) => wanted.filter((step) => step.lane === lane));
const sideBySide = lanes.every(({ length }) => length > 0) && availableParallelism() > 1;

if (sideBySide) await Promise.all(lanes.map((own, lane) => follow(own, lanes[1 - lane])));
else for (const lane of lanes) await follow(lane);
if (built && words.length === 0 && ATTACKING.every((part) => parts.includes(part))) assertAttacked();
conclude();

async function follow(lane, other = []) {
  for (let step = nextStep(lane, other); step; step = nextStep(lane, other)) {
    const { passed, failed, skipped } = await run(step);
    total.passed += passed;
    total.failed.push(...failed);
    total.skipped.push(...skipped);
  }
}

async function run(step) {
  if (step.onBuild && !built)
    return { passed: 0, failed: [`${step.name}: there is no build to test`], skipped: [] };
  if (step.report) rmSync(step.report, { force: true }); // an old report must not be taken for that of a runner that crashed
  const started = performance.now();
  if (!sideBySide) console.log(`\n=== ${step.name}`);
  const child = spawn(
    process.execPath,
    [...(step.node ?? []), step.script ? join(root, step.script) : command(step.package), ...step.args],
    {
      cwd: root,
      env: { ...process.env, ...step.env },
      stdio: ['ignore', sideBySide ? 'pipe' : 'inherit', sideBySide ? 'pipe' : 'inherit'],
    },
  );
  // The lines of two concurrent steps would mix, so the output of each is printed when it has ended.
  const [[status], ...said] = await Promise.all([
    once(child, 'exit'),
    ...(sideBySide ? [text(child.stdout), text(child.stderr)] : []),
  ]);
  const seconds = Math.round((performance.now() - started) / 1000);
  if (sideBySide) console.log(`\n=== ${step.name} (${seconds} s)\n${said.join('').trim()}`);
  return verdict(step, status, step.report && read(step.report), { strict });
}

/** Checks that every attack that the threat model names was part of this run. */
function assertAttacked() {
  const reports = ATTACKING.map((part) => read(join(artifacts, `${part}.json`))).filter(Boolean);
  const page = readFileSync(join(root, 'docs/threat-model.md'), 'utf8');
  const { missing, skipped } = attacksNotRun(page, reports, root);
  total.failed.push(...missing, ...(strict ? skipped : []));
  total.skipped.push(...(strict ? [] : skipped));
  if (missing.length === 0) total.passed++;
}

/** Returns the script of a package's command. All commands used here are Node scripts. */
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
  if (totals) {
    writeFileSync(totals, JSON.stringify(total));
    return;
  }
  console.log('');
  for (const name of total.skipped) console.log(`SKIPPED ${strict ? '(a failure in CI)' : ''} ${name}`);
  for (const name of total.failed) console.log(`FAILED  ${name}`);
  console.log(`${Math.round((performance.now() - begun) / 1000)} s`);
  console.log(`${total.passed} passed, ${total.failed.length} failed`);
  process.exitCode = total.failed.length === 0 ? 0 : 1;
}
