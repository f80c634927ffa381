/**
 * The broker that signs users in to Linux itself: Microsoft's identity broker (Intune) or Himmelblau, on the session bus. Reads the names
 * of its accounts, never a token. A broker that is not running is not started.
 */
import { randomUUID } from 'node:crypto';
import { isRecord } from '../cache/json.ts';
import { Bus, busSocket, type Value } from './dbus.ts';
import type { NamedSignIn } from './names.ts';

const NAME = 'com.microsoft.identity.broker1';
const PATH = '/com/microsoft/identity/broker1';
const INTERFACE = 'com.microsoft.identity.Broker1';
/** The client ID sent to the broker, which lists the accounts that this client may use: that of Edge, as browser extensions use it. */
const CLIENT = 'd7b530a4-7680-4c23-a8bf-c52c121d2e87';

/**
 * Asks the broker for its accounts.
 *
 * @returns null if no broker is running, or its answer has an unknown format
 * @throws Error if the bus or the broker does not answer
 */
export async function brokerSignIns(
  env: Readonly<Record<string, string | undefined>>,
): Promise<NamedSignIn[] | null> {
  const path = busSocket(env);
  const bus = path === undefined ? null : await Bus.connect(path).catch(() => null);
  if (bus === null) return null;
  try {
    const [isRunning] = await bus.callDaemon('NameHasOwner', NAME);
    if (isRunning !== true) return null;
    const id = randomUUID();
    const [answer] = await bus.call({
      destination: NAME,
      path: PATH,
      interface: INTERFACE,
      member: 'getAccounts',
      signature: 'sss',
      body: ['0.0', id, JSON.stringify({ clientId: CLIENT, redirectUri: id })],
    });
    return namesIn(answer);
  } finally {
    bus.close();
  }
}

function namesIn(answer: Value | undefined): NamedSignIn[] | null {
  let json: unknown;
  try {
    json = JSON.parse(typeof answer === 'string' ? answer : '');
  } catch {
    return null;
  }
  const accounts = isRecord(json) ? json['accounts'] : undefined;
  if (!Array.isArray(accounts)) return null;
  return accounts.filter(isRecord).flatMap(({ username, environment }) => {
    if (typeof username !== 'string' || username === '') return [];
    return [
      {
        name: username,
        ...(typeof environment === 'string' && environment !== '' ? { at: environment } : {}),
      },
    ];
  });
}
