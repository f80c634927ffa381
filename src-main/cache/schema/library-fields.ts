/** The field values that each library expects in an entity that another library wrote. Other fields are unchanged. */

import { folded, textOf } from '../json.ts';
import { cachedEnvironment, configuredEnvironment, hostOf, issuerIn } from './authorities.ts';
import { type Dialect, isNode } from './dialects.ts';
import type { Entity, EntityType } from './entities.ts';
import { secondsOf } from './expiry.ts';
import { componentsIn, extensionOf, keyIdOf, schemeOf } from './match.ts';
import { ADFS_REALM, ANY_TENANT, homeTenantOf } from './tenant-profiles.ts';

type Changes = Readonly<Record<string, unknown>>;

/**
 * Returns the changes to a valid entity that make it findable and readable for the library of the dialect.
 *
 * @param age returns when it was written, in seconds since the epoch; NaN if unknown
 */
export function fieldsFor(type: EntityType, entity: Entity, dialect: Dialect, age: () => number): Changes {
  const python = dialect === 'msal-python';
  return {
    environment: environmentFor(entity, dialect),
    ...realm(type, entity, dialect),
    ...(type === 'AccessToken' ? accessToken(entity, dialect) : {}),
    ...(type === 'RefreshToken' || type === 'IdToken' ? { credential_type: type } : {}),
    ...(type === 'RefreshToken' && python ? pythonRefreshToken(entity, age) : {}),
    ...(type === 'Account' ? account(entity, dialect) : {}),
  };
}

/**
 * MSAL Python looks up the host without a port; MSAL Node and MSAL.NET keep the port. It is omitted only if the issuer
 * contains it.
 */
function environmentFor(entity: Entity, dialect: Dialect): string {
  const environment = textOf(entity['environment']);
  const issuer = URL.canParse(issuerIn(entity)) ? new URL(issuerIn(entity)) : undefined;
  const isIssuers = issuer !== undefined && issuer.port !== '' && issuer.hostname === hostOf(environment);
  if (dialect === 'msal-python') return isIssuers ? issuer.hostname : configuredEnvironment(environment);
  return isIssuers ? issuer.host : cachedEnvironment(environment);
}

/** MSAL Python lists only accounts of its own type, and every library requires these fields. */
function account(entity: Entity, dialect: Dialect): Changes {
  const type = textOf(entity['authority_type']);
  const isGeneric = type === '' || (dialect === 'msal-python' && type === 'Generic');
  return {
    ...(isGeneric ? { authority_type: 'MSSTS' } : {}),
    ...(typeof entity['username'] === 'string' ? {} : { username: '' }),
    ...(typeof entity['realm'] === 'string' ? {} : { realm: '' }),
  };
}

/**
 * MSAL Python may write `common`; the others look up the tenant that issued the token, which is the user's home. AD FS has
 * no tenants: MSAL Python uses the first part of the path, and MSAL Node uses none except for access tokens.
 */
function realm(type: EntityType, entity: Entity, dialect: Dialect): Changes {
  const value = textOf(entity['realm']);
  if (dialect === 'msal-python') {
    return value === '' && entity['authority_type'] === 'ADFS' ? { realm: ADFS_REALM } : {};
  }
  if (isNode(dialect) && folded(value) === ADFS_REALM && (type === 'Account' || type === 'IdToken'))
    return { realm: '' };
  const home = homeTenantOf(textOf(entity['home_account_id']));
  return home !== undefined && ANY_TENANT.has(folded(value)) ? { realm: home } : {};
}

/** MSAL Python calls `split` on the target. It tries the newest token first and treats tokens without a time as the oldest. */
function pythonRefreshToken(token: Entity, age: () => number): Changes {
  const time = textOf(token['last_modification_time']);
  return {
    target: textOf(token['target']),
    last_modification_time: time === '' ? String(age() || 0) : time,
  };
}

/** Converts times to decimal digits: MSAL Go and others write numbers. */
function times(token: Entity): Changes {
  const digits = (field: string): string | undefined => {
    const seconds = secondsOf(token[field]);
    return Number.isNaN(seconds) ? undefined : String(seconds);
  };
  const changed: Record<string, unknown> = {};
  for (const field of ['cached_at', 'expires_on', 'refresh_on'])
    if (typeof token[field] === 'number') changed[field] = digits(field);
  return {
    ...changed,
    extended_expires_on:
      textOf(token['extended_expires_on']) || digits('extended_expires_on') || digits('expires_on'),
  };
}

function accessToken(token: Entity, dialect: Dialect): Changes {
  const keyId = keyIdOf(token);
  const components = componentsIn(token);
  const extension = extensionOf(token);
  const bound = schemeOf(token) !== '';
  const common = {
    // MSAL.NET omits Bearer.
    token_type: dialect === 'msal-dotnet' && !bound ? undefined : textOf(token['token_type']) || 'Bearer',
    ...times(token),
    // MSAL Node can't read a token without scopes. The OpenID Connect scopes don't affect matching.
    ...(isNode(dialect) && textOf(token['target']) === '' ? { target: 'openid' } : {}),
  };
  if (dialect === 'msal-dotnet') {
    return {
      ...common,
      credential_type: extension === '' ? 'AccessToken' : 'atext',
      home_account_id: textOf(token['home_account_id']) || undefined,
      ...(keyId === '' ? {} : { kid: keyId }),
      ...(components === undefined ? {} : { ext: components }),
    };
  }
  return {
    ...common,
    credential_type: isNode(dialect) && bound ? 'AccessToken_With_AuthScheme' : 'AccessToken',
    home_account_id: textOf(token['home_account_id']) || (isNode(dialect) ? '' : null),
    ...(keyId === '' ? {} : { key_id: keyId }),
    ...(isNode(dialect) && components !== undefined ? { additionalCacheKeyComponents: components } : {}),
    ...(!isNode(dialect) && extension !== '' ? { ext_cache_key: extension } : {}),
  };
}
