/**
 * The key under which each library stores an entity. Keys are written for those libraries only: Tokenkeep never finds or
 * removes an entity by a key computed from its fields.
 */
import type { Entity, EntityType } from './entities.ts';
import { componentsIn, extensionOf, hashComponentsForNode } from './extension.ts';
import { schemeOf } from './match.ts';
import { type Dialect, isNode } from './dialects.ts';

function text(entity: Entity, field: string): string {
  const value = entity[field];
  return typeof value === 'string' ? value : '';
}

function joined(parts: readonly string[]): string {
  return parts.join('-').toLowerCase();
}

/** MSAL Python uses one key format for all access tokens except extended ones; the other libraries include the scheme. */
function accessTokenKey(token: Entity, dialect: Dialect): string {
  const scheme = schemeOf(token);
  const extension = extensionOf(token);
  const owner = [text(token, 'home_account_id'), text(token, 'environment')];
  const scope = [text(token, 'client_id'), text(token, 'realm'), text(token, 'target')];

  if (isNode(dialect)) {
    const kind = scheme === '' ? 'accesstoken' : 'accesstoken_with_authscheme';
    const claims = dialect === 'msal-node-3' ? [text(token, 'requestedClaimsHash')] : [];
    const components = componentsIn(token);
    const hash = components === undefined ? extension : hashComponentsForNode(components);
    return joined([...owner, kind, ...scope, ...claims, scheme, ...(hash === '' ? [] : [hash])]);
  }
  if (extension !== '') return joined([...owner, 'atext', ...scope, extension]);
  if (dialect === 'msal-dotnet' && scheme !== '') {
    return joined([...owner, 'accesstoken_with_authscheme', ...scope, scheme]);
  }
  return joined([...owner, 'accesstoken', ...scope]);
}

/** Empty parts at the end of a key: MSAL Node pads keys with the parts that only access tokens use. */
const PADDING: Readonly<Record<Exclude<Dialect, 'msal-python'>, readonly string[]>> = {
  'msal-node': ['', '', ''], // realm, target, scheme
  'msal-node-3': ['', '', '', ''], // realm, target, claims, scheme
  'msal-dotnet': ['', ''], // realm, target
};

function refreshTokenKey(token: Entity, dialect: Dialect): string {
  const owner = [text(token, 'home_account_id'), text(token, 'environment'), 'refreshtoken'];
  if (dialect === 'msal-python')
    return joined([...owner, text(token, 'client_id'), '', text(token, 'target')]);
  return joined([...owner, text(token, 'family_id') || text(token, 'client_id'), ...PADDING[dialect]]);
}

function idTokenKey(token: Entity, dialect: Dialect): string {
  const owner = [
    text(token, 'home_account_id'),
    text(token, 'environment'),
    'idtoken',
    text(token, 'client_id'),
  ];
  const rest = dialect === 'msal-python' ? [''] : PADDING[dialect].slice(1);
  return joined([...owner, text(token, 'realm'), ...rest]);
}

/** Returns the home tenant of a `uid.utid`; undefined for an ID of another form. */
export function homeTenantOf(home_account_id: string): string | undefined {
  const start = home_account_id.indexOf('.') + 1;
  const end = home_account_id.indexOf('.', start);
  const tenant = start === 0 ? '' : home_account_id.slice(start, end < 0 ? undefined : end);
  return tenant === '' ? undefined : tenant;
}

function accountKey(account: Entity, dialect: Dialect): string {
  const home = text(account, 'home_account_id');
  const realm = isNode(dialect) ? (homeTenantOf(home) ?? text(account, 'realm')) : text(account, 'realm');
  const parts = [home, text(account, 'environment'), realm];
  return dialect === 'msal-dotnet' ? parts.join('-') : joined(parts);
}

function appMetadataKey(app: Entity, dialect: Dialect): string {
  const key = `appmetadata-${text(app, 'environment')}-${text(app, 'client_id')}`;
  return dialect === 'msal-python' ? key : key.toLowerCase();
}

const KEYS: Readonly<Record<EntityType, (entity: Entity, dialect: Dialect) => string>> = {
  AccessToken: accessTokenKey,
  RefreshToken: refreshTokenKey,
  IdToken: idTokenKey,
  Account: accountKey,
  AppMetadata: appMetadataKey,
};

/** Returns the key of a valid entity in a dialect. */
export function keyOf(type: EntityType, entity: Entity, dialect: Dialect): string {
  return KEYS[type](entity, dialect);
}
