/** Records what happened at the provider, for tests and demos: which user, which app, and how often. Never a token. */
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { REUSED } from './memory.ts';

export type EventType =
  | 'signed-in' // a code or a device code was redeemed
  | 'refreshed'
  | 'reused' // a refresh token was used a second time, so its whole family was revoked
  | 'refused' // the token endpoint refused a grant, for another reason
  | 'revoked' // RFC 7009
  | 'session-ended'
  | 'service'; // client credentials

export interface ProviderEvent {
  type: EventType;
  client: string;
  user?: string;
}

export interface Events {
  /** In the order in which they happened. */
  readonly list: readonly ProviderEvent[];
  count(type: EventType, user?: string): number;
  clear(): void;
}

export function record(provider: Provider): Events {
  const list: ProviderEvent[] = [];
  const add = (type: EventType, { oidc }: KoaContextWithOIDC): void => {
    const { Account, RefreshToken, AccessToken } = oidc.entities;
    const user = Account?.accountId ?? RefreshToken?.accountId ?? AccessToken?.accountId;
    list.push({ type, client: oidc.client?.clientId ?? '', ...(user === undefined ? {} : { user }) });
  };
  provider.on('grant.success', (ctx) =>
    add(GRANTS[String(ctx.oidc.params?.['grant_type'])] ?? 'signed-in', ctx),
  );
  provider.on('grant.error', (ctx, error) => add(error.error_detail === REUSED ? 'reused' : 'refused', ctx));
  provider.on('end_session.success', (ctx) => add('session-ended', ctx));
  provider.use(async (ctx: KoaContextWithOIDC, next) => {
    await next();
    if (ctx.path === '/token/revocation' && ctx.status === 200) add('revoked', ctx);
  });
  return {
    list,
    count: (type, user) =>
      list.filter((event) => event.type === type && (user === undefined || event.user === user)).length,
    clear: () => void list.splice(0),
  };
}

const GRANTS: Readonly<Record<string, EventType>> = {
  refresh_token: 'refreshed',
  client_credentials: 'service',
};
