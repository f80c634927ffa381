/** What each library expects in an entity that another one wrote. Fields that it does not know stay as they are. */
import type { Entity, EntityType } from './entities.ts';
import { cachedEnvironment, configuredEnvironment } from './environments.ts';
import { componentsIn, extensionOf } from './extension.ts';
import { homeTenantOf } from './keys.ts';
import { folded, keyIdOf, schemeOf } from './match.ts';
import { isNode, type Profile } from './dialects.ts';
import { ADFS_REALM, ANY_TENANT } from './tenant-profiles.ts';

type Changes = Readonly<Record<string, unknown>>;

function text(entity: Entity, field: string): string {
  const value = entity[field];
  return typeof value === 'string' ? value : '';
}

/**
 * Changes to make to an understood entity, so that the library of the profile finds it and can read it.
 *
 * @param age gives when it was written, in seconds; NaN where nothing tells
 */
export function fieldsFor(type: EntityType, entity: Entity, profile: Profile, age: () => number): Changes {
  const environment = text(entity, 'environment');
  const python = profile === 'msal-python';
  return {
    environment: python ? configuredEnvironment(environment) : cachedEnvironment(environment),
    ...realm(type, entity, profile),
    ...(type === 'AccessToken' ? accessToken(entity, profile) : {}),
    ...(type === 'RefreshToken' && python ? pythonRefreshToken(entity, age) : {}),
  };
}

/**
 * MSAL Python may write `common`; the others look under the tenant that the token is from: the user's home. AD FS has no
 * tenants: MSAL Python's is the first part of the path, and MSAL Node has none, but for access tokens.
 */
function realm(type: EntityType, entity: Entity, profile: Profile): Changes {
  const value = text(entity, 'realm');
  if (profile === 'msal-python') {
    return value === '' && entity['authority_type'] === 'ADFS' ? { realm: ADFS_REALM } : {};
  }
  if (isNode(profile) && folded(value) === ADFS_REALM && (type === 'Account' || type === 'IdToken'))
    return { realm: '' };
  const home = homeTenantOf(text(entity, 'home_account_id'));
  return home !== undefined && ANY_TENANT.has(folded(value)) ? { realm: home } : {};
}

/** MSAL Python calls `split` on the target, and tries the newest first, taking those without a time for the oldest. */
function pythonRefreshToken(token: Entity, age: () => number): Changes {
  const time = text(token, 'last_modification_time');
  return {
    target: text(token, 'target'),
    last_modification_time: time === '' ? String(age() || 0) : time,
  };
}

function accessToken(token: Entity, profile: Profile): Changes {
  const keyId = keyIdOf(token);
  const components = componentsIn(token);
  const extension = extensionOf(token);
  const bound = schemeOf(token) !== '';
  const common = {
    // MSAL.NET leaves Bearer out.
    token_type: profile === 'msal-dotnet' && !bound ? undefined : text(token, 'token_type') || 'Bearer',
    extended_expires_on: text(token, 'extended_expires_on') || text(token, 'expires_on'),
  };
  if (profile === 'msal-dotnet') {
    return {
      ...common,
      credential_type: extension === '' ? 'AccessToken' : 'atext',
      home_account_id: text(token, 'home_account_id') || undefined,
      ...(keyId === '' ? {} : { kid: keyId }),
      ...(components === undefined ? {} : { ext: components }),
    };
  }
  return {
    ...common,
    credential_type: isNode(profile) && bound ? 'AccessToken_With_AuthScheme' : 'AccessToken',
    home_account_id: text(token, 'home_account_id') || (isNode(profile) ? '' : null),
    ...(keyId === '' ? {} : { key_id: keyId }),
    ...(isNode(profile) && components !== undefined ? { additionalCacheKeyComponents: components } : {}),
    ...(!isNode(profile) && extension !== '' ? { ext_cache_key: extension } : {}),
  };
}
