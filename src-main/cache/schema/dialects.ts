/**
 * The MSAL libraries share a schema and differ in how they write it. A dialect is the form of one library: its keys, the
 * fields that it expects, the environment names that it looks up, and the layout of its JSON.
 */
import type { EntityType } from './entities.ts';

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
