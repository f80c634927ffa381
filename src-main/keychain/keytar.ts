import { createRequire } from 'node:module';
import { KeychainError } from '../errors.ts';
import { type Diagnosis, diagnose } from './diagnosis.ts';

/**
 * The three functions of keytar that may be used. Not here, and never called: `findCredentials` and `findPassword`,
 * which end the whole process on a locked Secret Service and match by prefix on Windows.
 */
export interface Keytar {
  /** `null` when it is absent, and also when the keychain is locked. */
  getPassword(service: string, account: string): Promise<string | null>;
  /** Replaces what is there. Rejects where the keychain is locked. */
  setPassword(service: string, account: string, password: string): Promise<void>;
  /** `false` when there is nothing to delete, and also when the keychain is locked. */
  deletePassword(service: string, account: string): Promise<boolean>;
}

let loading: Promise<Keytar> | undefined;

/**
 * Loads the native module at the first use and not before: a machine without the library it needs must be able to
 * start, and to say so. A failure is not kept: the library can be installed while we run.
 */
export function loadKeytar(): Promise<Keytar> {
  loading ??= importKeytar().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function importKeytar(): Promise<Keytar> {
  try {
    // A dynamic import works in both forms of the published module; CommonJS exports arrive as `default`.
    return (await import('keytar')).default;
  } catch (cause) {
    throw unavailable(diagnose('load', nativeCause() ?? cause));
  }
}

/** keytar hides why its binary did not load; the loader itself tells. */
function nativeCause(): unknown {
  try {
    const require = createRequire(import.meta.url);
    require(`keytar/prebuilds/${process.platform}-${process.arch}/keytar.node`);
    return undefined;
  } catch (cause) {
    return cause;
  }
}

export function unavailable({ code, message, cause }: Diagnosis): KeychainError {
  return new KeychainError(code, message, { cause });
}
