/** Fields of the sign-in profile editor, and their defaults. */
import type { ProfileDraft } from '../../app/contract.ts';

export type Kind = ProfileDraft['kind'];

/** Field values as typed. */
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

/** Microsoft's tenant names for groups of accounts; '' stands for one tenant. */
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

/** A text field of the editor. */
export interface TypedField {
  name: Exclude<keyof Fields, 'kind'>;
  label: string;
  hint: string;
  optional?: boolean;
}

const SCOPES: TypedField = {
  name: 'scopes',
  label: 'Scopes',
  hint: 'Separated by spaces. offline_access keeps you signed in',
};
const REDIRECT: TypedField = {
  name: 'redirect_uri',
  label: 'Redirect URI',
  hint: 'Register this URI with the provider. Without a port, any free port is used',
};

/** In the order of the dialog. The accounts of a Microsoft profile are chosen, not typed. */
export const TYPED: Readonly<Record<Kind, readonly TypedField[]>> = {
  microsoft: [
    {
      name: 'client_id',
      label: 'Client ID',
      hint: 'Application ID of your app registration (public client)',
    },
    SCOPES,
    REDIRECT,
    { name: 'name', label: 'Name', hint: 'Shown in the list of profiles' },
  ],
  oidc: [
    { name: 'authority', label: 'Issuer', hint: 'The provider’s issuer URL, starting with https' },
    {
      name: 'client_id',
      label: 'Client ID',
      hint: 'ID of an app registered as a public (native) client',
    },
    SCOPES,
    REDIRECT,
    {
      name: 'name',
      label: 'Name',
      hint: 'Shown in the list of profiles. If empty, the provider’s host',
      optional: true,
    },
  ],
};

export function fieldsOf(profile: ProfileDraft | null): Fields {
  if (profile === null) return EMPTY.microsoft;
  const { kind, name, authority, client_id, scopes, redirect_uri } = profile;
  return { kind, name, authority, client_id, redirect_uri, scopes: scopes.join(' ') };
}

/** Returns the defaults of another kind and keeps the client ID. */
export function withKind(fields: Fields, kind: Kind): Fields {
  return kind === fields.kind ? fields : { ...EMPTY[kind], client_id: fields.client_id };
}

export function draftOf({ scopes, ...fields }: Fields): ProfileDraft {
  const name = fields.name.trim() || (URL.canParse(fields.authority) ? new URL(fields.authority).host : '');
  return { ...fields, name, scopes: scopes.split(/[\s,]+/).filter((scope) => scope !== '') };
}

/** Returns where a profile signs in: a host, an audience or a tenant. */
export function placeOf({ kind, authority }: Pick<ProfileDraft, 'kind' | 'authority'>): string {
  if (kind === 'oidc') return URL.canParse(authority) ? new URL(authority).host : authority;
  return AUDIENCES.find(({ id }) => id !== '' && id === authority)?.says ?? `Microsoft tenant ${authority}`;
}
