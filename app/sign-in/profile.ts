/** What a sign-in profile may be. It comes from the window, or from a file that anyone could have written. */
import { InvalidArgumentError } from 'tokenkeep';
import * as v from 'valibot';
import type { ProfileDraft, SignInProfile } from './contract.ts';

const text = (longest: number) => v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(longest));
/** RFC 6749 §3.3. */
const scope = v.pipe(v.string(), v.maxLength(200), v.regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/));
const common = {
  name: text(80),
  client_id: v.pipe(text(200), v.regex(/^[\x21-\x7e]+$/)),
  scopes: v.pipe(v.array(scope), v.maxLength(50), v.readonly()),
  // With the slash that every parser adds where there is no path, so that it is the same letters everywhere.
  redirect_uri: v.pipe(
    text(200),
    v.check(isLoopback),
    v.transform((uri) => new URL(uri).href),
  ),
};

const draft = v.variant('kind', [
  v.strictObject({
    kind: v.literal('microsoft'),
    authority: v.pipe(text(100), v.regex(/^[a-z\d][a-z\d.-]*$/i)),
    ...common,
  }),
  v.strictObject({ kind: v.literal('oidc'), authority: v.pipe(text(500), v.check(isIssuer)), ...common }),
]);
const id = v.pipe(v.string(), v.regex(/^[\w-]{1,40}$/));
/** OpenID Connect Discovery §3: https, without query and fragment. */
function isIssuer(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, search, hash, username, password } = new URL(value);
  return protocol === 'https:' && `${search}${hash}${username}${password}` === '';
}

/** RFC 8252 §7.3. */
function isLoopback(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, search, hash, username, password } = new URL(value);
  const loopback = hostname === 'localhost' || hostname === '127.0.0.1';
  return protocol === 'http:' && loopback && `${search}${hash}${username}${password}` === '';
}

const FIELDS: Readonly<Record<string, string>> = {
  name: 'The profile needs a name of at most 80 characters.',
  authority:
    'The address of the provider is not one: an issuer begins with https://, a tenant is an id or a domain.',
  client_id: 'The client id is missing, or holds characters that none has.',
  scopes: 'The scopes are names with spaces between them.',
  redirect_uri:
    'The redirect URI has to be on this computer: http://localhost or http://127.0.0.1, with or without port and path.',
};

export function checkedDraft(value: unknown): ProfileDraft {
  const result = v.safeParse(draft, value);
  if (result.success) return result.output;
  const field = result.issues[0].path?.[0]?.key;
  const said = typeof field === 'string' ? FIELDS[field] : undefined;
  throw new InvalidArgumentError(`${said ?? 'This is no sign-in profile.'} Nothing was saved.`);
}

/** @throws what says that this is no file of profiles. */
export function profilesIn(value: unknown): SignInProfile[] {
  const parsed = v.parse(
    v.object({ version: v.literal(1), profiles: v.array(v.looseObject({ id })) }),
    value,
  );
  return parsed.profiles.map(({ id: its, ...rest }) => ({ id: its, ...v.parse(draft, rest) }));
}

/** The issuer to discover. Entra's endpoints for many tenants are one issuer each, with a tenant left open. */
export function issuerOf({ kind, authority }: Pick<SignInProfile, 'kind' | 'authority'>): string {
  return kind === 'microsoft' ? microsoftIssuer('login.microsoftonline.com', authority) : authority;
}

export function microsoftIssuer(host: string, tenant: string): string {
  return `https://${host}/${encodeURIComponent(tenant)}/v2.0`;
}
