/** Asks before a refresh token goes to a host other than its issuer's, and keeps the answer where the app keeps it. */
import { dirname } from 'node:path';
import { type AllowedIssuers, allowedIssuersAt } from '../accounts/allowed-issuers.ts';
import type { Vault } from '../vault/api.ts';
import { printable } from './text.ts';
import { assertAgreed, EXIT, NOTHING_SENT, Stop, type World } from './world.ts';

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
  await assertAgreed(
    world,
    printable(`${says}\nAllow it only if it belongs to your provider. Allow? [y/N] `),
    NOTHING_SENT,
  );
  allowedBeside(vault).allow(issuer, [host]);
}
