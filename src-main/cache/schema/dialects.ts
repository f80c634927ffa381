/**
 * The MSAL libraries share a schema and differ in how they write it. A dialect is the form of one library: its keys, the
 * fields that it expects, the environment names that it looks up, and the layout of its JSON.
 */
import { textOf } from '../json.ts';
import type { Entity, EntityType } from './entities.ts';
import { componentsIn, extensionOf, hashComponentsForNode, schemeOf } from './match.ts';
import { homeTenantOf } from './tenant-profiles.ts';

/** The form in which a library writes cache documents. `msal-node`: MSAL Node 5 and later; `msal-node-3`: up to 3. */
export type Dialect = 'msal-python' | 'msal-node' | 'msal-node-3' | 'msal-dotnet';

export const DIALECTS: readonly Dialect[] = ['msal-python', 'msal-node', 'msal-node-3', 'msal-dotnet'];

/** The layout of a document's JSON. */
export interface Layout {
  /** Spaces per level; 0: everything on one line. */
  indent: number;
  /** Whether non-ASCII characters are written as \uXXXX. */
  ascii: boolean;
  /** The text after the last brace: editors add a line break. */
  end: string;
}

export const LAYOUTS: Readonly<Record<Dialect, Layout>> = {
  'msal-python': { indent: 4, ascii: true, end: '' }, // json.dumps(indent=4)
  'msal-node': { indent: 0, ascii: false, end: '' },
  'msal-node-3': { indent: 0, ascii: false, end: '' },
  'msal-dotnet': { indent: 0, ascii: false, end: '' },
};

const NODE_ROOTS: readonly EntityType[] = [
  'Account',
  'IdToken',
  'AccessToken',
  'RefreshToken',
  'AppMetadata',
];

/** The order of the roots in a new document. MSAL Python's is the order in which it adds entities. */
export const ROOTS: Readonly<Record<Dialect, readonly EntityType[]>> = {
  'msal-python': ['AccessToken', 'Account', 'IdToken', 'RefreshToken', 'AppMetadata'],
  'msal-node': NODE_ROOTS,
  'msal-node-3': NODE_ROOTS,
  'msal-dotnet': ['AccessToken', 'RefreshToken', 'IdToken', 'Account', 'AppMetadata'],
};

/** Returns whether empty roots are written. */
export function writesEmptyRoots(dialect: Dialect): boolean {
  return dialect !== 'msal-python';
}

export function isNode(dialect: Dialect): dialect is 'msal-node' | 'msal-node-3' {
  return dialect === 'msal-node' || dialect === 'msal-node-3';
}

/** Returns the display name of the library. */
export function libraryOf(dialect: Dialect): 'MSAL Python' | 'MSAL Node' | 'MSAL.NET' {
  if (dialect === 'msal-python') return 'MSAL Python';
  return dialect === 'msal-dotnet' ? 'MSAL.NET' : 'MSAL Node';
}

// The key under which each library stores an entity. Keys are written for those libraries only: Tokenkeep never finds or
// removes an entity by a key computed from its fields.

function joined(parts: readonly string[]): string {
  return parts.join('-').toLowerCase();
}

/** MSAL Python uses one key format for all access tokens except extended ones; the other libraries include the scheme. */
function accessTokenKey(token: Entity, dialect: Dialect): string {
  const scheme = schemeOf(token);
  const extension = extensionOf(token);
  const owner = [textOf(token['home_account_id']), textOf(token['environment'])];
  const scope = [textOf(token['client_id']), textOf(token['realm']), textOf(token['target'])];

  if (isNode(dialect)) {
    const kind = scheme === '' ? 'accesstoken' : 'accesstoken_with_authscheme';
    const claims = dialect === 'msal-node-3' ? [textOf(token['requestedClaimsHash'])] : [];
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
  const owner = [textOf(token['home_account_id']), textOf(token['environment']), 'refreshtoken'];
  if (dialect === 'msal-python')
    return joined([...owner, textOf(token['client_id']), '', textOf(token['target'])]);
  return joined([...owner, textOf(token['family_id']) || textOf(token['client_id']), ...PADDING[dialect]]);
}

function idTokenKey(token: Entity, dialect: Dialect): string {
  const owner = [
    textOf(token['home_account_id']),
    textOf(token['environment']),
    'idtoken',
    textOf(token['client_id']),
  ];
  const rest = dialect === 'msal-python' ? [''] : PADDING[dialect].slice(1);
  return joined([...owner, textOf(token['realm']), ...rest]);
}

function accountKey(account: Entity, dialect: Dialect): string {
  const home = textOf(account['home_account_id']);
  const realm = isNode(dialect) ? (homeTenantOf(home) ?? textOf(account['realm'])) : textOf(account['realm']);
  const parts = [home, textOf(account['environment']), realm];
  return dialect === 'msal-dotnet' ? parts.join('-') : joined(parts);
}

function appMetadataKey(app: Entity, dialect: Dialect): string {
  const key = `appmetadata-${textOf(app['environment'])}-${textOf(app['client_id'])}`;
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
