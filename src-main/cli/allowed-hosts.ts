/**
 * The hosts besides the issuer's own on which the user allows its token endpoint. The command keeps them in the vault, and also reads those
 * that the user has allowed in the app, from the sign-in profiles beside the vault.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { appData, setAppData } from '../cache/app-data.ts';
import { isRecord } from '../cache/json.ts';
import { plainIssuer } from '../cache/schema/authorities.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import type { Vault } from '../vault/api.ts';
import { printable } from './text.ts';
import { EXIT, Stop, type World } from './world.ts';

/** Returns the hosts that the user has agreed to for an issuer. */
export type AllowedHosts = (issuer: string) => Promise<readonly string[]>;

const NAME = 'token hosts';

export function hostsAllowed(vault: Vault): AllowedHosts {
  return async (issuer) => [
    ...(await vault.read((cache) => agreedIn(cache, issuer))),
    ...(await agreedInProfiles(join(dirname(vault.status.file), 'sign-in-profiles.json'), issuer)),
  ];
}

function agreedIn(cache: TokenCache, issuer: string): readonly string[] {
  const all = appData(cache, NAME);
  return isRecord(all) && Object.hasOwn(all, issuer) ? strings(all[issuer]) : [];
}

/** A file that can't be read allows nothing. */
async function agreedInProfiles(file: string, issuer: string): Promise<readonly string[]> {
  try {
    const json: unknown = JSON.parse(await readFile(file, 'utf8'));
    const allowed = isRecord(json) && Array.isArray(json['allowed']) ? (json['allowed'] as unknown[]) : [];
    return allowed.flatMap((one) => {
      const theirs = isRecord(one) && typeof one['issuer'] === 'string' ? plainIssuer(one['issuer']) : null;
      return isRecord(one) && theirs?.replace(/\/$/, '') === issuer.replace(/\/$/, '')
        ? strings(one['hosts'])
        : [];
    });
  } catch {
    return [];
  }
}

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];

/** @throws Stop if the user says no, or can't be asked; nothing was sent */
export async function agreeToHost(
  vault: Vault,
  world: World,
  { issuer, host }: { readonly issuer: string; readonly host: string },
): Promise<void> {
  const says = `The provider ${issuer} has its token endpoint on another host, ${host}. The refresh token would go there.`;
  if (!world.isInteractive)
    throw new Stop(
      EXIT.signInRequired,
      printable(
        `${says} Nobody can be asked here, so nothing was sent. Run this once in a terminal, and agree only if ${host} belongs to your provider.`,
      ),
    );
  const answer = await world.ask(
    printable(`${says}\nAllow it only if it belongs to your provider. Allow? [y/N] `),
  );
  if (!/^y(?:es)?$/i.test(answer.trim()))
    throw new Stop(EXIT.cancelled, 'Cancelled. Nothing was sent, and the cached tokens are as they were.');
  await vault.update((cache) => {
    const all = appData(cache, NAME);
    const known = agreedIn(cache, issuer);
    setAppData(cache, NAME, { ...(isRecord(all) ? all : {}), [issuer]: [...known, host] });
  });
}
