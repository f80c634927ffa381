/** The requirements of atproto beyond OAuth (https://atproto.com/specs/oauth): DIDs as subjects, pushed requests and DPoP nonces. */
import { createHash, randomBytes } from 'node:crypto';
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import type { User } from './users.ts';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** Returns the user's DID, in the form of the PLC directory. */
export function didOf({ id }: User): string {
  const bytes = createHash('sha256').update(id).digest();
  return `did:plc:${Array.from(bytes.subarray(0, 24), (byte) => BASE32[byte % 32]).join('')}`;
}

/** Features of oidc-provider that atproto requires. */
export const atprotoFeatures = {
  dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
  pushedAuthorizationRequests: { enabled: true },
} satisfies Configuration['features'];

/** Serves as a personal data server with its own authorization server, and as the PLC directory of its users. */
export function atproto(issuer: string, users: readonly User[]) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    const asked = users.find((user) => ctx.path === `/${encodeURIComponent(didOf(user))}`);
    if (asked !== undefined) {
      ctx.body = {
        '@context': ['https://www.w3.org/ns/did/v1'],
        id: didOf(asked),
        alsoKnownAs: [`at://${asked.id}.example`],
        service: [{ id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: issuer }],
      };
      ctx.type = 'application/did+ld+json';
      return;
    }
    if (ctx.path === '/.well-known/oauth-protected-resource') {
      ctx.body = { resource: issuer, authorization_servers: [issuer] };
      return;
    }
    const isMetadata = ctx.path === '/.well-known/oauth-authorization-server';
    if (isMetadata) ctx.path = '/.well-known/openid-configuration';
    await next();
    if (isMetadata) {
      Object.assign(ctx.body as object, {
        client_id_metadata_document_supported: true,
        require_pushed_authorization_requests: true,
      });
    }
    if (ctx.path !== '/token' || ctx.status !== 200 || typeof ctx.body !== 'object') return;
    const user = users.find(({ id }) => id === ctx.oidc.entities.Account?.accountId);
    if (user !== undefined) ctx.body = { ...ctx.body, sub: didOf(user) };
  };
}
