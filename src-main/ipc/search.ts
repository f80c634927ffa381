/** Finding accounts by anything that is known of them but their secrets. */
import { scopesOf } from '../cache/schema/scopes.ts';
import { nameOf, tokensOf, usernameOf } from './account-list.ts';
import type { Holding, Holdings, Token } from './holdings.ts';
import type { AccountId } from './ids.ts';
import { reading } from './reading.ts';
import { inSlices } from './slices.ts';

/** Entities are frozen, so what can be found of one is worked out once. */
const ofToken = new WeakMap<Token, string>();
const ofHolding = new WeakMap<Holding, string>();

/** Ids of the accounts in which every word is found somewhere, in any case, in the order of the list. */
export async function search(holdings: Holdings['byId'], text: string): Promise<AccountId[]> {
  const words = plain(text)
    .split(/\s+/u)
    .filter((word) => word !== '');
  const found: AccountId[] = [];
  await inSlices(holdings.values(), (holding) => {
    const known = textOf(holding);
    if (words.every((word) => known.includes(word))) found.push(holding.id);
  });
  return found;
}

function textOf(holding: Holding): string {
  const before = ofHolding.get(holding);
  if (before !== undefined) return before;
  const { summary, home_account_id, environment } = holding;
  const tenants = (summary?.tenants ?? []).flatMap((tenant) => [
    tenant.realm,
    tenant.username ?? '',
    tenant.name ?? '',
  ]);
  const own = [usernameOf(holding), nameOf(holding) ?? '', home_account_id ?? '', environment, ...tenants];
  const fresh = [joined(own), ...tokensOf(holding).map(textOfToken)].join('\n');
  ofHolding.set(holding, fresh);
  return fresh;
}

function textOfToken(token: Token): string {
  const before = ofToken.get(token);
  if (before !== undefined) return before;
  const target = typeof token['target'] === 'string' ? token['target'] : '';
  const realm = typeof token['realm'] === 'string' ? token['realm'] : '';
  const found = reading(token);
  const claims = found?.format === 'jwt' ? valuesIn(found.payload) : [];
  const fresh = joined([token.environment, token.client_id, realm, ...scopesOf(target), ...claims]);
  ofToken.set(token, fresh);
  return fresh;
}

/** The texts and numbers in a claim, however deep; true and false find nothing worth finding. */
function valuesIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(valuesIn) : [];
}

/** One to a line: a word has no line break, so it is never found across two of them. */
function joined(parts: readonly string[]): string {
  return plain(parts.filter((part) => part !== '').join('\n'));
}

/** So that case and the way in which an accent is written make no difference. */
function plain(text: string): string {
  return text.normalize('NFC').toLowerCase();
}
