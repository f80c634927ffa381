import type { AccountItem, Claim, TokenItem } from '../../src-main/ipc/contract.ts';
import { type ClaimMeaning, HEADER, PAYLOAD } from './claimMeanings.ts';
import { visible, visibleLines } from './text.ts';
import { isTime, localTime, relative } from './time.ts';
import { appLabels, shortScope } from './tokens.ts';
import { appName, PERSONAL_TENANT, resourceName } from './wellKnown.ts';

/** One claim as the panel shows it. All of it is text. */
export interface ClaimLine {
  name: string;
  value: string;
  /** An object or an array: shown with its line breaks, in the fixed-width face. */
  block: boolean;
  /** What it means; null for a claim that is in no registry. */
  says: string | null;
}

/** Lines of one token that are shown; a token with more is not made to be read. */
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
  if (meaning?.reading === 'time' && typeof value === 'number' && isTime(value)) {
    const says = saysWhen(meaning.says, value, now);
    return { name, value: localTime(value, now, timeZone), block: false, says };
  }
  if (typeof value === 'object' && value !== null) {
    const texts = textsOf(value);
    if (texts !== null) {
      return { name, value: texts.map(visible).join(', '), block: false, says: saying(meaning, texts) };
    }
    return { name, value: visibleLines(pretty(value, claim.json)), block: true, says: meaning?.says ?? null };
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return { name, value: visible(text), block: false, says: saying(meaning, [text]) };
}

/** "Expires, in 12 min"; "Expired, 2 h ago". */
function saysWhen(says: string, at: number, now: number): string {
  return `${says === 'Expires' && at <= now ? 'Expired' : says}, ${relative(at, now)}`;
}

/** The meaning, with what the values stand for where that is published. */
function saying(meaning: ClaimMeaning | undefined, values: readonly string[]): string | null {
  if (meaning === undefined) return null;
  const known = values.flatMap((value) => standsFor(meaning, value) ?? []);
  if (known.length === 0) return meaning.says;
  return `${meaning.says}${meaning.codes === undefined ? ',' : ':'} ${visible(known.join(', '))}`;
}

/** null where the value says as much by itself. */
function standsFor(meaning: ClaimMeaning, value: string): string | null {
  if (meaning.codes !== undefined) return meaning.codes.get(value) ?? null;
  if (meaning.reading === 'plain') return null;
  const name = meaning.reading === 'app' ? appName(value) : (resourceName(value) ?? appName(value));
  return name === null || value.toLowerCase().includes(name) ? null : name;
}

/** A short list of texts reads better on one line than as JSON. */
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

function pretty(value: object, json: string): string {
  try {
    return JSON.stringify(value, null, 2);
  } catch {
    return json; // nested deeper than the stack reaches
  }
}

/** The fields of the entity itself, for the Details of a token. */
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
  text('environment', token.environment, 'Host of the provider');
  text('realm', token.realm, 'Tenant it was issued in');
  text(
    'client_id',
    token.client_id,
    withName('The app that asked for it', appName(token.client_id) ?? token.client_name),
  );
  if (token.scopes.length > 0)
    text('target', token.scopes.join(' '), `Scopes: ${token.scopes.map(shortScope).join(', ')}`);
  if (token.type === 'AccessToken') {
    text(
      'audience',
      token.audience,
      withName('The API it is for', token.audience && resourceName(token.audience)),
    );
  }
  text('token_type', token.token_type, 'How it is presented to the API');
  text('key_id', token.key_id, 'The key its holder must prove to have');
  text('family_id', token.family_id, 'Family of client IDs: its apps share refresh tokens');
  time('cached_at', token.cached_at, 'Cached');
  time('refresh_on', token.refresh_on, 'May be renewed early from');
  time('expires_on', token.expires_on, 'Expires');
  time('extended_expires_on', token.extended_expires_on, 'Usable until, while the provider is down');
  time('last_modification_time', token.last_modification_time, 'Last written');
  return lines;
}

function withName(says: string, name: string | null): string {
  return name === null || name === '' ? says : `${says}, ${visible(name)}`;
}

const AUTHORITY: ReadonlyMap<string, string> = new Map([
  ['MSSTS', 'Kind of provider: Microsoft Entra ID, Azure AD B2C or a personal Microsoft account'],
  ['ADFS', 'Kind of provider: Active Directory Federation Services'],
  ['Generic', 'Kind of provider: OpenID Connect'],
]);

/** A block of the Profile tab: a heading, and fields with their meaning. */
export interface ProfileSection {
  title: string;
  lines: ClaimLine[];
}

/** What the cache knows of an account, field by field. */
export function profile(account: AccountItem, tokens: readonly TokenItem[]): ProfileSection[] {
  const sections: ProfileSection[] = [{ title: titles[account.kind], lines: identity(account) }];
  account.tenants.forEach((tenant, index) => {
    const home = index === 0;
    const lines: ClaimLine[] = [];
    const says =
      tenant.realm.toLowerCase() === PERSONAL_TENANT ? 'Tenant of all personal Microsoft accounts' : 'Tenant';
    add(lines, 'realm', tenant.realm, account.kind === 'app' ? 'Tenant its tokens are for' : says);
    add(
      lines,
      'local_account_id',
      tenant.local_account_id,
      'The user in this tenant: object id, else subject',
    );
    add(lines, 'username', tenant.username, 'The name they sign in with here');
    add(lines, 'name', tenant.name, 'Name here');
    const title = account.kind === 'app' ? 'Tenant' : home ? 'Home tenant' : 'Guest in';
    if (lines.length > 0) sections.push({ title, lines });
  });
  const labels = appLabels(account.clients, tokens);
  if (account.clients.length > 0) {
    sections.push({
      title: 'Apps that hold its tokens',
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

const titles = { user: 'Who it is', app: 'App', orphan: 'Not in the cache' } as const;

function identity(account: AccountItem): ClaimLine[] {
  const lines: ClaimLine[] = [];
  add(lines, 'name', account.name, 'Name');
  add(lines, 'username', account.username, 'The name they sign in with; may change');
  add(
    lines,
    'home_account_id',
    account.home_account_id,
    'Same user, whatever the tenant: the user and the home tenant',
  );
  add(lines, 'environment', account.environment, 'Host of the provider');
  add(
    lines,
    'authority_type',
    account.authority_type,
    AUTHORITY.get(account.authority_type ?? '') ?? 'Kind of provider',
  );
  return lines;
}

function add(lines: ClaimLine[], name: string, value: string | null | undefined, says: string): void {
  if (value) lines.push({ name, value: visible(value), block: false, says });
}
