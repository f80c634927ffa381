// FORMAT.md, "Writing".
import { contentLength, type FrameContent } from './frame.ts';
import { SECTOR, SHORTEST_HOLE } from './frame-reader.ts';

const SPACE = 0x20;

/**
 * The same content with spaces after its JSON, so that the frame, where it begins at `at`, does not end a few bytes
 * before or behind the border of a sector. Otherwise a power cut could leave out so little of it, or of the next one, that
 * nobody could tell that from damage.
 */
export function aligned({ body, sealed }: FrameContent, at: number): FrameContent {
  let length = body.length;
  // A frame that is copied has spaces from where it was before.
  while (body[length - 1] === SPACE) length -= 1;
  const json = body.subarray(0, length);
  const spaces = missing((at + contentLength({ body: json, sealed })) % SECTOR);
  return { body: spaces === 0 ? json : Buffer.concat([json, Buffer.alloc(spaces, SPACE)]), sealed };
}

/** The base of a file: only where it ends does anything follow that may not be written. */
export function alignedEnd(base: readonly FrameContent[], from: number): FrameContent[] {
  const [last] = base.slice(-1);
  if (last === undefined) return [];
  const before = base.slice(0, -1);
  return [
    ...before,
    aligned(
      last,
      before.reduce((sum, content) => sum + contentLength(content), from),
    ),
  ];
}

function missing(over: number): number {
  if (over === 0) return 0;
  if (over < SHORTEST_HOLE) return SHORTEST_HOLE - over;
  return over > SECTOR - SHORTEST_HOLE ? SECTOR - over : 0;
}
