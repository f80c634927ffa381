import type { Keychain } from './keychain.ts';

/** A keychain that is gone with the process: for tests and demos. It protects nothing. */
export function memoryKeychain(): Keychain {
  const secrets = new Map<string, string>();
  const at = (service: string, account: string): string => JSON.stringify([service, account]);
  return {
    label: 'Memory',
    get: (service, account) => Promise.resolve(secrets.get(at(service, account)) ?? null),
    set: (service, account, secret) => {
      secrets.set(at(service, account), secret);
      return Promise.resolve();
    },
    delete: (service, account) => {
      secrets.delete(at(service, account));
      return Promise.resolve();
    },
  };
}
