// FORMAT.md, "The whole file", as one who looks for damage reads it.
import type { Sliced } from '../../cache/sliced.ts';
import type { Contents } from '../contents.ts';
import { NO_TAG } from './frame.ts';
import { encodeHeader, FRAMES_AT, HEADER_COPY_AT, HEADER_LENGTH } from './header.ts';
import { scanFrames } from './frame-reader.ts';
import type { VaultRegions } from '../state.ts';

/** Counts what is authentic in a file that was opened. */
export function* regionsOf(file: Buffer, { header, sealingKey }: Contents): Sliced<VaultRegions> {
  const expected = encodeHeader(header);
  const headers = [0, HEADER_COPY_AT].filter((at) => file.subarray(at, at + HEADER_LENGTH).equals(expected));
  const start = { at: FRAMES_AT, ordinal: 0, previousTag: NO_TAG };
  const { frames, end } = yield* scanFrames(file, start, sealingKey, header.baseFrames);
  // A frame that was repeated or moved is not one more.
  const ordinals = new Set(frames.map(({ ordinal }) => ordinal));
  const base = [...ordinals].filter((ordinal) => ordinal < header.baseFrames).length;
  return {
    headers: headers.length,
    base: { intact: base, of: header.baseFrames },
    appended: ordinals.size - base,
    after: Math.max(0, file.length - end.at),
  };
}
