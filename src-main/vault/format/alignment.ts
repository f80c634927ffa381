// FORMAT.md, "Writing".
import { contentLength, type FrameContent } from './frame.ts';
import { SECTOR, SHORTEST_HOLE } from './frame-reader.ts';

const SPACE = 0x20;

/**
 * Pads the JSON of the content with spaces, so that a frame that begins at `at` does not end within a few bytes of a
 * sector border. Otherwise a power cut could drop so few bytes of this frame, or of the next one, that the loss could
 * not be told from damage.
 */
export function aligned({ body, sealed }: FrameContent, at: number): FrameContent {
  let length = body.length;
  // A copied frame has padding for its previous offset.
  while (body[length - 1] === SPACE) length -= 1;
  const json = body.subarray(0, length);
  const spaces = missing((at + contentLength({ body: json, sealed })) % SECTOR);
  return { body: spaces === 0 ? json : Buffer.concat([json, Buffer.alloc(spaces, SPACE)]), sealed };
}

/** Aligns the end of a base: only what follows it may be incomplete after a power cut. */
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
