/** Every request of both contracts, with arguments that no window of ours sends. The dialogs of the main process say no. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signInChecks } from '../../app/sign-in/arguments.ts';
import { signIn } from '../../app/sign-in/sign-in.ts';
import { InvalidArgumentError } from '../../src-main/errors.ts';
import type { Vault } from '../../src-main/index.ts';
import { fitsBudget } from '../../src-main/ipc/argument-budget.ts';
import { argumentChecks } from '../../src-main/ipc/arguments.ts';
import { cachedAccounts } from '../../src-main/accounts/cached-accounts.ts';
import { type Outcome, settle } from '../../src-main/ipc/requests.ts';
import { identify } from '../../src-main/ipc/token-views.ts';
import { cacheOf, secretsIn, vectorText } from '../ipc/vectors.ts';
import { windowOver } from '../ipc/window.ts';
import { hostileValue, isPolluted, MARK, nameOf } from './hostile-values.ts';
import { inTime, type Scene } from './scene.ts';
import { must } from './score.ts';

type Handler = (caller: never, ...args: never[]) => unknown;
type Check = (args: readonly unknown[]) => readonly unknown[];

/** Requests that change the cache when their arguments are valid, which a window may do without asking. */
const CHANGES = new Set([
  'signOut',
  'repair',
  'undoRepair',
  'startFresh',
  'recover',
  'confirmImport',
  'nameTenant',
]);

const text = vectorText('documents', 'msal-python-aad-several.json');
const secrets = secretsIn(text);

export async function attackArguments(scene: Scene): Promise<void> {
  const { random, score, short } = scene;
  const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-attack-'));
  const rounds = short ? 12 : 400;
  try {
    for (const [prefix, checks] of [
      ['tokenCache', argumentChecks],
      ['app', signInChecks],
    ] as const) {
      for (const [name, check] of Object.entries(checks) as [string, Check][]) {
        for (let round = 0; round < rounds; round++) {
          const { known, handlers, serialized, faults } = world(folder);
          const args = Array.from({ length: random.below(5) }, () => hostileValue(random, known));
          const row = `arguments: window.${prefix}`;
          await score.try(row, `${name}(${args.map(nameOf).join(', ')})`, async () => {
            const before = serialized();
            const accepted: string[] = [];
            const answer: Outcome<unknown> = await inTime(
              60_000,
              settle(
                () => {
                  // What src-main/electron/requests.ts does.
                  if (!fitsBudget(args)) throw new InvalidArgumentError('Too much.');
                  const checked = check(args);
                  accepted.push(name);
                  return (handlers[prefix]?.[name] as Handler)(null as never, ...(checked as never[]));
                },
                (error) => faults.push(error),
              ),
            );
            const said = JSON.stringify(answer);
            must(!isPolluted(), 'Object.prototype was changed.');
            must(faults.length === 0, `An unexpected error: ${String(faults[0])}`);
            must(!secrets.some((secret) => said.includes(secret)), 'The answer holds a secret.');
            // A file is named in its error.
            const isNamed = name === 'planImport';
            must(
              answer.ok || isNamed || !answer.error.message.includes(MARK),
              'The error repeats the argument.',
            );
            must(
              accepted.some((each) => CHANGES.has(each)) || serialized() === before,
              'The cache was changed.',
            );
          });
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function world(folder: string) {
  const cache = cacheOf(text);
  const window = windowOver(cache);
  window.user.agrees = false;
  const faults: unknown[] = [];
  const vault = Object.assign(window.vault, { epoch: 0, on: () => () => undefined }) as unknown as Vault;
  const signing = signIn<null>({
    folder,
    vault: () => Promise.resolve(vault),
    ownVault: () => Promise.resolve(vault),
    isDemo: () => false,
    tokenText: () => Promise.reject(new Error('This test has no tokens to check.')),
    fetch: () => Promise.reject(new TypeError('fetch failed')),
    openBrowser: () => Promise.reject(new Error('No browser is opened.')),
    useGesture: () => undefined,
    confirm: () => Promise.resolve(false),
    copyText: () => undefined,
    now: () => Date.now(),
    after: () => () => undefined,
    emit: { signIn() {}, refreshStatus() {}, profiles() {}, signOuts() {} },
    onUnexpected: (error) => faults.push(error),
  });
  const accounts = [...cachedAccounts(cache).byId.values()];
  const tokens = accounts.flatMap((account) => identify(account).map(({ id }) => id));
  return {
    known: [...accounts.map(({ id }) => id), ...tokens, 'token', 'browser', true, false, null],
    handlers: { tokenCache: window.ask, app: signing.handlers } as unknown as Record<
      string,
      Record<string, unknown>
    >,
    // Without the activity, in which requests that change nothing else are recorded as well.
    serialized: () =>
      JSON.stringify(JSON.parse(cache.serialize()), (name, value: unknown) =>
        name.startsWith('Tokenkeep:activity') ? undefined : value,
      ),
    faults,
  };
}
