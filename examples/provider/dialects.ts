/** Features beyond the standards that Microsoft's and Google's libraries expect, because their own providers have them. */
import type { KoaContextWithOIDC } from 'oidc-provider';
import { DESKTOP_APP } from './clients.ts';
import { readForm } from './form.ts';
import type { User } from './users.ts';

type Next = () => Promise<void>;

/** MSAL derives this path from the token endpoint instead of reading it from the metadata: `…/token` becomes `…/devicecode`. */
export const DEVICE_ENDPOINT = '/devicecode';

/** Accepts MSAL's grant type `device_code`, for which RFC 8628 §3.4 has a URN. */
export async function msalDeviceGrant(ctx: KoaContextWithOIDC, next: Next): Promise<void> {
  if (ctx.method === 'POST' && ctx.path === '/token') {
    const form = await readForm(ctx.req);
    if (form.get('grant_type') === 'device_code') {
      form.set('grant_type', 'urn:ietf:params:oauth:grant-type:device_code');
    }
    Object.assign(ctx.req, { body: form.toString() }); // where oidc-provider looks first
  }
  await next();
}

/** Google's libraries send the token to revoke in the query, and name no client, so the desktop app is assumed. */
export async function googleRevocation(ctx: KoaContextWithOIDC, next: Next): Promise<void> {
  const token = ctx.path === '/token/revocation' ? ctx.query['token'] : undefined;
  if (ctx.method === 'POST' && typeof token === 'string') {
    const { client_id } = DESKTOP_APP;
    ctx.req.headers['content-type'] = 'application/x-www-form-urlencoded';
    Object.assign(ctx.req, { body: new URLSearchParams({ token, client_id }).toString() });
  }
  await next();
}

/** Adds `client_info` to the token response, as Entra ID does: base64url of `{uid, utid}`, by which MSAL names the account. */
export function clientInfo(users: readonly User[]) {
  return async (ctx: KoaContextWithOIDC, next: Next): Promise<void> => {
    await next();
    if (ctx.path !== '/token' || ctx.status !== 200 || typeof ctx.body !== 'object') return;
    const user = users.find(({ id }) => id === ctx.oidc.entities.Account?.accountId);
    if (user === undefined) return;
    const info = JSON.stringify({ uid: user.oid, utid: user.tid });
    ctx.body = { ...ctx.body, client_info: Buffer.from(info).toString('base64url') };
  };
}
