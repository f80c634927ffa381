/** The confirmation dialogs before a secret leaves the main process. Each names the token. */
import { printable } from '../vault/printable.ts';
import { resourceName } from '../cache/schema/well-known.ts';
import { type GuestTenant, nameOf, usernameOf } from './account-views.ts';
import type { CachedAccount } from '../accounts/cached-accounts.ts';
import { type IdentifiedToken, tokenItems } from './token-views.ts';

/** A question that the main process asks the user in a dialog of its own, in plain text. */
export interface Question {
  /** One line. */
  message: string;
  /** The consequence of agreeing. */
  detail: string;
  /** The button that agrees; the other one is Cancel. */
  yes: string;
  /** A box to tick beside the buttons; not ticked at first. */
  option?: string;
}

/**
 * Returns a question without control characters: a name from a document can neither change its text direction nor add a line to its
 * message.
 */
export function plainQuestion({ message, detail, ...rest }: Question): Question {
  const lines = detail.split('\n').map((line) => printable(line, 2_000));
  return { ...rest, message: printable(message, 1_000), detail: lines.join('\n') };
}

const KINDS = { AccessToken: 'access token', RefreshToken: 'refresh token', IdToken: 'ID token' };

const MEANS = {
  AccessToken: 'Anyone with this token can use that API in your name until it expires.',
  RefreshToken: 'Anyone with this token can get new access tokens in your name, often for months.',
  IdToken: 'It identifies you to anyone who has it, and some services accept it as proof.',
};

/** Where a token is from. */
interface Origin {
  /** The program whose cache has it. */
  from?: string | undefined;
  /** Its tenant, if it is not the account's home tenant. */
  tenant?: GuestTenant | undefined;
}

export function revealQuestion(account: CachedAccount, token: IdentifiedToken, from: Origin = {}): Question {
  return {
    message: `Show this ${KINDS[token.type]}?`,
    detail: `${describe(account, token, from)}\n\n${MEANS[token.type]} It is visible on the screen for 30 seconds, or until you hide it or leave the window.`,
    yes: 'Show',
  };
}

/** @param options.quiet whether consent is valid for five minutes, as the user has chosen in the settings */
export function copyQuestion(
  account: CachedAccount,
  token: IdentifiedToken,
  { quiet, ...from }: Origin & { quiet: boolean },
): Question {
  const next = quiet ? ' For five minutes, access tokens are then copied without a question.' : '';
  return {
    message: `Copy this ${KINDS[token.type]}?`,
    detail: `${describe(account, token, from)}\n\n${MEANS[token.type]} Other programs can read the clipboard; it is cleared after 30 seconds.${next}`,
    yes: 'Copy',
    // Other tokens grant more access, and for longer.
    ...(token.type === 'AccessToken' &&
      !quiet && { option: 'Don’t ask again for five minutes (access tokens)' }),
  };
}

/** @param tokens at least one; several are all of one app */
export function removeQuestion(
  account: CachedAccount,
  tokens: readonly IdentifiedToken[],
  tenant?: GuestTenant,
): Question {
  const [first, ...others] = tokens;
  if (first === undefined) throw new TypeError('There is a token to remove.');
  const what = others.length === 0 ? `this ${KINDS[first.type]}` : `${tokens.length} tokens of this app`;
  const renews = tokens.some(({ type }) => type === 'RefreshToken');
  const means = renews
    ? 'The app has to ask the user to sign in again. The provider is not told: what others copied stays valid until it expires.'
    : `${renewalOf(account, first)} What others copied stays valid until it expires.`;
  return {
    message: `Remove ${what} from the vault?`,
    detail: `${describe(account, first, { tenant })}\n\n${means} This can’t be undone.`,
    yes: 'Remove',
  };
}

/** Says how the app gets another token in place of one that is not a refresh token. */
function renewalOf({ kind, refreshTokens }: CachedAccount, { token }: IdentifiedToken): string {
  if (kind === 'app') return 'The app can get a new one with its own credentials.';
  if (refreshTokens.some(({ client_id }) => client_id === token.client_id))
    return 'The app can get a new one with a refresh token of this account.';
  // Nothing in a cache says for sure which apps belong to a family.
  return refreshTokens.some(({ family_id }) => Boolean(family_id))
    ? 'The app may be able to get a new one with another app’s refresh token of this account. Otherwise, it has to ask the user to sign in again.'
    : 'There is no refresh token for it, so the app has to ask the user to sign in again.';
}

/**
 * The dialog before the activity is cleared.
 *
 * @example
 * import { confirm } from 'tokenkeep/electron';
 * import { CLEAR_ACTIVITY } from 'tokenkeep/ipc';
 *
 * const mayClear = await confirm(window.webContents, CLEAR_ACTIVITY);
 */
export const CLEAR_ACTIVITY: Question = {
  message: 'Clear the activity?',
  detail:
    'Sign-ins, refreshes, copies and receipts of the last 90 days are removed from the vault. Accounts and tokens stay. ' +
    'One entry will say that the activity was cleared.',
  yes: 'Clear',
};

/** At most six lines: account, issuer, tenant, API, app, and the program whose cache has it. */
function describe(
  account: CachedAccount,
  { id, type }: IdentifiedToken,
  { from, tenant }: Origin = {},
): string {
  const item = tokenItems(account).find((candidate) => candidate.id === id);
  const who = account.kind === 'app' ? 'an app without a user' : whose(account);
  const api = type === 'AccessToken' ? (item?.audience ?? item?.scopes.join(' ') ?? '') : '';
  const name = resourceName(api);
  const what = name === null || name === api ? api : `${name}, ${api}`;
  const app = [item?.client_name, item?.client_id].filter((part) => part !== null && part !== undefined);
  return [
    `Account: ${who}`,
    // Two realms of one host may have users of the same name.
    ...(account.issuer === '' ? [] : [`Issuer: ${printable(account.issuer, 200)}`]),
    // A guest has tokens of one app and API in several tenants.
    ...(tenant === undefined ? [] : [`Tenant: ${tenantText(tenant)}`]),
    ...(what === '' ? [] : [`For: ${printable(what, 120)}`]),
    `App: ${printable(app.join(', '), 120)}`,
    ...(from === undefined ? [] : [`From the cache of: ${printable(from, 80)}`]),
  ].join('\n');
}

function tenantText({ realm, name }: GuestTenant): string {
  return name === undefined ? printable(realm, 120) : `${printable(name, 80)} (${printable(realm, 80)})`;
}

function whose(account: CachedAccount): string {
  const [username, name] = [usernameOf(account), nameOf(account) ?? ''];
  if (username !== '' && name !== '') return `${printable(name, 80)}, ${printable(username, 120)}`;
  return printable(username || name || (account.home_account_id ?? ''), 120);
}
