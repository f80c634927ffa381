/**
 * The Secret Service of a Linux desktop (freedesktop.org, Secret Service API 0.2): GNOME Keyring, KWallet, KeePassXC. keytar reads only
 * items that keytar wrote; this module finds other programs' items by their attributes.
 */
import { Bus, BusError, busSocket, type Value } from './dbus.ts';
import { systemTimers } from '../waiting.ts';

/** The D-Bus object path of a keyring item. */
export type SecretItem = string;

/**
 * A short-lived connection to the keyring.
 *
 * @example
 * import { type SecretService, secretService } from 'tokenkeep/sources';
 *
 * async function labels(service: SecretService): Promise<string[]> {
 *   const { unlocked } = await service.search({ service: 'my-app' });
 *   return Promise.all(unlocked.map((item) => service.labelOf(item)));
 * }
 * const service = await secretService();
 * if (service !== null) console.log(await labels(service));
 */
export interface SecretService {
  /** Finds items that have at least these attributes. Never prompts; the secrets of locked items cannot be read. */
  search(
    attributes: Readonly<Record<string, string>>,
  ): Promise<{ unlocked: readonly SecretItem[]; locked: readonly SecretItem[] }>;
  /** Returns the label of an item. */
  labelOf(item: SecretItem): Promise<string>;
  /** @throws KeyringError */
  secretOf(item: SecretItem): Promise<Buffer>;
  /** Replaces the secret of an item and keeps its attributes and label. @throws KeyringError */
  setSecret(item: SecretItem, secret: Buffer): Promise<void>;
  /**
   * Asks the system to unlock items, which prompts the user for the keyring's password.
   *
   * @returns false if the user declined, or did not answer within two minutes
   * @throws KeyringError
   */
  unlock?(items: readonly SecretItem[]): Promise<boolean>;
  /** Closes the connection. */
  close(): void;
}

/** Thrown if the keyring refuses a request. */
export class KeyringError extends Error {
  readonly isLocked: boolean;
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.isLocked = cause instanceof BusError && cause.errorName.endsWith('.IsLocked');
  }
}

const SERVICE = 'org.freedesktop.secrets';
const ITEM = 'org.freedesktop.Secret.Item';

/**
 * Connects to the keyring of this session.
 *
 * @param env names the session bus. Default: the environment of this process
 * @returns null if there is no session bus or no Secret Service on it
 *
 * @example
 * import { secretService } from 'tokenkeep/sources';
 *
 * const service = await secretService({ DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1000/bus' });
 * console.log(service === null ? 'No keyring' : 'Keyring found');
 * service?.close();
 */
export async function secretService(
  // eslint-disable-next-line no-restricted-syntax -- the environment names the session bus
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<SecretService | null> {
  const path = busSocket(env);
  if (path === undefined) return null;
  const bus = await Bus.connect(path).catch(() => null);
  if (bus === null) return null;
  try {
    const [, session] = await ask(
      bus,
      '/org/freedesktop/secrets',
      'org.freedesktop.Secret.Service',
      'OpenSession',
      'sv',
      [
        'plain', // unencrypted over the user's own socket, the fallback of libsecret
        { signature: 's', value: '' },
      ],
    );
    return serviceOn(bus, typeof session === 'string' ? session : '');
  } catch (error) {
    bus.close();
    // No service owns the name, and none can be started.
    if (error instanceof BusError && /ServiceUnknown|NameHasNoOwner|Spawn/.test(error.errorName)) return null;
    throw new KeyringError(error);
  }
}

function ask(
  bus: Bus,
  path: string,
  name: string,
  member: string,
  signature: string,
  body: readonly Value[],
): Promise<Value[]> {
  return bus.call({ destination: SERVICE, path, interface: name, member, signature, body });
}

function serviceOn(bus: Bus, session: string): SecretService {
  const asked: Asked = async (...[path, name, member, signature, body]) => {
    try {
      return await ask(bus, path, name, member, signature, body);
    } catch (error) {
      throw new KeyringError(error);
    }
  };
  return {
    async search(attributes) {
      const [unlocked, locked] = await asked(
        '/org/freedesktop/secrets',
        'org.freedesktop.Secret.Service',
        'SearchItems',
        'a{ss}',
        [new Map(Object.entries(attributes))],
      );
      return { unlocked: unlocked as string[], locked: locked as string[] };
    },
    async labelOf(item) {
      const [label] = await asked(item, 'org.freedesktop.DBus.Properties', 'Get', 'ss', [ITEM, 'Label']);
      return typeof label === 'object' && 'value' in label && typeof label.value === 'string'
        ? label.value
        : '';
    },
    async secretOf(item) {
      const [secret] = await asked(item, ITEM, 'GetSecret', 'o', [session]);
      const value = Array.isArray(secret) ? secret[2] : undefined;
      if (!Buffer.isBuffer(value)) throw new KeyringError('The keyring sent no secret.');
      return value;
    },
    async setSecret(item, secret) {
      await asked(item, ITEM, 'SetSecret', '(oayays)', [[session, Buffer.alloc(0), secret, 'text/plain']]);
    },
    async unlock(items) {
      const [, prompt] = await asked(
        '/org/freedesktop/secrets',
        'org.freedesktop.Secret.Service',
        'Unlock',
        'ao',
        [[...items]],
      );
      if (typeof prompt !== 'string' || prompt === '/') return true; // It was unlocked in the meantime.
      return promptOf(bus, prompt, (...words) => asked(...words));
    },
    close: () => bus.close(),
  };
}

type Asked = (
  ...words: [path: string, name: string, member: string, signature: string, body: Value[]]
) => Promise<Value[]>;

const PROMPT = 'org.freedesktop.Secret.Prompt';
/** Milliseconds to wait for the user to type a password. */
const ANSWERING = 120_000;

/** Shows a prompt of the keyring. Returns whether the user answered it. */
async function promptOf(bus: Bus, path: string, asked: Asked): Promise<boolean> {
  let answered: (isDone: boolean) => void = () => undefined;
  const answer = new Promise<boolean>((resolve) => (answered = resolve));
  await bus.onSignal({ path, interface: PROMPT, member: 'Completed' }, ([isDismissed]) =>
    answered(isDismissed !== true),
  );
  await asked(path, PROMPT, 'Prompt', 's', ['']); // no parent window
  const timer = systemTimers.setTimeout(() => {
    answered(false);
    void asked(path, PROMPT, 'Dismiss', '', []).catch(() => undefined);
  }, ANSWERING);
  try {
    return await answer;
  } finally {
    systemTimers.clearTimeout(timer);
  }
}
