import type { AccountItem } from '../../src-main/ipc/contract.ts';
import { EXPIRED, expiryShown, statusId, statusWords } from './accountStatus.ts';
import {
  accountDetail,
  accountName,
  APP_ROW,
  GROUP_TITLES,
  homeTenant,
  type TenantNames,
  tenantName,
} from './groups.ts';
import { kept } from './kept.ts';
import { plainText } from './text.ts';
import { isPast } from './time.ts';
import { appName } from './wellKnown.ts';

/** A word or a quoted phrase of a search. All of them must match. */
export interface SearchTerm {
  field: 'any' | 'app' | 'tenant' | 'source' | 'is';
  /** In lower case and NFC. */
  text: string;
}

/** What the window knows besides the account itself. */
export interface SearchContext {
  tenants: TenantNames;
  /** Names of apps by client ID, where the window has learned them. */
  appNames: ReadonlyMap<string, string>;
  /** Names of the vault and of opened sources by ID. */
  placeNames?: ReadonlyMap<string, string>;
  /** Returns the IDs of the places at which an account is shown. Default: those that have its tokens. */
  placesOf?: (account: AccountItem) => readonly string[];
  /** Seconds since the epoch. */
  now: number;
}

const FIELD = /^(app|tenant|source|is):/;

/** Splits a search into its terms: `azure app:"order desk" tenant:contoso is:expired`. */
export function parseSearch(search: string): SearchTerm[] {
  const words = plainText(search).match(/(?:\S+:)?"[^"]*"?|\S+/gu) ?? [];
  return words
    .map((word): SearchTerm => {
      const field = FIELD.exec(word)?.[1] as Exclude<SearchTerm['field'], 'any'> | undefined;
      const text = (field === undefined ? word : word.slice(field.length + 1)).replaceAll('"', '').trim();
      return { field: field ?? 'any', text };
    })
    .filter(({ text }) => text !== '');
}

/** The texts of a search that can be found in a shown text, to highlight them. */
export function highlightedWords(search: string): string[] {
  return parseSearch(search)
    .filter(({ field }) => field !== 'is')
    .map(({ text }) => text);
}

/** Whether the account matches by what the window shows of it. Main searches the tokens. */
export function matchesShown(
  account: AccountItem,
  { field, text }: SearchTerm,
  context: SearchContext,
): boolean {
  if (field === 'is') return states(account, context.now).some((state) => state.startsWith(text));
  const { app, tenant, any } = textsOf(account, context);
  const isAt = () => placesOf(account, context).some((id) => nameOfPlace(id, context).includes(text));
  if (field === 'source') return isAt();
  if (field === 'app') return app.includes(text);
  if (field === 'tenant') return tenant.includes(text);
  return any.includes(text) || plainText(timesOf(account, context.now)).includes(text) || isAt();
}

/** The words of a row that change with time. */
function timesOf(account: AccountItem, now: number): string {
  const status = statusWords(account, now);
  return expiryShown(account, now)?.isPast === true ? `${status}\n${EXPIRED}` : status;
}

function placesOf(account: AccountItem, context: SearchContext): readonly string[] {
  return context.placesOf?.(account) ?? account.places;
}

function nameOfPlace(id: string, { placeNames }: SearchContext): string {
  return placeNames === undefined ? '' : (plainNames(placeNames).get(id) ?? '');
}

const plainNames = kept(
  (names: ReadonlyMap<string, string>) => new Map([...names].map(([id, name]) => [id, plainText(name)])),
);

interface ShownTexts {
  context: SearchContext;
  app: string;
  tenant: string;
  any: string;
}

/** What the list and the table say of accounts without a user. */
const KIND_WORDS: Readonly<Record<AccountItem['kind'], string>> = {
  user: '',
  app: `${GROUP_TITLES.app}\n${APP_ROW}`,
  orphan: GROUP_TITLES.orphan,
};

/** Texts of each account: with 10,000 accounts, they are made once, not for every typed letter. */
const texts = new WeakMap<AccountItem, ShownTexts>();

function textsOf(account: AccountItem, context: SearchContext): ShownTexts {
  const before = texts.get(account);
  if (before?.context.tenants === context.tenants && before.context.appNames === context.appNames)
    return before;
  const plain = (parts: readonly string[]) => plainText(parts.join('\n'));
  const app = plain(account.clients.flatMap((id) => [id, shownAppName(id, context.appNames) ?? '']));
  const tenant = plain([
    homeTenant(account, context.tenants),
    ...account.tenants.flatMap(({ realm }) => [realm, tenantName(realm, context.tenants)]),
  ]);
  const own = plain([
    accountName(account),
    accountDetail(account, context.tenants),
    KIND_WORDS[account.kind],
  ]);
  const any = `${own}\n${app}\n${tenant}`;
  const made = { context, app, tenant, any };
  texts.set(account, made);
  return made;
}

/** Returns the name of an app: a published one, or one that the window has learned; else null. */
export function shownAppName(clientId: string, learned: ReadonlyMap<string, string>): string | null {
  return learned.get(clientId) ?? appName(clientId);
}

/** Returns the words by which `is:` finds the account. */
function states(account: AccountItem, now: number): string[] {
  const id = statusId(account, now);
  const expired = account.lastExpiry !== null && isPast(account.lastExpiry, now);
  const words = plainText(statusWords(account, now));
  return [
    id,
    account.kind,
    ...(id === 'until' ? ['active', 'soon'] : []),
    ...(expired ? ['expired'] : []),
    ...words.split(/,? /),
    words,
  ];
}
