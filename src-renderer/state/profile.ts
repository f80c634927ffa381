import type { AccountItem, TokenItem } from '../../src-main/ipc/contract.ts';
import type { ClaimLine } from './claims.ts';
import { visible } from './text.ts';
import { appLabels } from './tokens.ts';
import { PERSONAL_TENANT } from './wellKnown.ts';

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
