// A process with a vault whose key is in the system's real keychain. It stops before a native call that it is told.
import { openVault } from '../../../src-main/vault/vault.ts';
import { type Keytar, loadKeytar } from '../../../src-main/keychain/keytar.ts';
import { systemKeychain } from '../../../src-main/keychain/system-keychain.ts';
import { homeOf, signIn, usersIn } from '../../vault/people.ts';
import { orders, say } from '../say.ts';

/** The answer to each order, as JSON. */
export interface Did {
  done: boolean;
  code?: string;
  value?: unknown;
  state: string;
  statusCode?: string;
  waiting: boolean;
  pending: boolean;
}

/**
 * `FILE SERVICE DEADLINE`. Orders: `stop N` (before the Nth native call from then on it says `at N` and waits for `go`, or
 * ends at `crash`), `open`, `read`, `update USER`, `rotate`, `sign-out USER`, `retry`, `close`, `calls`.
 */
export async function keyholder([file = '', service = '', deadline = '']: readonly string[]): Promise<void> {
  let calls = 0;
  let stopAt = -1;
  let goOn = (): void => undefined;
  const before = async (): Promise<void> => {
    calls += 1;
    if (calls !== stopAt) return;
    say('at', calls);
    await new Promise<void>((resolve) => (goOn = resolve));
  };
  const load = async (): Promise<Keytar> => {
    const keytar = await loadKeytar();
    return {
      getPassword: (...words) => before().then(() => keytar.getPassword(...words)),
      setPassword: (...words) => before().then(() => keytar.setPassword(...words)),
      deletePassword: (...words) => before().then(() => keytar.deletePassword(...words)),
    };
  };
  const keychain = systemKeychain({ load, deadline: Number(deadline) });
  const opening = { current: undefined as ReturnType<typeof openVault> | undefined };
  const vault = (): ReturnType<typeof openVault> =>
    (opening.current ??= openVault({ file, service, keychain }));

  const carryOut = async (word: string, user: string): Promise<unknown> => {
    const open = await vault();
    if (word === 'open') return null;
    if (word === 'read') return open.read(usersIn);
    if (word === 'update') return open.update((cache) => signIn(cache, user));
    if (word === 'rotate') return open.rotateKey();
    if (word === 'sign-out') return (await open.signOut(homeOf(user))).oldKey;
    if (word === 'retry') return (await open.retry()).state;
    if (word === 'close') return open.close();
    throw new Error(`What is ${word}?`);
  };
  const answer = async (word: string, user: string): Promise<void> => {
    let did: Pick<Did, 'done' | 'code' | 'value'>;
    try {
      did = { done: true, value: await carryOut(word, user) };
    } catch (error) {
      did = {
        done: false,
        code: error instanceof Error && 'code' in error ? String(error.code) : String(error),
      };
    }
    const { status } = await vault();
    const { state, code, waiting, oldKey } = status;
    say(
      JSON.stringify({
        ...did,
        state,
        ...(code === undefined ? {} : { statusCode: code }),
        waiting,
        pending: oldKey === 'pending',
      }),
    );
  };

  say('ready');
  for await (const line of orders()) {
    const [word = '', argument = ''] = line.split(' ');
    if (word === 'go') goOn();
    else if (word === 'crash') process.abort();
    else if (word === 'calls') say(calls);
    else if (word === 'stop') {
      calls = 0;
      stopAt = Number(argument);
    } else void answer(word, argument);
  }
}
