/** The real libraries as judges of a document: each reports what it finds, without a network. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type App, CLOUDS, PROVIDERS, type Response } from '../vectors/make/stage.mjs';

export interface Trial {
  document: string;
  app: App;
  /** A name in PROVIDERS: the authority that the app is configured with. */
  provider: string;
  scopes: readonly string[];
  /** null: the app asks for itself. */
  home_account_id: string | null;
  /** Seconds since the epoch. */
  at: number;
  /** The response of the token endpoint. */
  response: Response;
}

export interface Verdict {
  /** Set if the library threw; then there are only the results from before. */
  error?: string;
  /** Home account ids of the accounts it lists. */
  accounts: string[];
  /** The tenant of the account that it asks with, under which MSAL Node looks for tokens; null where it has none. */
  tenant: string | null;
  /** The access token it had for the scopes. */
  cached: string | null;
  /** How often it asked the token endpoint for that: 0 if it was in the cache. */
  asked: number;
  /** The access token it has after it was told to get a new one. */
  refreshed: string | null;
  /** The refresh token that it redeemed for that. */
  redeemed: string | null;
  /** The cache afterwards. */
  document: string;
}

export interface Judge {
  name: string;
  dialect: 'msal-python' | 'msal-node' | 'msal-node-3';
  command: readonly [string, ...string[]];
}

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

const node = (major: number): Judge => ({
  name: `MSAL Node ${major}`,
  dialect: major > 3 ? 'msal-node' : 'msal-node-3',
  command: [process.execPath, here('judge-node.mjs'), String(major)],
});

/** Debian's python3-msal belongs to Debian's own Python. */
const PYTHON = '/usr/bin/python3';

export const MSAL_PYTHON: Judge = {
  name: 'MSAL Python',
  dialect: 'msal-python',
  command: [PYTHON, here('judge_python.py')],
};

export const MSAL_NODE: readonly Judge[] = [2, 3, 5, 7].map(node);

/**
 * Whether MSAL Python's part must be left out: it is not there, and this is not a build. A build must not do without.
 */
const installed = spawnSync(PYTHON, ['-c', 'import msal; print(msal.__version__)'], { encoding: 'utf8' });
export const withoutPython = installed.status !== 0 && process.env['CI'] === undefined;

/** The release of MSAL Python that is installed, as `1.21`: of Debian 12, or as `1.32`: of Debian 13. */
export const pythonRelease = /^\d+\.\d+/.exec(installed.stdout)?.[0];

if (withoutPython) console.warn('MSAL Python is not checked: apt-get install python3-msal');

/** One process per judge: it gets all trials, and gives a verdict on each. */
export function verdicts(judge: Judge, trials: readonly Trial[]): Verdict[] {
  const [command, ...args] = judge.command;
  const input = JSON.stringify(trials.map((trial) => ({ ...trial, clouds: CLOUDS, providers: PROVIDERS })));
  const { status, stdout, stderr } = spawnSync(command, args, {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`${judge.name} failed: ${stderr}`);
  const heard: Verdict[] = JSON.parse(stdout);
  return heard;
}
