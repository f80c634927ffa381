/**
 * The key that each library stores an entity under. Keys are written for those libraries' sake: nothing here or
 * anywhere else finds or removes an entity by a key made up from its fields.
 */
import type { Entity, EntityType } from './entities.ts';
import { componentsIn, extensionOf, hashComponentsForNode } from './extension.ts';
import { schemeOf } from './match.ts';
import { isNode, type Profile } from './dialects.ts';

function text(entity: Entity, field: string): string {
  const value = entity[field];
  return typeof value === 'string' ? value : '';
}

function joined(parts: readonly string[]): string {
  return parts.join('-').toLowerCase();
}

/** MSAL Python has one kind of key for all access tokens but the extended ones; the others name the scheme. */
function accessTokenKey(token: Entity, profile: Profile): string {
  const scheme = schemeOf(token);
  const extension = extensionOf(token);
  const owner = [text(token, 'home_account_id'), text(token, 'environment')];
  const scope = [text(token, 'client_id'), text(token, 'realm'), text(token, 'target')];

  if (isNode(profile)) {
    const kind = scheme === '' ? 'accesstoken' : 'accesstoken_with_authscheme';
    const claims = profile === 'msal-node-3' ? [text(token, 'requestedClaimsHash')] : [];
    const components = componentsIn(token);
    const hash = components === undefined ? extension : hashComponentsForNode(components);
    return joined([...owner, kind, ...scope, ...claims, scheme, ...(hash === '' ? [] : [hash])]);
  }
  if (extension !== '') return joined([...owner, 'atext', ...scope, extension]);
  if (profile === 'msal-dotnet' && scheme !== '') {
    return joined([...owner, 'accesstoken_with_authscheme', ...scope, scheme]);
  }
  return joined([...owner, 'accesstoken', ...scope]);
}

/** What stands between the kind and the end: MSAL Node pads with the places that only access tokens use. */
const PADDING: Readonly<Record<Exclude<Profile, 'msal-python'>, readonly string[]>> = {
  'msal-node': ['', '', ''], // realm, target, scheme
  'msal-node-3': ['', '', '', ''], // realm, target, claims, scheme
  'msal-dotnet': ['', ''], // realm, target
};

function refreshTokenKey(token: Entity, profile: Profile): string {
  const owner = [text(token, 'home_account_id'), text(token, 'environment'), 'refreshtoken'];
  if (profile === 'msal-python')
    return joined([...owner, text(token, 'client_id'), '', text(token, 'target')]);
  return joined([...owner, text(token, 'family_id') || text(token, 'client_id'), ...PADDING[profile]]);
}

function idTokenKey(token: Entity, profile: Profile): string {
  const owner = [
    text(token, 'home_account_id'),
    text(token, 'environment'),
    'idtoken',
    text(token, 'client_id'),
  ];
  const rest = profile === 'msal-python' ? [''] : PADDING[profile].slice(1);
  return joined([...owner, text(token, 'realm'), ...rest]);
}

/** The tenant that a `uid.utid` is at home in; undefined for an id of another form. */
export function homeTenantOf(home_account_id: string): string | undefined {
  const tenant = home_account_id.split('.', 2)[1];
  return tenant === '' ? undefined : tenant;
}

function accountKey(account: Entity, profile: Profile): string {
  const home = text(account, 'home_account_id');
  const realm = isNode(profile) ? (homeTenantOf(home) ?? text(account, 'realm')) : text(account, 'realm');
  const parts = [home, text(account, 'environment'), realm];
  return profile === 'msal-dotnet' ? parts.join('-') : joined(parts);
}

function appMetadataKey(app: Entity, profile: Profile): string {
  const key = `appmetadata-${text(app, 'environment')}-${text(app, 'client_id')}`;
  return profile === 'msal-python' ? key : key.toLowerCase();
}

const KEYS: Readonly<Record<EntityType, (entity: Entity, profile: Profile) => string>> = {
  AccessToken: accessTokenKey,
  RefreshToken: refreshTokenKey,
  IdToken: idTokenKey,
  Account: accountKey,
  AppMetadata: appMetadataKey,
};

/** The key of an understood entity in a profile. */
export function keyOf(type: EntityType, entity: Entity, profile: Profile): string {
  return KEYS[type](entity, profile);
}
