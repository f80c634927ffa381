/** Asks before a refresh token goes to a host other than its issuer's, and keeps the answer where the app keeps it. */
import { dirname } from 'node:path';
import { type AllowedIssuers, allowedIssuersAt } from '../accounts/allowed-issuers.ts';
import type { Vault } from '../vault/api.ts';
import { printable } from './text.ts';
import { EXIT, Stop, type World } from './world.ts';

/** Returns the issuers that the user has allowed, here or in the app that has this vault. */
export const allowedBeside = (vault: Vault): AllowedIssuers => allowedIssuersAt(dirname(vault.status.file));

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
        `${says} There is no terminal to ask in, so nothing was sent. Run this once in a terminal, and agree only if ${host} belongs to your provider.`,
      ),
    );
  const answer = await world.ask(
    printable(`${says}\nAllow it only if it belongs to your provider. Allow? [y/N] `),
  );
  if (!/^y(?:es)?$/i.test(answer.trim()))
    throw new Stop(EXIT.cancelled, 'Cancelled. Nothing was sent, and the cached tokens are as they were.');
  allowedBeside(vault).allow(issuer, [host]);
}
