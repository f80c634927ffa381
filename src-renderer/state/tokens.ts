import type { AccountItem, TokenItem } from '../../src-main/ipc/contract.ts';
import { shortId, visible } from './text.ts';
import { isPast, shortTime } from './time.ts';
import { appName, resourceName } from './wellKnown.ts';
import { listing } from './words.ts';

/** Names of token types. */
const KIND = { AccessToken: 'Access', RefreshToken: 'Refresh', IdToken: 'ID' } as const;

/** OpenID Connect scopes don't identify a resource, so they don't count. */
const OPENID = new Set(['openid', 'profile', 'offline_access', 'email']);

/** Returns the type and the resource of a token: "Access", "Microsoft Graph". */
export function tokenTitle(token: TokenItem): { kind: string; subject: string } {
  return { kind: KIND[token.type], subject: subject(token) };
}

function subject(token: TokenItem): string {
  if (token.type === 'IdToken') return 'Identity';
  if (token.type === 'RefreshToken') return token.family_id ? 'Microsoft app family' : 'This app';
  if (token.audience !== null) return resourceName(token.audience) ?? visible(token.audience);
  return token.scopes.some((scope) => !OPENID.has(scope.toLowerCase())) ? 'Unknown API' : 'The provider';
}

/** Returns the second line: short scopes, or what the token does. */
export function tokenDetail(token: TokenItem): string {
  if (token.type === 'IdToken') return 'name, username, tenant';
  if (token.type === 'RefreshToken') {
    return token.family_id
      ? 'Renews tokens of all apps in the family'
      : `Renews tokens of ${appLabel(token)}`;
  }
  const scopes = token.scopes.filter((scope) => !OPENID.has(scope.toLowerCase()));
  const shown = (scopes.length > 0 ? scopes : token.scopes).map((scope) => visible(shortScope(scope)));
  return shown.length > 0 ? shown.join(', ') : 'No scopes';
}

/** "https://graph.microsoft.com/User.Read" → "User.Read": the title names the resource. */
export function shortScope(scope: string): string {
  const match = /^(?:https?|api):\/\/\S*?\/([^/\s]+)$/i.exec(scope);
  return match?.[1] ?? scope;
}

export function appLabel(token: Pick<TokenItem, 'client_id' | 'client_name'>): string {
  return token.client_name !== null && token.client_name !== ''
    ? visible(token.client_name)
    : (appName(token.client_id) ?? shortId(token.client_id));
}

/** Returns the names of apps by client ID, from tokens or published lists; else the short ID. */
export function appLabels(clients: readonly string[], tokens: readonly TokenItem[]): string[] {
  return clients.map((id) => {
    const named = tokens.find((token) => token.client_id === id && token.client_name);
    return appLabel({ client_id: id, client_name: named?.client_name ?? null });
  });
}

/** Returns the tenant of a token if it isn't the home tenant; else null. */
export function awayTenant(token: TokenItem, account: AccountItem): string | null {
  const home = account.tenants[0]?.realm;
  if (token.realm === null || home === undefined || account.kind === 'app') return null;
  return token.realm.toLowerCase() === home.toLowerCase() ? null : token.realm;
}

export type TokenColumn = 'token' | 'app' | 'time';
export interface TokenOrder {
  column: TokenColumn;
  direction: 'ascending' | 'descending';
}

const RANK = { AccessToken: 0, RefreshToken: 1, IdToken: 2 } as const;
const collator = new Intl.Collator('en', { sensitivity: 'base', numeric: true });

/** Sorts by type (access, refresh, ID), app, or expiry. Tokens without expiry come last in both directions. */
export function sortTokens(tokens: readonly TokenItem[], order: TokenOrder): TokenItem[] {
  const sign = order.direction === 'ascending' ? 1 : -1;
  const isEndless = ({ expires_on }: TokenItem) => Number(order.column === 'time' && expires_on === null);
  return [...tokens].sort(
    (a, b) => isEndless(a) - isEndless(b) || sign * compare(a, b, order.column) || compare(a, b, 'token'),
  );
}

function compare(a: TokenItem, b: TokenItem, column: TokenColumn): number {
  if (column === 'app') return collator.compare(appLabel(a), appLabel(b));
  if (column === 'time') return (a.expires_on ?? 0) - (b.expires_on ?? 0);
  return (
    RANK[a.type] - RANK[b.type] ||
    collator.compare(subject(a), subject(b)) ||
    collator.compare(a.realm ?? '', b.realm ?? '') ||
    collator.compare(a.client_id, b.client_id) ||
    collator.compare(a.id, b.id)
  );
}

/** Returns the apps with tokens of the account as a list: "Mail Assistant and Order Desk". */
export function appsOf(account: AccountItem, tokens: readonly TokenItem[], most = 4): string {
  return listing(appLabels(account.clients, tokens), most);
}

/** Returns the text after the app's name: " · cached 14:08, expires 15:08". The usual type, Bearer, is not named. */
export function tokenWhen(token: TokenItem, now: number, timeZone?: string): string {
  const parts: string[] = [];
  if (token.token_type && token.token_type.toLowerCase() !== 'bearer') parts.push(visible(token.token_type));
  const times: string[] = [];
  const written = token.cached_at ?? token.last_modification_time;
  if (written !== null) times.push(`cached ${shortTime(written, now, timeZone)}`);
  if (token.expires_on !== null) {
    times.push(
      `${isPast(token.expires_on, now) ? 'expired' : 'expires'} ${shortTime(token.expires_on, now, timeZone)}`,
    );
  }
  if (times.length > 0) parts.push(times.join(', '));
  return parts.map((part) => ` · ${part}`).join('');
}

/** Returns whether the signature of a JWT was verified, with which key, and when. */
export function signatureNote({ signature }: TokenItem, now: number, timeZone?: string): string {
  if (signature === null) return 'Signature not checked';
  const key =
    signature.key_id === null ? 'a key of the provider' : `the provider’s key ${visible(signature.key_id)}`;
  return `Signature valid. Checked with ${key} when the token was received, ${shortTime(signature.at, now, timeZone)}.`;
}
