/** The profile editor's fields, and what they are before anything is typed. */
import type { ProfileDraft, SignInProfile } from '../../app/contract.ts';

export type Kind = ProfileDraft['kind'];

/** As typed. */
export interface Fields {
  kind: Kind;
  name: string;
  authority: string;
  client_id: string;
  scopes: string;
  redirect_uri: string;
}

const EMPTY: Readonly<Record<Kind, Fields>> = {
  microsoft: {
    kind: 'microsoft',
    name: 'Microsoft',
    authority: 'common',
    client_id: '',
    scopes: 'User.Read profile offline_access',
    redirect_uri: 'http://localhost/',
  },
  oidc: {
    kind: 'oidc',
    name: '',
    authority: '',
    client_id: '',
    scopes: 'profile email offline_access',
    redirect_uri: 'http://127.0.0.1/',
  },
};

/** Microsoft's names for "everyone", beside a tenant of one's own. */
export const AUDIENCES = [
  { id: 'common', says: 'Work, school and personal accounts' },
  { id: 'organizations', says: 'Work and school accounts' },
  { id: 'consumers', says: 'Personal accounts' },
  { id: '', says: 'One tenant only…' },
] as const;

export const KINDS = [
  { kind: 'microsoft', says: 'Microsoft accounts' },
  { kind: 'oidc', says: 'OpenID Connect provider' },
] as const;

/** One field that is typed into. */
export interface TypedField {
  name: Exclude<keyof Fields, 'kind'>;
  label: string;
  hint: string;
  optional?: boolean;
}

const SCOPES: TypedField = {
  name: 'scopes',
  label: 'Scopes',
  hint: 'Spaces between them; offline_access lets it stay signed in',
};
const REDIRECT: TypedField = {
  name: 'redirect_uri',
  label: 'Redirect URI',
  hint: 'Register this one. Without a port, any free one is used',
};

/** In the order of the dialog. Whose accounts at Microsoft is chosen, not typed. */
export const TYPED: Readonly<Record<Kind, readonly TypedField[]>> = {
  microsoft: [
    {
      name: 'client_id',
      label: 'Client ID',
      hint: 'The application ID of your app registration, as a public client',
    },
    SCOPES,
    REDIRECT,
    { name: 'name', label: 'Name', hint: 'What you call it' },
  ],
  oidc: [
    { name: 'authority', label: 'Issuer', hint: 'An https address, as the provider names it' },
    {
      name: 'client_id',
      label: 'Client ID',
      hint: 'Of an app that is registered there as a public (native) client',
    },
    SCOPES,
    REDIRECT,
    {
      name: 'name',
      label: 'Name',
      hint: 'What you call it; the provider’s host where it is empty',
      optional: true,
    },
  ],
};

export function fieldsOf(profile: SignInProfile | null): Fields {
  if (profile === null) return EMPTY.microsoft;
  const { id: _id, scopes, ...fields } = profile;
  return { ...fields, scopes: scopes.join(' ') };
}

/** Another kind begins anew, but for what means the same in both. */
export function withKind(fields: Fields, kind: Kind): Fields {
  return kind === fields.kind ? fields : { ...EMPTY[kind], client_id: fields.client_id };
}

export function draftOf({ scopes, ...fields }: Fields): ProfileDraft {
  const name = fields.name.trim() || (URL.canParse(fields.authority) ? new URL(fields.authority).host : '');
  return { ...fields, name, scopes: scopes.split(/[\s,]+/).filter((scope) => scope !== '') };
}

/** Where a profile signs in, in few words. */
export function placeOf({ kind, authority }: Pick<ProfileDraft, 'kind' | 'authority'>): string {
  if (kind === 'oidc') return URL.canParse(authority) ? new URL(authority).host : authority;
  return AUDIENCES.find(({ id }) => id !== '' && id === authority)?.says ?? `Microsoft tenant ${authority}`;
}
