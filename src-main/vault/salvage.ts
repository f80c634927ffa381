import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import type { Header } from './format/header.ts';
import { type Manifest, nameOf } from './format/manifest.ts';
import type { IntactFrame } from './format/frame-reader.ts';
import type { Recovered } from './state.ts';

/** Counts the salvaged accounts of a damaged file, and names the lost ones from the index. */
export function recoveredFrom(
  cache: TokenCache,
  frames: readonly IntactFrame[],
  header: Header,
  manifest: Manifest | null,
): Recovered {
  const readable = new Set(storeOf(cache).accounts);
  const intact = new Set(frames.map(({ ordinal }) => ordinal));
  if (manifest === null) {
    // Without the index the total is unknown, unless nothing else is missing.
    const base = [...intact].filter((ordinal) => ordinal < header.baseFrames).length;
    return { accounts: readable.size, of: base === header.baseFrames - 1 ? readable.size : null, lost: [] };
  }
  const lost = new Map<string, string>();
  manifest.index.forEach((row, at) => {
    if (row === null || intact.has(at + 1)) return;
    lost.set(row.account, nameOf(row));
    readable.delete(row.account); // A later frame holds only part of the account.
  });
  return { accounts: readable.size, of: readable.size + lost.size, lost: [...lost.values()] };
}
