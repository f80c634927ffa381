import type { AccountItem, Claim, TokenItem } from '../../src-main/ipc/contract.ts';
import { exactJson } from '../../src-main/cache/json.ts';
import { type ClaimMeaning, HEADER, PAYLOAD } from './claimMeanings.ts';
import { providerOf } from '../../src-main/cache/shown-names.ts';
import type { TenantNames } from './groups.ts';
import { visible, visibleLines } from './text.ts';
import { isMilliseconds, isPast, isTime, localTime, relative } from './time.ts';
import { appLabels, shortScope } from './tokens.ts';
import { appName, PERSONAL_TENANT, resourceName } from './wellKnown.ts';

/** One claim as the panel shows it. Every field is safe to show. */
export interface ClaimLine {
  name: string;
  value: string;
  /** An object or array: shown as preformatted JSON. */
  block: boolean;
  /** Meaning; null for a claim in no registry. */
  says: string | null;
}

/** Maximum lines shown of one token. */
export const MOST_LINES = 500;

export function payloadLine(claim: Claim, now: number, timeZone?: string): ClaimLine {
  return line(claim, PAYLOAD.get(claim.name), now, timeZone);
}

export function headerLine(claim: Claim, now: number, timeZone?: string): ClaimLine {
  return line(claim, HEADER.get(claim.name) ?? PAYLOAD.get(claim.name), now, timeZone);
}

function line(claim: Claim, meaning: ClaimMeaning | undefined, now: number, timeZone?: string): ClaimLine {
  const name = visible(claim.name);
  const value = parse(claim.json);
  if (value === undefined)
    return { name, value: visible(claim.json), block: false, says: meaning?.says ?? null };
  if (meaning?.reading === 'time' && typeof value === 'number' && isTime(value) && !isMilliseconds(value)) {
    const says = saysWhen(meaning.says, value, now);
    return { name, value: localTime(value, now, timeZone), block: false, says };
  }
  if (typeof value === 'object' && value !== null) {
    const texts = textsOf(value);
    if (texts !== null) {
      return { name, value: texts.map(visible).join(', '), block: false, says: saying(meaning, texts) };
    }
    return { name, value: visibleLines(exactJson(claim.json, 2)), block: true, says: meaning?.says ?? null };
  }
  const text = typeof value === 'string' ? value : claim.json;
  return { name, value: visible(text), block: false, says: saying(meaning, [text]) };
}

/** "Expires, in 12 min"; "Expired, 2 h ago". */
function saysWhen(says: string, at: number, now: number): string {
  return `${says === 'Expires' && isPast(at, now) ? 'Expired' : says}, ${relative(at, now)}`;
}

/** Returns the meaning, followed by the meanings of the values if they are published. */
function saying(meaning: ClaimMeaning | undefined, values: readonly string[]): string | null {
  if (meaning === undefined) return null;
  const known = values.flatMap((value) => standsFor(meaning, value) ?? []);
  if (known.length === 0) return meaning.says;
  return `${meaning.says}: ${visible(known.join(', '))}`;
}

/** Returns the published meaning or name of a value; null if there is none, or if the value contains it already. */
function standsFor(meaning: ClaimMeaning, value: string): string | null {
  if (meaning.codes !== undefined) return meaning.codes.get(value) ?? null;
  if (meaning.reading === 'plain') return null;
  const name = meaning.reading === 'app' ? appName(value) : (resourceName(value) ?? appName(value));
  return name === null || value.toLowerCase().includes(name.toLowerCase()) ? null : name;
}

/** Returns the texts of a list of short strings, which is shown on one line; else null. */
function textsOf(value: object): string[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const texts = value.filter((item): item is string => typeof item === 'string' && item.length < 80);
  return texts.length === value.length ? texts : null;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Returns claims as pretty-printed JSON, as the token has them. */
export function claimsText(claims: readonly Claim[]): string {
  const members = claims.map(({ name, json }) => `${JSON.stringify(name)}:${json}`);
  return exactJson(`{${members.join(',')}}`, 2);
}

/** Returns the fields of the token's cache entry, for the Details tab. */
export function detailLines(token: TokenItem, now: number, timeZone?: string): ClaimLine[] {
  const lines: ClaimLine[] = [];
  const text = (name: string, value: string | null, says: string) => {
    if (value !== null && value !== '') lines.push({ name, value: visible(value), block: false, says });
  };
  const time = (name: string, at: number | null, says: string) => {
    if (at === null) return;
    lines.push({
      name,
      value: localTime(at, now, timeZone),
      block: false,
      says: saysWhen(says, at, now),
    });
  };
  text('environment', token.environment, 'Provider host');
  text('realm', token.realm, 'Tenant');
  text(
    'client_id',
    token.client_id,
    withName('App that asked for the token', appName(token.client_id) ?? token.client_name),
  );
  if (token.scopes.length > 0)
    text('target', token.scopes.join(' '), `Scopes: ${token.scopes.map(shortScope).join(', ')}`);
  if (token.type === 'AccessToken') {
    text('audience', token.audience, withName('API', token.audience && resourceName(token.audience)));
  }
  text('token_type', token.token_type, 'Token type: how the token is sent to the API');
  text('key_id', token.key_id, 'Key that the holder must prove possession of');
  text('family_id', token.family_id, 'App family: its apps share refresh tokens');
  time('cached_at', token.cached_at, 'Cached');
  time('refresh_on', token.refresh_on, 'Time to renew');
  time('expires_on', token.expires_on, 'Expires');
  time('extended_expires_on', token.extended_expires_on, 'End of use while the provider is down');
  time('last_modification_time', token.last_modification_time, 'Last modified');
  return lines;
}

/** Returns a line with the name of the tenant whose ID it shows, where the window has one. */
export function withTenantName(shown: ClaimLine, names: TenantNames): ClaimLine {
  const name = TENANT_IDS.has(shown.name) ? names.get(shown.value.toLowerCase()) : undefined;
  return name === undefined ? shown : { ...shown, says: withName(shown.says ?? 'Tenant', name) };
}

/** A claim, and a field of the cache. */
const TENANT_IDS: ReadonlySet<string> = new Set(['tid', 'realm']);

function withName(says: string, name: string | null): string {
  return name === null || name === '' ? says : `${says}: ${visible(name)}`;
}

const AUTHORITY: ReadonlyMap<string, string> = new Map([
  ['MSSTS', 'Provider type: Microsoft Entra ID, Azure AD B2C or a personal Microsoft account'],
  ['ADFS', 'Provider type: Active Directory Federation Services'],
  ['Generic', 'Provider type: OpenID Connect'],
]);

/** A section of the Profile tab. */
export interface ProfileSection {
  title: string;
  lines: ClaimLine[];
  /** The tenant that the section is about. */
  realm?: string;
}

/** Returns the fields of an account, by section. */
export function profile(account: AccountItem, tokens: readonly TokenItem[]): ProfileSection[] {
  const sections: ProfileSection[] = [{ title: titles[account.kind], lines: identity(account) }];
  account.tenants.forEach((tenant, index) => {
    const home = index === 0;
    const lines: ClaimLine[] = [];
    const says =
      tenant.realm.toLowerCase() === PERSONAL_TENANT ? 'Tenant of all personal Microsoft accounts' : 'Tenant';
    add(lines, 'realm', tenant.realm, account.kind === 'app' ? 'Tenant of its tokens' : says);
    add(lines, 'local_account_id', tenant.local_account_id, 'User ID in this tenant: object ID or subject');
    add(lines, 'username', tenant.username, 'Username in this tenant');
    add(lines, 'name', tenant.name, 'Name in this tenant');
    const realm = namedTenant(account, index);
    const title = account.kind === 'app' ? 'Tenant' : home ? 'Home tenant' : 'Guest in';
    if (lines.length > 0) sections.push({ title, lines, ...(realm === null ? {} : { realm }) });
  });
  const labels = appLabels(account.clients, tokens);
  if (account.clients.length > 0) {
    sections.push({
      title: 'Apps with tokens of this account',
      lines: account.clients.map((id, index) => ({
        name: 'client_id',
        value: visible(id),
        block: false,
        says: labels[index] ?? null,
      })),
    });
  }
  return sections;
}

/** Returns the ID of one of the account's tenants if the user can name it; null for a provider without tenants, which its host names. */
export function namedTenant({ tenants, authority_type, kind }: AccountItem, index: number): string | null {
  const { realm = '' } = tenants[index] ?? {};
  return realm !== '' && (authority_type === 'MSSTS' || kind === 'app') ? realm : null;
}

const titles = { user: 'Account', app: 'App', orphan: 'No account in the cache' } as const;

function identity(account: AccountItem): ClaimLine[] {
  const lines: ClaimLine[] = [];
  add(lines, 'name', account.name, 'Name');
  add(lines, 'username', account.username, 'Username; may change');
  add(
    lines,
    'home_account_id',
    account.home_account_id,
    'Identifies the user across tenants: user ID and home tenant ID',
  );
  add(lines, 'environment', account.environment, 'Provider host');
  if (providerOf(account) !== account.environment)
    add(lines, 'issuer', account.issuer, 'Issuer; the user’s ID is unique only there');
  add(
    lines,
    'authority_type',
    account.authority_type,
    AUTHORITY.get(account.authority_type ?? '') ?? 'Provider type',
  );
  return lines;
}

function add(lines: ClaimLine[], name: string, value: string | null | undefined, says: string): void {
  if (value) lines.push({ name, value: visible(value), block: false, says });
}
