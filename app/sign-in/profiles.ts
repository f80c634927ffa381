/**
 * Sign-in profiles: in a file without secrets, since a public client has none. Profiles come from the window, or from a file that anyone
 * could have written, so each is checked.
 */
import { randomUUID } from 'node:crypto';
import { InvalidArgumentError } from 'tokenkeep';
import { plainIssuer } from 'tokenkeep/cache';
import { smallFileError } from 'tokenkeep/ipc';
import * as v from 'valibot';
import { readJson, writeJson } from '../data-folder.ts';
import type { ProfileDraft, SignInProfile } from './contract.ts';

export interface Profiles {
  list(): readonly SignInProfile[];
  /** @throws InvalidArgumentError if it no longer exists */
  find(id: string): SignInProfile;
  /** @param id null: a new one */
  save(draft: ProfileDraft, id: string | null): SignInProfile;
  remove(id: string): void;
}

const text = (longest: number) => v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(longest));
/** RFC 6749 §3.3. */
const scope = v.pipe(v.string(), v.maxLength(200), v.regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/));
const issuer = v.pipe(
  text(500),
  v.transform((value) => plainIssuer(value) ?? ''),
  v.nonEmpty(),
);
const common = {
  name: text(80),
  client_id: v.pipe(text(200), v.regex(/^[\x21-\x7e]+$/)),
  scopes: v.pipe(v.array(scope), v.maxLength(50), v.readonly()),
  // Normalized with the slash that URL parsers add to an empty path, so that the text is always the same.
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
  v.strictObject({ kind: v.literal('oidc'), authority: issuer, ...common }),
]);
const id = v.pipe(v.string(), v.regex(/^[\w-]{1,40}$/));
const contents = v.object({
  version: v.literal(1),
  profiles: v.array(v.looseObject({ id })),
});

/** Opens the profiles in a file, which need not exist. @param now milliseconds since the epoch */
export function profilesAt(file: string, now: () => number): Profiles {
  let known: readonly SignInProfile[] | undefined;
  const list = (): readonly SignInProfile[] => (known ??= readJson(file, contentsOf, now) ?? []);
  const keep = (profiles: readonly SignInProfile[]): void => {
    try {
      writeJson(file, { version: 1, profiles });
    } catch (cause) {
      throw smallFileError('The sign-in profiles could not be saved and are unchanged.', file, cause);
    }
    known = profiles;
  };
  const find = (wanted: string): SignInProfile => {
    const found = list().find((profile) => profile.id === wanted);
    if (found !== undefined) return found;
    throw new InvalidArgumentError('This sign-in profile no longer exists. Nothing was done.');
  };
  return {
    list,
    find,
    save(next, replaced) {
      if (replaced !== null) find(replaced);
      const saved = { ...next, id: replaced ?? randomUUID() };
      keep(
        replaced === null
          ? [...list(), saved]
          : list().map((profile) => (profile.id === replaced ? saved : profile)),
      );
      return saved;
    },
    remove(removed) {
      keep(list().filter((profile) => profile.id !== removed));
    },
  };
}

/** The id of the profile that comes with the build. */
export const BUILT_IN = 'built-in';

/**
 * Adds a profile for the app registration of the build's owner, so that users can sign in with Microsoft without creating one. It can be
 * neither changed nor removed, and gives way to a saved profile of the same app.
 *
 * @param registration its client ID; "": the build has none
 */
export function withRegistration(profiles: Profiles, registration: string): Profiles {
  if (registration === '') return profiles;
  const own: SignInProfile = {
    id: BUILT_IN,
    kind: 'microsoft',
    name: 'Microsoft',
    authority: 'common',
    client_id: registration,
    scopes: ['User.Read', 'profile', 'offline_access'],
    redirect_uri: 'http://localhost/',
  };
  return {
    ...profiles,
    list() {
      const saved = profiles.list();
      return saved.some(({ client_id }) => client_id === registration) ? saved : [own, ...saved];
    },
    find: (id) => (id === BUILT_IN ? own : profiles.find(id)),
    save: (draft, id) => profiles.save(draft, id === BUILT_IN ? null : id),
    remove(id) {
      if (id !== BUILT_IN) profiles.remove(id);
    },
  };
}

/** @throws if this is not a profiles file */
function contentsOf(value: unknown): readonly SignInProfile[] {
  const { profiles } = v.parse(contents, value);
  return profiles.map(({ id: its, ...rest }) => ({ id: its, ...v.parse(draft, rest) }));
}

const FIELDS: Readonly<Record<string, string>> = {
  name: 'The profile needs a name of at most 80 characters.',
  authority:
    'The provider’s address is invalid: an issuer begins with https://, a tenant is an ID or a domain.',
  client_id: 'The client ID is missing or has characters that no client ID has.',
  scopes: 'The scopes are invalid: enter names with spaces between them.',
  redirect_uri:
    'The redirect URI has to be on this computer: http://localhost or http://127.0.0.1, with or without port and path.',
};

/** @throws InvalidArgumentError that names the field */
export function checkedDraft(value: unknown): ProfileDraft {
  const result = v.safeParse(draft, value);
  if (result.success) return result.output;
  const field = result.issues[0].path?.[0]?.key;
  const said = typeof field === 'string' ? FIELDS[field] : undefined;
  throw new InvalidArgumentError(`${said ?? 'This is no sign-in profile.'} Nothing was saved.`);
}

/** Returns the issuer to discover. Each of Entra's multi-tenant endpoints counts as one issuer without a fixed tenant. */
export function issuerOfProfile({ kind, authority }: Pick<SignInProfile, 'kind' | 'authority'>): string {
  return kind === 'microsoft' ? microsoftIssuer('login.microsoftonline.com', authority) : authority;
}

function microsoftIssuer(host: string, tenant: string): string {
  return `https://${host}/${encodeURIComponent(tenant)}/v2.0`;
}

/** Returns the tenant of an issuer in the cloud that a profile of Microsoft signs in to; undefined for any other issuer. */
export function tenantOf(issuer: string): string | undefined {
  return /^https:\/\/login\.microsoftonline\.com\/([^/]+)\/v2\.0$/.exec(issuer)?.[1];
}

/** The tenant of all personal Microsoft accounts, which signs in at `consumers`. */
const PERSONAL_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';

/**
 * Whether a profile signs users of this issuer in: its own, or any tenant of Microsoft's that an endpoint for several stands for. Then
 * `exact` is false, and a profile for the tenant alone fits better.
 */
export function fitsIssuer(profile: SignInProfile, issuer: string): { exact: boolean } | null {
  if (isSameIssuer(issuerOfProfile(profile), issuer)) return { exact: true };
  const tenant = tenantOf(issuer);
  if (profile.kind !== 'microsoft' || tenant === undefined) return null;
  const isPersonal = tenant.toLowerCase() === PERSONAL_TENANT;
  const audiences = ['common', isPersonal ? 'consumers' : 'organizations'];
  return audiences.includes(profile.authority) ? { exact: false } : null;
}

/** Compares issuers as text (OpenID Connect Core §2), ignoring the trailing slash that parsers add. */
export function isSameIssuer(a: string, b: string): boolean {
  const plain = (value: string): string =>
    (URL.canParse(value) ? new URL(value).href : value).replace(/\/$/, '');
  return plain(a) === plain(b);
}

/** RFC 8252 §7.3. */
function isLoopback(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, search, hash, username, password } = new URL(value);
  const loopback = hostname === 'localhost' || hostname === '127.0.0.1';
  return protocol === 'http:' && loopback && `${search}${hash}${username}${password}` === '';
}
