/** Checks what may be put into a header, handed to a program or copied to the clipboard. */

/**
 * Whether a secret is printable ASCII, as access and refresh tokens are (RFC 6749 §A.12 and §A.17). A line break in one would end a header
 * or a line of git's credential protocol, and what follows would run as a command where it is pasted into a terminal.
 */
export const isSendable = (secret: string): boolean => /^[\x20-\x7e]+$/.test(secret);

/**
 * Returns the scheme of an Authorization header (RFC 9110 §11.1): the token type, or `Bearer` where that is missing or can't stand in a
 * header. Providers spell `Bearer` in both cases.
 */
export function authorizationScheme(token_type: string | null | undefined): string {
  const scheme = token_type ?? '';
  return /^bearer$/i.test(scheme) || !/^[\w!#$%&'*+.^`|~-]+$/.test(scheme) ? 'Bearer' : scheme;
}
