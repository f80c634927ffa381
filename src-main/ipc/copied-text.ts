/** The clipboard forms of a token. */
import { InvalidArgumentError } from '../errors.ts';
import type { CachedAccount } from '../accounts/cached-accounts.ts';
import { isSendable, authorizationScheme } from '../cache/schema/sendable.ts';
import type { CopyForm } from './contract.ts';
import { type IdentifiedToken, tokenItems } from './token-views.ts';

/**
 * Returns the token, an `Authorization` header (RFC 6750 §2.1), or a curl command with that header: for a POSIX shell, or on Windows for
 * PowerShell and cmd.exe.
 *
 * @throws InvalidArgumentError for a secret that is no token, and for a header with anything but an access token, because no API accepts
 * other tokens
 */
export function copiedText(
  account: CachedAccount,
  which: IdentifiedToken,
  form: CopyForm,
  platform: NodeJS.Platform = process.platform,
): string {
  const { secret } = which.token;
  if (!isSendable(secret))
    throw new InvalidArgumentError(
      'This is no valid token: it contains a line break or another character that tokens can’t have. Nothing was copied.',
    );
  if (form === 'token') return secret;
  if (which.type !== 'AccessToken')
    throw new InvalidArgumentError('Only an access token can be sent to an API. Nothing was copied.');
  const item = tokenItems(account).find(({ id }) => id === which.id);
  const header = `Authorization: ${authorizationScheme(item?.token_type)} ${secret}`;
  if (form === 'header') return header;
  const url = urlOf(item?.audience ?? null, item?.scopes ?? []);
  // In Windows PowerShell, `curl` is another program: an alias of Invoke-WebRequest.
  if (platform === 'win32') return `curl.exe --header ${quotedForWindows(header)} ${quotedForWindows(url)}`;
  return `curl --header ${quoted(header)} ${quoted(url)}`;
}

/** Returns the API's URL from its audience or scopes. */
function urlOf(audience: string | null, scopes: readonly string[]): string {
  for (const text of [audience ?? '', ...scopes]) {
    // Several audiences are joined by spaces: which of them is meant is unknown.
    if (/^https?:\/\/\S+$/i.test(text) && URL.canParse(text)) return `${new URL(text).origin}/`;
  }
  return 'https://API';
}

/** Quotes text for a POSIX shell: single quotes, with each quote in the text escaped outside of them. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Quotes text for PowerShell and cmd.exe; text with characters that one of them would expand or end, for PowerShell only. */
function quotedForWindows(text: string): string {
  return /^[\w .~+/=:-]*$/.test(text) ? `"${text}"` : `'${text.replaceAll("'", "''")}'`;
}
