import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';

const folder = new URL('../vectors/', import.meta.url);

export interface Vector {
  file: string;
  accounts: number;
  app_only: number;
  tokens: { AccessToken: number; RefreshToken: number; IdToken: number };
}

/** Documents that real libraries wrote. */
export const documents = index<Vector>('documents');
/** Files that are not documents, or that hold what no library writes. */
export const hostile = index<{ file: string; error?: string; note: string }>('hostile');

function index<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(`${name}/index.json`, folder), 'utf8')) as T[];
}

export function vectorPath(kind: 'documents' | 'hostile', file: string): string {
  return fileURLToPath(new URL(`${kind}/${file}`, folder));
}

export function vectorText(kind: 'documents' | 'hostile', file: string): string {
  return readFileSync(vectorPath(kind, file), 'utf8');
}

export function cacheOf(text: string): SerializableTokenCache {
  const cache = new SerializableTokenCache();
  cache.deserialize(text.replace(/^\ufeff/, ''));
  return cache;
}

/** Returns every secret in a document, and the signatures of those that are JWTs. */
export function secretsIn(text: string): string[] {
  const found: string[] = [];
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, inner] of Object.entries(value)) {
      if (name === 'secret' && typeof inner === 'string' && inner.length > 7) {
        found.push(inner);
        const signature = inner.split('.').at(-1) ?? '';
        if (signature.length > 15) found.push(signature);
      } else look(inner);
    }
  };
  look(JSON.parse(text.replace(/^\ufeff/, '')));
  return found;
}
