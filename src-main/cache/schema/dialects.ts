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

// In a format, braces stand for a field of the entity, or for a part that `partOf` computes.

const OWNER = '{home_account_id}-{environment}';
const SCOPE = '{client_id}-{realm}-{target}';

interface KeyFormats extends Readonly<Record<EntityType, string>> {
  /** Access tokens that are bound to a key. */
  readonly bound: string;
  /** Access tokens with extension components. */
  readonly extended: string;
}

const FORMATS: Readonly<Record<Dialect, KeyFormats>> = {
  'msal-python': {
    AccessToken: `${OWNER}-accesstoken-${SCOPE}`,
    bound: `${OWNER}-accesstoken-${SCOPE}`,
    extended: `${OWNER}-atext-${SCOPE}-{extension}`,
    RefreshToken: `${OWNER}-refreshtoken-{client_id}--{target}`,
    IdToken: `${OWNER}-idtoken-{client_id}-{realm}-`,
    Account: `${OWNER}-{realm}`,
    AppMetadata: 'appmetadata-{environment}-{client_id}',
  },
  'msal-dotnet': {
    AccessToken: `${OWNER}-accesstoken-${SCOPE}`,
    bound: `${OWNER}-accesstoken_with_authscheme-${SCOPE}-{scheme}`,
    extended: `${OWNER}-atext-${SCOPE}-{extension}`,
    RefreshToken: `${OWNER}-refreshtoken-{family or client}--`,
    IdToken: `${OWNER}-idtoken-{client_id}-{realm}-`,
    Account: `${OWNER}-{realm}`,
    AppMetadata: 'appmetadata-{environment}-{client_id}',
  },
  // MSAL Node pads its keys with hyphens for the parts that only access tokens have.
  'msal-node': {
    AccessToken: `${OWNER}-accesstoken-${SCOPE}-`,
    bound: `${OWNER}-accesstoken_with_authscheme-${SCOPE}-{scheme}`,
    extended: `${OWNER}-{kind}-${SCOPE}-{scheme}-{hash}`,
    RefreshToken: `${OWNER}-refreshtoken-{family or client}---`,
    IdToken: `${OWNER}-idtoken-{client_id}-{realm}--`,
    Account: `${OWNER}-{home tenant}`,
    AppMetadata: 'appmetadata-{environment}-{client_id}',
  },
  'msal-node-3': {
    AccessToken: `${OWNER}-accesstoken-${SCOPE}-{requestedClaimsHash}-`,
    bound: `${OWNER}-accesstoken_with_authscheme-${SCOPE}-{requestedClaimsHash}-{scheme}`,
    extended: `${OWNER}-{kind}-${SCOPE}-{requestedClaimsHash}-{scheme}-{hash}`,
    RefreshToken: `${OWNER}-refreshtoken-{family or client}----`,
    IdToken: `${OWNER}-idtoken-{client_id}-{realm}---`,
    Account: `${OWNER}-{home tenant}`,
    AppMetadata: 'appmetadata-{environment}-{client_id}',
  },
};

/** The formats, split: literal text and the names of parts take turns. */
const SPLIT: ReadonlyMap<string, readonly string[]> = new Map(
  Object.values(FORMATS).flatMap((formats) =>
    Object.values(formats).map((format: string): [string, string[]] => [format, format.split(/[{}]/)]),
  ),
);

/** The types whose keys are not lower-cased. */
const AS_WRITTEN: Readonly<Partial<Record<Dialect, EntityType>>> = {
  'msal-python': 'AppMetadata',
  'msal-dotnet': 'Account',
};

/** Returns the key of a valid entity in a dialect. */
export function keyOf(type: EntityType, entity: Entity, dialect: Dialect): string {
  let form: keyof KeyFormats = type;
  if (type === 'AccessToken' && schemeOf(entity) !== '') form = 'bound';
  if (type === 'AccessToken' && extensionOf(entity) !== '') form = 'extended';
  let key = '';
  let isName = false;
  for (const part of SPLIT.get(FORMATS[dialect][form]) ?? []) {
    key += isName ? partOf(entity, part) : part;
    isName = !isName;
  }
  return AS_WRITTEN[dialect] === type ? key : key.toLowerCase();
}

function partOf(entity: Entity, name: string): string {
  switch (name) {
    case 'family or client':
      return textOf(entity['family_id']) || textOf(entity['client_id']);
    case 'home tenant':
      return homeTenantOf(textOf(entity['home_account_id'])) ?? textOf(entity['realm']);
    case 'kind':
      return schemeOf(entity) === '' ? 'accesstoken' : 'accesstoken_with_authscheme';
    case 'scheme':
      return schemeOf(entity);
    case 'extension':
      return extensionOf(entity);
    case 'hash': {
      const components = componentsIn(entity);
      return components === undefined ? extensionOf(entity) : hashComponentsForNode(components);
    }
    default:
      return textOf(entity[name]);
  }
}
