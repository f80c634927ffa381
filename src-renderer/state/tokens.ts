import type { AccountItem, TokenItem } from '../../src-main/ipc/contract.ts';
import { shortId, visible } from './text.ts';
import { shortTime } from './time.ts';
import { appName, resourceName } from './wellKnown.ts';
import { listing } from './words.ts';

/** How tokens are called in the window. */
const KIND = { AccessToken: 'Access', RefreshToken: 'Refresh', IdToken: 'ID' } as const;

/** OpenID Connect's own scopes say nothing about what an API may be asked (interop rule: they do not count). */
const OPENID = new Set(['openid', 'profile', 'offline_access', 'email']);

/** "Access", and what it is for: "Microsoft Graph". */
export function tokenTitle(token: TokenItem): { kind: string; subject: string } {
  return { kind: KIND[token.type], subject: subject(token) };
}

function subject(token: TokenItem): string {
  if (token.type === 'IdToken') return 'who you are';
  if (token.type === 'RefreshToken') return token.family_id ? 'family of client IDs' : 'keeps signed in';
  if (token.audience !== null) return resourceName(token.audience) ?? visible(token.audience);
  return token.scopes.some((scope) => !OPENID.has(scope.toLowerCase()))
    ? 'resource not named'
    : 'the provider itself';
}

/** The second line: scopes, shortened to what is read; or what the token does. */
export function tokenDetail(token: TokenItem): string {
  if (token.type === 'IdToken') return 'name, e-mail, tenant';
  if (token.type === 'RefreshToken') {
    return token.family_id
      ? 'gets new tokens for every app of the family'
      : `gets new tokens for ${appLabel(token)}`;
  }
  const scopes = token.scopes.filter((scope) => !OPENID.has(scope.toLowerCase()));
  const shown = (scopes.length > 0 ? scopes : token.scopes).map((scope) => visible(shortScope(scope)));
  return shown.length > 0 ? shown.join(', ') : 'no scopes';
}

/** "https://graph.microsoft.com/User.Read" → "User.Read": the resource stands in the title already. */
export function shortScope(scope: string): string {
  const match = /^(?:https?|api):\/\/\S*?\/([^/\s]+)$/i.exec(scope);
  return match?.[1] ?? scope;
}

export function appLabel(token: Pick<TokenItem, 'client_id' | 'client_name'>): string {
  return token.client_name !== null && token.client_name !== ''
    ? visible(token.client_name)
    : (appName(token.client_id) ?? shortId(token.client_id));
}

/** The names of apps by client id, where tokens or published lists tell them; else the id. */
export function appLabels(clients: readonly string[], tokens: readonly TokenItem[]): string[] {
  return clients.map((id) => {
    const named = tokens.find((token) => token.client_id === id && token.client_name);
    return appLabel({ client_id: id, client_name: named?.client_name ?? null });
  });
}

/** The tenant a token is for, where that isn't the account's home: worth a word. */
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

/** Access before refresh before ID by `token`; what ends first on top by `time`, what has no end last. */
export function sortTokens(tokens: readonly TokenItem[], order: TokenOrder): TokenItem[] {
  const sign = order.direction === 'ascending' ? 1 : -1;
  return [...tokens].sort((a, b) => sign * compare(a, b, order.column) || compare(a, b, 'token'));
}

function compare(a: TokenItem, b: TokenItem, column: TokenColumn): number {
  if (column === 'app') return collator.compare(appLabel(a), appLabel(b));
  if (column === 'time') return (a.expires_on ?? Number.MAX_VALUE) - (b.expires_on ?? Number.MAX_VALUE);
  return (
    RANK[a.type] - RANK[b.type] ||
    collator.compare(subject(a), subject(b)) ||
    collator.compare(a.realm ?? '', b.realm ?? '') ||
    collator.compare(a.client_id, b.client_id) ||
    collator.compare(a.id, b.id)
  );
}

/** "Mail Assistant and Order Desk": the apps that hold tokens of the account, for a sentence. */
export function appsOf(account: AccountItem, tokens: readonly TokenItem[], most = 4): string {
  return listing(appLabels(account.clients, tokens), most);
}

/** What follows the app's name under the title: " · Bearer · cached 14:08, expires 15:08". */
export function tokenWhen(token: TokenItem, now: number, timeZone?: string): string {
  const parts: string[] = [];
  if (token.token_type !== null && token.token_type !== '') parts.push(visible(token.token_type));
  const times: string[] = [];
  const written = token.cached_at ?? token.last_modification_time;
  if (written !== null) times.push(`cached ${shortTime(written, now, timeZone)}`);
  if (token.expires_on !== null) {
    times.push(
      `${token.expires_on > now ? 'expires' : 'expired'} ${shortTime(token.expires_on, now, timeZone)}`,
    );
  }
  if (times.length > 0) parts.push(times.join(', '));
  return parts.map((part) => ` · ${part}`).join('');
}
