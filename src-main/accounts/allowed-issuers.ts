/**
 * The issuers that the user has allowed, and the other hosts that each may name as endpoints: in one file beside the vault, which the app
 * and the command both read and write. It holds no secret.
 */
import { randomUUID } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRecord } from '../cache/json.ts';
import { plainIssuer } from '../cache/schema/authorities.ts';
import { codeOf } from '../error-code.ts';
import { readSmallFile, smallFileError } from './small-file.ts';

/**
 * The issuers that a user has allowed. Each call reads the file, because another process may have changed it.
 *
 * @example
 * import type { AllowedIssuers } from 'tokenkeep/ipc';
 *
 * const isAllowed = (allowed: AllowedIssuers, issuer: string) => allowed.hostsOf(issuer) !== undefined;
 */
export interface AllowedIssuers {
  /** Returns the hosts that an issuer may name besides its own; undefined if the user has not allowed the issuer. */
  hostsOf(issuer: string): readonly string[] | undefined;
  /**
   * Allows an issuer, and adds hosts to those that it may name.
   *
   * @throws StorageError if that can't be saved; nothing is allowed then
   */
  allow(issuer: string, hosts: readonly string[]): void;
  /** @throws StorageError if that can't be saved; the issuer is still allowed then */
  withdraw(issuer: string): void;
}

/**
 * Opens the issuers that the user has allowed.
 *
 * @param folder the folder of the vault, which has to exist before something is allowed
 * @example
 * import { allowedIssuersAt } from 'tokenkeep/ipc';
 *
 * const allowed = allowedIssuersAt('/home/eve/.config/Tokenkeep');
 * allowed.allow('https://id.example', ['tokens.example']);
 * allowed.hostsOf('https://id.example'); // ['tokens.example']
 */
export function allowedIssuersAt(folder: string): AllowedIssuers {
  const file = join(folder, 'allowed-issuers.json');

  /** @throws StorageError if the file can't be read; one that is damaged allows nothing */
  const read = (): Map<string, readonly string[]> => {
    try {
      return entriesOf(JSON.parse(readSmallFile(file)));
    } catch (cause) {
      if (codeOf(cause) === 'ENOENT' || cause instanceof SyntaxError) return new Map();
      throw smallFileError('What you allowed can’t be read and is unchanged.', file, cause);
    }
  };
  // Two processes that write at the same moment can lose a change. Then the user is asked again.
  const change = (edit: (all: Map<string, readonly string[]>) => void): void => {
    const all = read();
    edit(all);
    const allowed = [...all].map(([issuer, hosts]) => ({ issuer, hosts }));
    const next = `${file}.${randomUUID()}.new`;
    try {
      writeFileSync(next, `${JSON.stringify({ version: 1, allowed }, null, 2)}\n`, {
        mode: 0o600,
        flag: 'wx',
        flush: true,
      });
      renameSync(next, file);
    } catch (cause) {
      rmSync(next, { force: true });
      throw smallFileError(
        'The providers that you allowed could not be saved and are unchanged.',
        file,
        cause,
      );
    }
  };
  return {
    hostsOf(issuer) {
      try {
        return read().get(keyOf(issuer));
      } catch {
        return undefined; // the user is asked, and told when the answer can't be saved
      }
    },
    allow(issuer, hosts) {
      change((all) => {
        const key = keyOf(issuer);
        all.set(key, [...new Set([...(all.get(key) ?? []), ...hosts])]);
      });
    },
    withdraw(issuer) {
      if (read().has(keyOf(issuer))) change((all) => all.delete(keyOf(issuer)));
    },
  };
}

function entriesOf(value: unknown): Map<string, readonly string[]> {
  const allowed = isRecord(value) && Array.isArray(value['allowed']) ? (value['allowed'] as unknown[]) : [];
  return new Map(
    allowed.flatMap((one): [string, readonly string[]][] => {
      if (!isRecord(one) || typeof one['issuer'] !== 'string' || !Array.isArray(one['hosts'])) return [];
      if (plainIssuer(one['issuer']) === undefined) return [];
      const hosts = (one['hosts'] as unknown[]).filter((host): host is string => typeof host === 'string');
      return [[keyOf(one['issuer']), hosts]];
    }),
  );
}

/** Compares issuers as text (OpenID Connect Core §2), ignoring the trailing slash that parsers add. */
const keyOf = (issuer: string): string => (plainIssuer(issuer) ?? issuer).replace(/\/$/, '');
