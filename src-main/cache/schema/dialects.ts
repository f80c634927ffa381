/**
 * The MSAL libraries share a schema and differ in how they write it. A dialect is one library's way: its keys, the
 * fields it expects, the name it looks an environment up under, and how it lays out the text.
 */
import type { EntityType } from './entities.ts';

/** `msal-node` is MSAL Node from major 5; `msal-node-3` is what it wrote up to major 3. */
export type Dialect = 'msal-python' | 'msal-node' | 'msal-node-3' | 'msal-dotnet';

export const DIALECTS: readonly Dialect[] = ['msal-python', 'msal-node', 'msal-node-3', 'msal-dotnet'];

/** How a document's JSON is laid out. */
export interface Layout {
  /** Spaces per level; 0 is one line. */
  indent: number;
  /** Whether everything beyond ASCII is written as \uXXXX. */
  ascii: boolean;
  /** What follows the last brace: editors add a line break. */
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

/** The order of the roots in a new document. MSAL Python's is the order in which it adds. */
export const ROOTS: Readonly<Record<Dialect, readonly EntityType[]>> = {
  'msal-python': ['AccessToken', 'Account', 'IdToken', 'RefreshToken', 'AppMetadata'],
  'msal-node': NODE_ROOTS,
  'msal-node-3': NODE_ROOTS,
  'msal-dotnet': ['AccessToken', 'RefreshToken', 'IdToken', 'Account', 'AppMetadata'],
};

/** Whether a root is written while it is empty. */
export function writesEmptyRoots(dialect: Dialect): boolean {
  return dialect !== 'msal-python';
}

export function isNode(dialect: Dialect): dialect is 'msal-node' | 'msal-node-3' {
  return dialect === 'msal-node' || dialect === 'msal-node-3';
}

/** The library by name, for people. */
export function libraryOf(dialect: Dialect): 'MSAL Python' | 'MSAL Node' | 'MSAL.NET' {
  if (dialect === 'msal-python') return 'MSAL Python';
  return dialect === 'msal-dotnet' ? 'MSAL.NET' : 'MSAL Node';
}
